"""Waiting in tests: for something that happens, never for a time in which it ought to have happened."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

PATIENCE = 120.0  # seconds: the bound only ends a hang, so a machine under load has to keep within it easily


def until(
    what: Callable[[], Found | None],
    complaint: str | Callable[[], str] = "it did not happen",
    seconds: float = PATIENCE,
) -> Found:
    """What `what` answers as soon as that is something; AssertionError with `complaint` when the time is up."""
    end = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < end, f"{complaint if isinstance(complaint, str) else complaint()}, {seconds:g} s long"
        time.sleep(0.1)
    return answer
