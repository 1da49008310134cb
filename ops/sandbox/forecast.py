"""Which alerts a scenario will make pending and firing, and when.

The traffic model is run ahead of the clock: the past as the sandbox has it, then the scenario. A Prometheus of its own
evaluates our rules over that, as a backtest does over a real past. So the answer follows from what the rules say
(`for`, interval, windows) and from what the scenario does to the traffic. As traffic is random, several courses of it
are tried: the answer is the one in the middle, and how far the others are from it says how exact that is.
"""

import math
import os
import time
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import rules
from ops import build_tools
from ops.clients.prometheus import Prometheus
from ops.replay import coverage
from ops.replay.recordings import expand
from ops.replay.run import replay
from ops.sandbox.evaluation import evaluating
from ops.sandbox.past_traffic import TARGET, Incident, PastTraffic
from ops.targets import SANDBOX
from rules import Alert

STEP = 15.0  # seconds between samples; no rule asks more often
BEYOND = 2 * 3600.0  # seconds to look ahead, besides the longest `for`
COURSES = 3  # how many courses of random traffic are tried; odd, so that one is in the middle
LEAST_PAST = 60.0  # seconds
FINE_PAST = 3600.0  # seconds with a sample each `STEP`, before the scenario


@dataclass(frozen=True)
class Expected:
    """An alert that a scenario causes: `pending` and `firing` in seconds from the forecast on, below 0 before it.

    `firing` None: not as far ahead as was looked. Of several series it is the first one. `spread`: by how many seconds
    the times differ, as traffic is random.
    """

    alert: Alert
    pending: float
    firing: float | None
    spread: float = 0.0


@dataclass(frozen=True)
class Forecast:
    """What a scenario causes, in order, counted from `at` (seconds since the epoch), and how many seconds ahead."""

    expected: tuple[Expected, ...]
    ahead: float
    at: float

    @property
    def interval(self) -> float:
        """Seconds between two evaluations of the slowest of these alerts."""
        return max((one.alert.interval for one in self.expected), default=0.0)

    @property
    def error(self) -> float:
        """By how many seconds a time may be wrong, as Prometheus evaluates each group at moments of its own."""
        known = rules.recordings()
        read = {name for one in self.expected for name in coverage.metrics_read(one.alert.signal)}
        spread = max((one.spread for one in self.expected), default=0.0)
        return self.interval + max((known[name].interval for name in read & known.keys()), default=0.0) + spread


def forecast(
    scenarios: Mapping[str, float], past: float, *, already: float = 0.0, alerts: Collection[Alert] | None = None
) -> Forecast:
    """What `scenarios` (name → intensity) will cause, beginning now, or `already` seconds ago.

    `past`: for how many seconds the sandbox has had normal traffic before. `alerts`: None for all that may be silent.
    Raises SandboxError or ToolError.
    """
    ours = rules.alerts(stack=SANDBOX).values() if alerts is None else alerts
    wanted = [one for one in ours if alerts is not None or not one.is_watchdog]
    known = rules.recordings()
    reach = max((coverage.lookback(expand(one.signal, known)) for one in wanted), default=0.0)
    ahead = max((one.for_ for one in wanted), default=0.0) + BEYOND
    now = float(math.floor(time.time()))
    end = now + ahead
    past = max(LEAST_PAST, min(past, reach))

    def course(number: int) -> list[Expected | None]:
        with TemporaryDirectory(prefix="forecast-") as folder:
            database = Path(folder) / "data"
            PastTraffic(
                database,
                past + already + ahead,
                step=STEP,
                fine=already + ahead + FINE_PAST,
                end=end,
                faults=[Incident(already + ahead, already + ahead, scenarios)],
                seed=int(now) * COURSES + number,
            ).traffic()
            with evaluating(database, STEP) as prometheus:
                return [_expected(prometheus, one, now - already, now, end) for one in wanted]

    with ThreadPoolExecutor(COURSES) as pool:
        courses = list(pool.map(course, range(COURSES)))
    found = [_middle([one for one in each if one is not None]) for each in zip(*courses, strict=True)]
    caused = sorted((one for one in found if one is not None), key=lambda one: (one.pending, one.firing or math.inf))
    return Forecast(tuple(caused), ahead, now)


def possible() -> bool:
    """Whether the programs that it needs are there, so that nothing has to be built first."""
    server = os.environ.get("SANDBOX_PROMETHEUS") or build_tools.find("prometheus")
    return bool(server and build_tools.find("promtool"))


def past_of(prometheus: Prometheus) -> float:
    """For how many seconds a running sandbox has had traffic; at most eight days, which no rule looks back beyond."""
    job = TARGET["job"]
    found = prometheus.query(f'time() - min(min_over_time(timestamp(up{{job="{job}"}})[8d:1m]))')
    return found[0].value if found else 0.0


def _expected(prometheus: Prometheus, alert: Alert, start: float, now: float, end: float) -> Expected | None:
    """When the alert is first pending, and firing, from the scenario's `start` on; None where it is not pending."""
    replayed = replay(prometheus, alert, start, end, recordings=rules.recordings(stack=SANDBOX))
    firing = replayed.firing
    if firing:
        first = min(firing, key=lambda one: one.start)
        before = [one for one in replayed.pending if one.labels == first.labels and one.end == first.start]
        return Expected(alert, (before[0] if before else first).start - now, first.start - now)
    lasting = [one for one in replayed.pending if one.open]
    return Expected(alert, lasting[0].start - now, None) if lasting else None


def _middle(found: list[Expected]) -> Expected | None:
    """What most courses have: the times in the middle; None where most have nothing."""
    if len(found) <= COURSES // 2:
        return None
    pending = sorted(one.pending for one in found)
    firing = sorted(math.inf if one.firing is None else one.firing for one in found)
    middle, fires = pending[len(found) // 2], firing[len(found) // 2]
    apart = [abs(one - middle) for one in pending] + [abs(one - fires) for one in firing if one < math.inf > fires]
    return Expected(found[0].alert, middle, fires if fires < math.inf else None, max(apart))
