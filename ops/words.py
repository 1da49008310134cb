"""Counts, lists and mistyped names in sentences."""

import difflib
from collections.abc import Collection, Sequence


def brief(items: Sequence[str], most: int = 3) -> str:
    """`a, b, c and 4 more`: the first `most` items, and how many are left out."""
    head = ", ".join(items[:most])
    return head if len(items) <= most else f"{head} and {len(items) - most} more"


def listed(items: Sequence[str]) -> str:
    """`a, b and c`: all items. Needs at least one."""
    *head, last = items
    return f"{', '.join(head)} and {last}" if head else last


def count_noun(number: int, noun: str, plural: str = "") -> str:
    """`1 mail`, `3 mails`, `2 queries`."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"


def agree(number: int, one: str, several: str) -> str:
    """The form of a verb: `one` of it for 1, `several` for all else, as in `1 rule has` and `0 rules have`."""
    return one if number == 1 else several


def times(number: int) -> str:
    """`never`, `once`, `3 times`."""
    return {0: "never", 1: "once"}.get(number, f"{number} times")


def no_such_alert(name: str, known: Collection[str], others: Collection[str] = ()) -> str:
    """The message for an alert name that is not in rules/: similar names, else all names.

    `others`: names of alerts without our form, of which a verb knows nothing.
    """
    if name in others:
        return (
            f"{name} has no limit in a last line of its own, or not the labels severity, component and signal, so "
            "only `verify` looks at it; write it in that form"
        )
    same = [one for one in known if one.lower() == name.lower()]
    near = same or [one for one in known if name.lower() in one.lower()]
    near = near or difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}"
    return f"there is no alert {name!r} in rules/; {hint}"
