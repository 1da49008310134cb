"""Reads `workingHours`: days, hours and a time zone, such as `Mon-Fri 08:00-18:00 Europe/Berlin`."""

import difflib
import re
from collections.abc import Callable

from components.settings.schema import SettingsError
from components.settings.values import WorkingHours

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS = [day[:3].title() for day in _WEEKDAYS]
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")


def parse(value: str, refusal: Callable[[str], SettingsError], *, utc_alone: bool) -> WorkingHours:
    """The hours. Raises the `refusal`, given what to write instead."""
    parts = value.split()
    if len(parts) != 3:
        raise refusal("days, hours and a time zone, such as Mon-Fri 08:00-18:00 Europe/Berlin")
    days, hours, zone = parts
    weekdays: set[int] = set()
    for piece in days.split(","):
        ends = [_DAYS.index(day) if day in _DAYS else -1 for day in piece.title().split("-")]
        if len(ends) > 2 or -1 in ends:
            raise refusal("days as Mon-Fri or Mon,Wed,Fri")
        weekdays |= {(ends[0] + more) % 7 for more in range((ends[-1] - ends[0]) % 7 + 1)}
    times = [tuple(piece.split("-")) for piece in hours.split(",")]
    for time in times:
        if len(time) != 2 or not all(_CLOCK.fullmatch(end) for end in time) or time[0] >= time[1]:
            raise refusal("hours of one day as 08:00-18:00, the later last (24:00 for midnight)")
    from zoneinfo import available_timezones  # slow to import; few stacks have hours

    if zone not in (zones := available_timezones()):
        near = difflib.get_close_matches(zone, sorted(zones), n=1)
        raise refusal(f"a time zone such as {near[0] if near else 'Europe/Berlin'}")
    if utc_alone and zone not in ("UTC", "Etc/UTC"):
        raise refusal("the hours in UTC, for the operator's AlertmanagerConfig has no time zones")
    names = tuple(_WEEKDAYS[day] for day in sorted(weekdays))
    return WorkingHours(names, tuple((start, end) for start, end in times), zone)
