"""Long lists in messages."""

from collections.abc import Sequence


def shorten(items: Sequence[str], shown: int, separator: str = ", ") -> str:
    """The first `shown` items, and how many more there are."""
    more = f" and {len(items) - shown} more" if len(items) > shown else ""
    return separator.join(items[:shown]) + more
