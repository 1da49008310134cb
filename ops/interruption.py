"""What is said where Ctrl-C ends a verb: that nothing was changed, or what was, and how to go on.

A verb that changes something says so here, as soon as it has, or for as long as it is at it. Nothing is undone here.
"""

from collections.abc import Iterator
from contextlib import contextmanager

EXIT_CODE = 130
_changes: list[str] = []  # of this process, clauses such as "report.html is written"


def begin() -> None:
    """Forget what was said: a verb begins."""
    _changes.clear()


def changed(clause: str) -> None:
    """From now on an interrupt says this, such as `docs/limits.md is written`."""
    _changes.append(clause)


@contextmanager
def during(clause: str) -> Iterator[None]:
    """What an interrupt of this block says. The same after an error in it, as an interrupt may come as one."""
    _changes.append(clause)
    yield
    _changes.remove(clause)


def sentence() -> str:
    """`interrupted; nothing was changed`, or all that was said."""
    return f"interrupted; {'; '.join(dict.fromkeys(_changes)) or 'nothing was changed'}"
