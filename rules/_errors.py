"""The one error of this package, and how a place in a file is written."""

from pathlib import Path
from typing import NoReturn


class RulesError(ValueError):
    """A rule file cannot be used. The message is one sentence: `file:line: what is wrong and what to do`."""


def shown(path: Path) -> str:
    """`path` as a person would type it: relative to where they stand, if it lies below."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def refuse(path: Path, line: int, sentence: str) -> NoReturn:
    """Raise, in one line even where the file's own words, quoted, have several."""
    raise RulesError(f"{shown(path)}:{line}: {' '.join(sentence.split())}")
