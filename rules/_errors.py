"""The one error of this package."""

from pathlib import Path
from typing import NoReturn

from formats.places import FormatError, Place, shown


class RulesError(FormatError):
    """A rule file cannot be used."""


def refuse(path: Path, line: int, sentence: str) -> NoReturn:
    """Raise RulesError at a line of a file."""
    raise RulesError(sentence, Place(shown(path), line))
