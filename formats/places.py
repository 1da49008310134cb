"""Where something stands in a file of ours, and the one error of all who read these files."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, order=True)
class Place:
    """A line of a file. `file` is its name as a person would type it, `line` counts from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class FormatError(ValueError):
    """A file of ours, or a text that should have its form, cannot be used.

    The message is one sentence in one line, `file:line: what is wrong and what to do`, without a place where the text
    is in no file. Each package has one of its own, so that whoever catches it knows whose file it is:

        FormatError
        ├── rules.RulesError
        ├── routing.RoutingError
        ├── metrics.ContractError
        └── dashboards.DashboardError
    """

    def __init__(self, sentence: str, place: Place | None = None) -> None:
        said = " ".join(sentence.split()).removesuffix(".")
        super().__init__(f"{place}: {said}" if place else said)


def shown(path: Path) -> str:
    """`path` as a person would type it: relative to where they stand, if it lies below."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def read_text(path: Path, error: type[FormatError]) -> str:
    """What stands in a file, byte for byte as UTF-8. Raises `error`."""
    try:
        data = path.read_bytes()
    except OSError as failure:
        raise error(
            f"cannot be read ({failure.strerror}): check the file and its rights", Place(shown(path), 1)
        ) from None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as failure:
        line = data.count(b"\n", 0, failure.start) + 1
        raise error("is not UTF-8: save the file with that encoding", Place(shown(path), line)) from None
