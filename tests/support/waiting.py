"""Waiting in tests: for something that happens, never for a time in which it ought to have happened."""

import time
from collections.abc import Callable
from typing import TypeVar

from ops.errors import OpsError

Found = TypeVar("Found")

PATIENCE = 120.0  # seconds: the bound only ends a hang, so a machine under load has to keep within it easily


def until(
    what: Callable[[], Found | None],
    complaint: str | Callable[[], str] = "it did not happen",
    seconds: float = PATIENCE,
    *,
    every: float = 0.1,
) -> Found:
    """What `what` answers as soon as that is something, looked at `every` so many seconds.

    An OpsError counts as no answer yet: a server is away meanwhile. AssertionError with `complaint` when `seconds` are
    over, after the last OpsError.
    """
    end = time.monotonic() + seconds
    while True:
        error = None
        try:
            if answer := what():
                return answer
        except OpsError as found:
            error = found
        if time.monotonic() > end:
            words = complaint if isinstance(complaint, str) else complaint()
            raise AssertionError(f"{words}, {seconds:g} s long") from error
        time.sleep(every)
