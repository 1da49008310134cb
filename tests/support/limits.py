"""Limits, and other lines of an alert, in tests. What a limit is stands in the rules alone: others derive from it."""

from collections.abc import Callable

from rules import Alert


def other(alert: Alert) -> str:
    """A limit that this alert does not have, as the rules write it: twice as high."""
    return f"{alert.limit.operator} {alert.limit.value * 2:g}"


def changed(alert: Alert, limit: str) -> Callable[[str], str]:
    """A change of the text of the alert's file: `limit` instead of its own."""

    def change(text: str) -> str:
        lines = text.split("\n")
        line = lines[alert.limit_line - 1]
        assert alert.limit.text in line, f"line {alert.limit_line} is {line!r}, not the limit of {alert.name}"
        lines[alert.limit_line - 1] = line.replace(alert.limit.text, limit)
        return "\n".join(lines)

    return change


def after_name(alert: Alert, old: str, new: str) -> Callable[[str], str]:
    """A change of the text of the alert's file: `new` for the first `old` after the alert's name."""

    def change(text: str) -> str:
        head, name, rest = text.partition(f"alert: {alert.name}\n")
        assert old in rest
        return head + name + rest.replace(old, new, 1)

    return change
