"""Changes of a text by position, all at once."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Splice:
    """`text` in place of the characters from `start` to before `end`."""

    start: int
    end: int
    text: str = ""


def splice(text: str, changes: Iterable[Splice]) -> str:
    """The changed text. What two changes both take is taken once; of one place, the first comes first."""
    pieces, at = [], 0
    for change in sorted(changes, key=lambda change: (change.start, change.end)):
        pieces += [text[at : change.start], change.text]
        at = max(at, change.end)
    return "".join([*pieces, text[at:]])
