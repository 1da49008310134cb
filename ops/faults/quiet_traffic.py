"""Lifelike traffic of a healthy service: the rhythm of day and week, holidays, daylight saving, deployments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from ops.faults.instances import COUNT
from ops.sandbox.blocks import Floats

USUAL = 7.0  # requests a second that the flows of the simulated application have in all, at the pace of 1
NIGHT = 0.01  # requests a second
_HOUR = 3600.0


@dataclass(frozen=True)
class Rhythm:
    """Requests a second over time, of customers in one time zone: `day` on a working day, NIGHT while they sleep.

    They begin about eight in the morning and end in the evening, by their own clocks. `weekend` and `holiday`: the
    share of a working day's traffic that there is then.
    """

    zone: str
    day: float = USUAL
    weekend: float = 0.55
    holiday: float = 0.4
    holidays: frozenset[date] = frozenset()

    def pace(self, times: Floats) -> Floats:
        """The factor of traffic at each time (seconds since the epoch); 1 is USUAL requests a second."""
        hours, which = np.unique(np.floor_divide(times, _HOUR), return_inverse=True)
        local = [datetime.fromtimestamp(hour * _HOUR, UTC).astimezone(ZoneInfo(self.zone)) for hour in hours.tolist()]
        clock = np.array([moment.hour for moment in local])[which] + np.mod(times, _HOUR) / _HOUR
        share = np.array([self._share(moment.date()) for moment in local])[which]
        # Half of the day's traffic has begun at 8:00, half has ended at 19:00; an hour changes it about fourfold.
        awake = 1 / (1 + np.exp(-(clock - 8.0) * 1.4)) / (1 + np.exp((clock - 19.0) * 1.4))
        rates: Floats = NIGHT + (self.day - NIGHT) * share * awake
        return rates / USUAL

    def _share(self, day: date) -> float:
        if day in self.holidays:
            return self.holiday
        return self.weekend if day.weekday() >= 5 else 1.0


def deployments(rhythm: Rhythm, start: date, days: int, seed: int) -> Sequence[tuple[float, int, float]]:
    """Three a week, on working days between 9 and 17 o'clock, one instance after the other: (moment, instance, seconds
    that it is away)."""
    chance = np.random.default_rng(seed)
    found = []
    for week in range(0, days, 7):
        for day in chance.choice(7, 3, replace=False).tolist():
            when = start + timedelta(days=week + day)
            if when.weekday() >= 5 or when in rhythm.holidays:
                continue
            midnight = datetime(when.year, when.month, when.day, tzinfo=ZoneInfo(rhythm.zone)).timestamp()
            moment = midnight + chance.uniform(9, 17) * _HOUR
            for instance in range(COUNT):
                away = float(chance.uniform(20, 70))
                found.append((moment, instance, away))
                moment += away + 30
    return found
