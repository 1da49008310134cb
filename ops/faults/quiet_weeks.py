"""Four weeks of a healthy service, replayed through our rules: whatever fires is a false alarm."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from ops.faults.instances import Noise, Traffic
from ops.faults.quiet_traffic import Rhythm, deployments
from ops.faults.replayed import evaluate
from ops.replay.run import Outcome
from ops.sandbox.blocks import write_series
from ops.sandbox.evaluation import evaluating

DAYS = 28
STEP = 60.0  # seconds between samples; a window of five minutes has five
_BEFORE = 8 * 86400.0  # seconds; no rule looks back longer
_DAILY_STEP = 150.0  # seconds between samples of the time before, which only long windows read; two in five minutes
_DAY = 86400.0
# A single error in three hours besides the usual 6 of 10,000, and one of a thousand events twenty times as slow.
NOISE = Noise(errors=1 / 10800, slow=0.001)


@dataclass(frozen=True)
class Weeks:
    """Four weeks from the Monday `first` on, of customers in `zone`, with one holiday.

    `born_at_first_event`: whether the application exports a series from its first event on only.
    """

    zone: str
    first: date
    holiday: date
    seed: int
    born_at_first_event: bool = False

    @property
    def start(self) -> float:
        """Where they begin, in seconds since the epoch."""
        return datetime(self.first.year, self.first.month, self.first.day, tzinfo=UTC).timestamp()

    def traffic(self) -> Traffic:
        """Their traffic, and eight days before."""
        rhythm = Rhythm(self.zone, holidays=frozenset({self.holiday}))
        near = self.start - 2 * 3600
        times = [
            np.arange(self.start - _BEFORE, near, _DAILY_STEP),
            np.arange(near, self.start + DAYS * _DAY, STEP),
        ]
        return Traffic(
            times=np.concatenate(times),
            pace=rhythm.pace,
            seed=self.seed,
            restarts=deployments(rhythm, self.first, DAYS, self.seed),
            noise=NOISE,
            born_at_first_event=self.born_at_first_event,
        )

    def replay(self, folder: Path) -> Outcome:
        """What our alerts do in them. Raises SandboxError, ToolError, and what `ops.replay.run.run` raises."""
        traffic = self.traffic()
        write_series(folder / "data", traffic.series(), traffic.times)
        with evaluating(folder / "data", STEP) as prometheus:
            return evaluate(prometheus, self.start, self.start + DAYS * _DAY)


# Both changes of the clock, each with a holiday in the week after it: Austria's national day, and Good Friday.
WEEKS = (
    Weeks("Europe/Vienna", date(2026, 10, 5), date(2026, 10, 26), seed=1),
    Weeks("Europe/Berlin", date(2026, 3, 9), date(2026, 4, 3), seed=2, born_at_first_event=True),
)
