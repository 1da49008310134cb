"""Alertmanager's time intervals: whether a moment lies in one."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from formats.json_types import JsonValue
from routing import tree
from routing.tree import Match

_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)


def inside(config: tree.Config, names: Iterable[str], at: float) -> bool:
    """Whether `at` (seconds since the epoch) lies in one of the named intervals of an Alertmanager configuration."""
    wanted = set(names)
    return any(
        _contains(interval, at)
        for named in tree.time_intervals(config)
        if named["name"] in wanted
        for interval in named.get("time_intervals") or ()
    )


def quiet(config: tree.Config, match: Match, at: float) -> str:
    """What keeps a route from telling anybody at that moment, as the configuration has it; empty for nothing."""
    mute, active = match.mute_time_intervals, match.active_time_intervals
    if mute and inside(config, mute, at):
        return f"mute_time_intervals: {', '.join(mute)}"
    if active and not inside(config, active, at):
        return f"outside of active_time_intervals: {', '.join(active)}"
    return ""


def opens(config: tree.Config, match: Match, at: float) -> float | None:
    """The next whole minute within eight days at which nothing keeps the route quiet; None if there is none."""
    minutes = (at // 60 * 60 + 60 * n for n in range(1, 8 * 1440))
    return next((minute for minute in minutes if not quiet(config, match, minute)), None)


def week(config: tree.Config, match: Match, at: float) -> tuple[bool, ...]:
    """Whether the route is quiet at each minute of the week from `at` on; nothing for one that never is."""
    if not match.mute_time_intervals and not match.active_time_intervals:
        return ()
    minutes = tuple(bool(quiet(config, match, at + 60 * n)) for n in range(7 * 1440))
    return minutes if any(minutes) else ()


def _contains(interval: Mapping[str, JsonValue], at: float) -> bool:
    """All fields that are given have to hold; of the entries of one field, any."""
    here = datetime.fromtimestamp(at, ZoneInfo(str(interval.get("location") or "UTC")))
    length = ((here.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).day

    def day(text: str) -> int:
        return int(text) if int(text) > 0 else length + int(text) + 1

    minute = here.hour * 60 + here.minute
    checks: dict[str, Callable[[JsonValue], bool]] = {
        "times": lambda entry: _minutes(entry["start_time"]) <= minute < _minutes(entry["end_time"]),
        "weekdays": lambda entry: _within(entry, (here.weekday() + 1) % 7, _DAYS.index),
        "days_of_month": lambda entry: _within(entry, here.day, day),
        "months": lambda entry: _within(
            entry, here.month, lambda text: _MONTHS.index(text) + 1 if text in _MONTHS else int(text)
        ),
        "years": lambda entry: _within(entry, here.year, int),
    }
    return all(any(check(entry) for entry in interval[field]) for field, check in checks.items() if interval.get(field))


def _within(entry: object, value: int, number: Callable[[str], int]) -> bool:
    """`monday:friday`, `friday:monday`, `1:-1`, `march`."""
    ends = [number(part.strip()) for part in str(entry).lower().split(":")]
    if ends[0] > ends[-1]:  # of weekdays alone: over the end of the week
        return value >= ends[0] or value <= ends[-1]
    return ends[0] <= value <= ends[-1]


def _minutes(clock: str) -> int:
    hours, minutes = str(clock).split(":")
    return int(hours) * 60 + int(minutes)
