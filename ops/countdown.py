"""Progress of work whose pieces can be counted: how many are done, and about how long the rest takes."""

import time
from collections.abc import Callable

from formats.durations import humanize

Counted = Callable[[int, int], None]  # told (pieces done, pieces in all)
EVERY = 3.0  # seconds between two lines; work that ends sooner says nothing


def countdown(what: str, say: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic) -> Counted:
    """A function to call with (pieces done, pieces in all) after each piece; `say` gets a line now and then.

    `what`: the pieces and what becomes of them, such as `queries answered`. The time left supposes that pieces take
    equally long.
    """
    begun = last = clock()

    def report(done: int, of: int) -> None:
        nonlocal last
        now = clock()
        if now - last < EVERY or not 0 < done < of:
            return
        last = now
        left = (now - begun) / done * (of - done)
        say(f"{done} of {of} {what}, about {humanize(max(1.0, left))} left …")

    return report


def untold(done: int, of: int) -> None:
    """Where nobody looks on."""
