"""Scenarios replayed: their traffic is written as a past, over which our rules are evaluated as `backtest` does.

All scenarios stand in one database, each in a fortnight of its own.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

import routing
import rules
from ops.clients.prometheus import Prometheus
from ops.faults.expectations import Happened
from ops.faults.instances import Noise, Traffic
from ops.faults.quiet_traffic import Rhythm
from ops.faults.scenario_files import Scenario
from ops.replay.run import Outcome, Rules, run
from ops.sandbox.blocks import Floats, write_series
from ops.sandbox.evaluation import evaluating

STEP = 15.0  # seconds between samples, as production scrapes
_BEFORE, _AFTERWARDS = 1800.0, 2400.0  # seconds that are looked at besides the scenario itself
_FINE = 5400.0  # seconds before the fault with all samples
_DAY, _WEEK = 86400.0, 7 * 86400.0  # how far our rules look back
_AROUND = 3600.0  # seconds before and after the same time a week ago, which are looked at too
_DAILY_STEP, _WEEKLY_STEP = 120.0, 60.0  # seconds between samples that only long windows read; two in five minutes
_FIRST = datetime(2024, 1, 10, tzinfo=UTC).timestamp()  # a Wednesday
_APART = 2 * _WEEK
_SEED = 20240110

RHYTHM = Rhythm("Europe/Berlin")
NOISE = Noise(errors=1 / 10800, slow=0.0005)


@contextmanager
def replaying(folder: Path, scenarios: Iterable[Scenario]) -> Iterator["Replayed"]:
    """The scenarios, written into a database in `folder` and read by a Prometheus, which is stopped at the end.

    Raises SandboxError or ToolError.
    """
    begins = {one.name: _FIRST + number * _APART + one.at for number, one in enumerate(scenarios)}
    database = folder / "data"
    for one in scenarios:
        traffic = Traffic(
            times=_times(one, begins[one.name]),
            pace=RHYTHM.pace,
            seed=_SEED,
            stages=[stage.later(begins[one.name]) for stage in one.stages],
            noise=NOISE,
        )
        write_series(database, traffic.series(), traffic.times)
    with evaluating(database, STEP) as prometheus:
        yield Replayed(prometheus, begins)


class Replayed:
    """Scenarios in the database of a Prometheus. `begins`: scenario → when, in seconds since the epoch."""

    def __init__(self, prometheus: Prometheus, begins: dict[str, float]) -> None:
        self.prometheus, self.begins = prometheus, begins

    def happened(self, scenario: Scenario) -> Happened:
        """What our alerts did in a scenario, and who got mail. Raises what `ops.replay.run.run` raises."""
        begin = self.begins[scenario.name]
        return seen(evaluate(self.prometheus, begin - _BEFORE, begin + scenario.lasts + _AFTERWARDS), begin)


def evaluate(prometheus: Prometheus, start: float, end: float) -> Outcome:
    """What our alerts would have done from `start` to `end`, but for the watchdog, which always fires."""
    alerts = rules.alerts()
    names = [name for name, alert in alerts.items() if not alert.is_watchdog]
    ours = Rules("working tree", alerts, rules.recordings())
    return run(prometheus, [ours], names, start, end, routing.load().config)


def seen(outcome: Outcome, begin: float) -> Happened:
    """What happened, counted from `begin` (seconds since the epoch)."""
    (version,) = outcome.versions
    fired = {
        name: min(episode.start for episode in replayed.firing) - begin
        for name, replayed in version.replays.items()
        if replayed.firing
    }
    receivers: dict[str, tuple[str, ...]] = {}
    mailed: dict[str, float] = {}
    for message in version.messages:
        for name in {dict(labels)["alertname"] for labels in message.firing}:
            receivers[name] = tuple(dict.fromkeys((*receivers.get(name, ()), message.receiver)))
            mailed.setdefault(name, message.at - begin)
    return Happened(dict(sorted(fired.items(), key=lambda one: one[1])), receivers, mailed)


def _times(scenario: Scenario, begin: float) -> Floats:
    """When there are samples: all around the fault, fewer in the day before, and around the same time a week before."""
    end = begin + scenario.lasts + _AFTERWARDS
    return np.concatenate(
        [
            np.arange(begin - _WEEK - _FINE - _AROUND, end - _WEEK + _AROUND, _WEEKLY_STEP),
            np.arange(begin - _DAY - _FINE, begin - _FINE, _DAILY_STEP),
            np.arange(begin - _FINE, end, STEP),
        ]
    )
