"""Time intervals as Alertmanager takes them.

Source: https://github.com/prometheus/alertmanager/blob/v0.35.0/timeinterval/timeinterval.go.
"""

import re
from collections.abc import Mapping

from formats.json_types import JsonValue
from formats.yaml_nodes import Node

_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00")
_WHOLE = re.compile(r"[-+]?[0-9]{1,9}")
_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
# What each field has besides numbers.
_NAMES: Mapping[str, Mapping[str, int]] = {
    "weekdays": {name: number for number, name in enumerate(_DAYS)},
    "days_of_month": {},
    "months": {name: number for number, name in enumerate(_MONTHS, start=1)},
    "years": {},
}


def ends(key: str, text: str) -> tuple[int, int]:
    """The first and the last of a range such as `monday:friday`, or of one alone, in the field `key`.

    Weekdays count from sunday, 0; of them alone the last may come first, over the end of a week. Days of a month are
    negative where they count from its end. Raises ValueError where Alertmanager would refuse the range.
    """
    found = [_member(key, part) for part in text.lower().split(":")]
    first, last = found[0], found[-1]
    if len(found) > 2:
        raise ValueError(f"{text!r} has more than one colon; write one or a range, first:last")
    if key == "days_of_month":
        if first < 0 < last:
            raise ValueError(f"{text!r} begins from a month's end, so it has to end there too, as in -3:-1")
        # The 28 days that every month has decide whether the last can come first.
        backwards = first + 28 * (first < 0) > last + 28 * (last < 0)
    else:
        backwards = first > last and key != "weekdays"
    if backwards:
        raise ValueError(f"{text!r} ends before it begins; write the first one first, or two entries")
    return first, last


def _member(key: str, text: str) -> int:
    if text in _NAMES[key]:
        return _NAMES[key][text]
    number = int(text) if key != "weekdays" and _WHOLE.fullmatch(text) else None
    if (
        number is None
        or (key == "days_of_month" and not 1 <= abs(number) <= 31)
        or (key == "months" and not 1 <= number <= 12)
    ):
        raise ValueError(f"{text!r} is not in {key}; write one or a range, first:last")
    return number


def spans(interval: Mapping[str, JsonValue]) -> list[object]:
    """What one entry of a named time interval means, in whatever way and order it is written. Raises ValueError."""
    times = sorted([str(time.get("start_time")), str(time.get("end_time"))] for time in interval.get("times") or ())
    ranges = [sorted(ends(key, str(text)) for text in interval.get(key) or ()) for key in _NAMES]
    return [times, ranges, str(interval.get("location") or "UTC")]


def check(interval: Node) -> None:
    """Raise RoutingError if Alertmanager would refuse one entry of a named time interval."""
    fields = interval.fields(("times", *_NAMES, "location"))
    for entry in fields["times"].items() if "times" in fields else ():
        times = entry.fields(("start_time", "end_time"))
        clock = {key: place.scalar() for key, place in times.items()}
        start, end = clock.get("start_time", ""), clock.get("end_time", "")
        if not _CLOCK.fullmatch(start) or not _CLOCK.fullmatch(end) or start >= end:
            raise entry.error(
                "times needs start_time and a later end_time, each as HH:MM (24:00 for the end of the day)"
            )
    for key in _NAMES:
        for entry in fields[key].items() if key in fields else ():
            try:
                ends(key, entry.scalar())
            except ValueError as error:
                raise entry.error(str(error)) from None
    # Go's time.LoadLocation: "" is UTC, and Local is the zone of Alertmanager's own machine.
    if "location" in fields and (zone := fields["location"].scalar()) not in ("", "UTC", "Local"):
        import zoneinfo  # for the few who name a zone

        try:
            zoneinfo.ZoneInfo(zone)
        except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
            raise fields["location"].error(f"{zone!r} is not a time zone; write one such as Europe/Berlin") from None
