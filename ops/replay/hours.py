"""Alertmanager's time intervals: is a route muted at a moment?"""

import calendar
from collections.abc import Iterable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from formats.json_types import JsonValue
from routing import RoutingError, tree
from routing.tree import Match


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
    """Which time intervals mute a route at that moment; empty where none does."""
    mute, active = match.mute_time_intervals, match.active_time_intervals
    if mute and inside(config, mute, at):
        return f"mute_time_intervals: {', '.join(mute)}"
    if active and not inside(config, active, at):
        return f"outside of active_time_intervals: {', '.join(active)}"
    return ""


def opens(config: tree.Config, match: Match, at: float) -> float | None:
    """The next whole minute within eight days at which the route is not muted; None where there is none."""
    minutes = (at // 60 * 60 + 60 * n for n in range(1, 8 * 1440))
    return next((minute for minute in minutes if not quiet(config, match, minute)), None)


def week(config: tree.Config, match: Match, at: float) -> tuple[bool, ...]:
    """Whether the route is muted at each minute of the week from `at` on; empty where it never is."""
    if not match.mute_time_intervals and not match.active_time_intervals:
        return ()
    minutes = tuple(bool(quiet(config, match, at + 60 * n)) for n in range(7 * 1440))
    return minutes if any(minutes) else ()


def _zone(name: str) -> ZoneInfo:
    """The time zone of an interval. `Local` is that of Alertmanager's own machine: UTC, as its container image has it.

    Raises RoutingError for a name that this machine does not know.
    """
    try:
        return ZoneInfo("UTC" if name == "Local" else name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise RoutingError(f"{name!r} is not a time zone that this machine knows; is `location` right?") from None


def _contains(interval: Mapping[str, JsonValue], at: float) -> bool:
    """All fields that are given have to hold; of the entries of one field, any."""
    here = datetime.fromtimestamp(at, _zone(str(interval.get("location") or "UTC")))
    days = calendar.monthrange(here.year, here.month)[1]
    now = {
        "weekdays": (here.weekday() + 1) % 7,
        "days_of_month": here.day,
        "months": here.month,
        "years": here.year,
    }
    minute = here.hour * 60 + here.minute
    times = interval.get("times")
    if times and not any(_minutes(entry["start_time"]) <= minute < _minutes(entry["end_time"]) for entry in times):
        return False
    return all(
        any(_within(field, str(entry), value, days) for entry in interval[field])
        for field, value in now.items()
        if interval.get(field)
    )


def _within(field: str, entry: str, value: int, days: int) -> bool:
    """Whether `value` is in a range such as `monday:friday`, `friday:monday`, `1:-1`, `march`; `days` has the month."""
    first, last = tree.range_ends(field, entry)
    if field == "days_of_month":
        first, last = (end if end > 0 else days + end + 1 for end in (first, last))
    if first > last:  # of weekdays alone: over the end of the week
        return value >= first or value <= last
    return first <= value <= last


def _minutes(clock: str) -> int:
    hours, minutes = str(clock).split(":")
    return int(hours) * 60 + int(minutes)
