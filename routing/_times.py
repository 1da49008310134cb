"""Time intervals as Alertmanager writes them."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from routing._yaml import At

_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00")
_FIELDS = ("times", "weekdays", "days_of_month", "months", "years", "location")
_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)


def ends(key: str, text: str) -> tuple[int, int]:
    """The first and the last of a range such as `monday:friday`, or of one alone. Raises ValueError."""
    found = [_MEMBERS[key](part) for part in text.lower().split(":")]
    if len(found) > 2:
        raise ValueError(text)
    return found[0], found[-1]


def spans(interval: Mapping[str, Any]) -> list[Any]:
    """What one entry of a named time interval means, in whatever way and order it is written. Raises ValueError."""
    times = sorted([str(time.get("start_time")), str(time.get("end_time"))] for time in interval.get("times") or ())
    ranges = [sorted(ends(key, str(text)) for text in interval.get(key) or ()) for key in _MEMBERS]
    return [times, ranges, str(interval.get("location") or "UTC")]


def check(interval: At) -> None:
    """Raise RoutingError if Alertmanager would refuse one entry of a named time interval."""
    fields = interval.fields("A time interval", _FIELDS)
    for entry in fields["times"].items("times") if "times" in fields else ():
        times = entry.fields("times", ("start_time", "end_time"))
        clock = {key: place.text(key) for key, place in times.items()}
        start, end = clock.get("start_time", ""), clock.get("end_time", "")
        if not _CLOCK.fullmatch(start) or not _CLOCK.fullmatch(end) or start >= end:
            entry.refuse("times needs start_time and a later end_time, each as HH:MM (24:00 for the end of the day).")
    for key in _MEMBERS:
        for entry in fields[key].items(key) if key in fields else ():
            text = entry.text(key).lower()
            try:
                first, last = ends(key, text)
                # 1:-1 is the whole month; a week goes on (friday:monday), as Alertmanager knows since 0.35.
                backwards = first > last and (first > 0) == (last > 0) and key != "weekdays"
            except ValueError:
                backwards = True
            if backwards:
                entry.refuse(f"{text!r} is not in {key}; write one or a range, first:last.")
    if "location" in fields:
        import zoneinfo  # for the few who name a zone

        zone = fields["location"].text("location")
        try:
            zoneinfo.ZoneInfo(zone)
        except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
            fields["location"].refuse(f"{zone!r} is not a time zone; write one such as Europe/Berlin.")


def _day_of_month(text: str) -> int:
    day = int(text)
    if not 1 <= abs(day) <= 31:
        raise ValueError(text)
    return day


_MEMBERS: Mapping[str, Callable[[str], int]] = {
    "weekdays": _DAYS.index,
    "days_of_month": _day_of_month,
    "months": lambda text: _MONTHS.index(text) + 1 if text in _MONTHS else int(text),
    "years": int,
}
