"""The series of several instances of the application over a stretch of time, with faults: what Prometheus would have.

The flows are those of the simulated application. Series that no rule tells apart are one here (a rule that sums over
the label `controller` sees the same), so that weeks of traffic can be written and read within a test.
"""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

import metrics
from ops.faults import merged_labels
from ops.faults.merged_labels import Merged
from ops.faults.stages import CLOCK_AHEAD, DEAD, Stage
from ops.sandbox.blocks import Floats, selector_of
from ops.sandbox.past_traffic import TARGET, shares
from ops.sandbox.servers import traffic
from ops.sandbox.servers.traffic import Flow

COUNT = 3  # instances
SLOWER = 20.0  # how many times as long a slow one of the noise takes
_LONGEST_STEP = 300.0  # seconds: across a gap in the times there is no more traffic than that
_BACKGROUND = 0.1  # the share of queries that do not follow from requests: background jobs

Masks = NDArray[np.bool_]
Selector = str


@dataclass(frozen=True)
class Noise:
    """What goes wrong in any healthy service.

    `errors`: single 5xx a second, whatever the traffic, besides those of the flows. `slow`: the share of requests,
    queries and webhooks that take twenty times as long as usual.
    """

    errors: float = 0.0
    slow: float = 0.0


@dataclass(frozen=True)
class Traffic:
    """Traffic at `times` (seconds since the epoch, rising). `pace`: its factor at each time, 1 for the flows' own rate.

    `stages`: what goes wrong; `restarts`: (moment, instance, seconds that it is away), and its counters begin again.
    `born_at_first_event`: a series is there from its first event on, as most clients have it; else from the start.
    """

    times: Floats
    pace: Callable[[Floats], Floats]
    seed: int
    stages: Sequence[Stage] = ()
    restarts: Sequence[tuple[float, int, float]] = ()
    noise: Noise = field(default_factory=Noise)
    born_at_first_event: bool = False
    instances: int = COUNT

    def series(self) -> list[tuple[Selector, Floats]]:
        """Every series, and its value at each of `times`; NaN where it has no sample."""
        chance = np.random.default_rng(self.seed)
        steps = np.minimum(np.diff(self.times, prepend=self.times[0] - _LONGEST_STEP), _LONGEST_STEP)
        pace = self.pace(self.times)
        away = np.array([self._away(instance) for instance in range(self.instances)])
        share = ~away / np.maximum(1, (~away).sum(axis=0))
        found: list[tuple[Selector, Floats]] = []
        for instance in range(self.instances):
            target = {**TARGET, "instance": f"rsolv-platform-{instance}:4000"}
            states = list(self._states(instance))
            seen = ~away[instance] & ~_where(states, "down", len(self.times))
            own = _Exported(states, pace * share[instance], steps, chance, self.noise)
            begins = np.flatnonzero(np.diff(away[instance].astype(np.int8), prepend=0) == -1)
            for name, labels, values in own.series():
                if name not in own.gauges:
                    values = _restarted(values, begins)
                    if self.born_at_first_event:
                        values = np.where(values > 0, values, np.nan)
                for shown, there in _shown(name, states, seen):
                    if there.any():
                        stamped = self._stamped(np.where(there, values, np.nan), instance)
                        found.append((selector_of(shown, labels | target), stamped))
            found.append((selector_of("up", target), seen.astype(np.float64)))
        return found

    def _stamped(self, values: Floats, instance: int) -> Floats:
        """The values as they are stamped: later where the clock is ahead. What is then out of order has no sample."""
        shown = values.copy()
        for stage in self.stages:
            ahead = stage.faults.get(CLOCK_AHEAD)
            if ahead and stage.concerns(instance):
                shown[stage.within(self.times)] = np.nan
                moved = stage.within(self.times - ahead)
                shown[moved] = values[np.searchsorted(self.times, self.times[moved] - ahead, "right") - 1]
        return shown

    def _away(self, instance: int) -> Masks:
        """When the process of an instance is not there."""
        found = np.zeros(len(self.times), np.bool_)
        for stage in self.stages:
            if DEAD in stage.faults and stage.concerns(instance):
                found |= stage.within(self.times)
        for moment, which, seconds in self.restarts:
            if which == instance:
                found |= (self.times >= moment) & (self.times < moment + seconds)
        return found

    def _states(self, instance: int) -> Iterator[tuple[Masks, Mapping[str, float]]]:
        """When which faults this instance has; each time is in one of the states."""
        stages = [stage for stage in self.stages if stage.concerns(instance)]
        if not stages:
            yield np.ones(len(self.times), np.bool_), {}
            return
        active = np.array([stage.within(self.times) for stage in stages]).reshape(len(stages), len(self.times))
        patterns, which = np.unique(active, axis=1, return_inverse=True)
        for number, pattern in enumerate(patterns.T):
            faults: dict[str, float] = {}
            for stage in itertools.compress(stages, pattern):
                faults |= stage.faults
            yield which.reshape(-1) == number, faults


def _where(states: Sequence[tuple[Masks, Mapping[str, float]]], fault: str, length: int) -> Masks:
    found = np.zeros(length, np.bool_)
    for where, faults in states:
        if fault in faults:
            found |= where
    return found


def _shown(name: str, states: Sequence[tuple[Masks, Mapping[str, float]]], seen: Masks) -> Iterator[tuple[str, Masks]]:
    """Under which names the application shows a series, and when."""
    gone = _where(states, "metrics_gone", len(seen))
    metric = next(one for one in metrics.load().metrics.values() if name.startswith(one.name))
    renamed = _where(states, "renamed", len(seen)) & bool(metric.aliases)
    yield name, seen & ~gone & ~renamed
    if renamed.any():
        yield name.replace(metric.name, metric.aliases[0], 1), seen & renamed


def _restarted(values: Floats, begins: NDArray[np.int64]) -> Floats:
    """A counter that begins at 0 again at each of these places."""
    counted = values.copy()
    for place in begins:
        counted[place:] = values[place:] - (values[place - 1] if place else 0.0)
    return counted


class _Exported:
    """The series of one instance, as if it ran and was seen all the time."""

    def __init__(
        self,
        states: Sequence[tuple[Masks, Mapping[str, float]]],
        pace: Floats,
        steps: Floats,
        chance: np.random.Generator,
        noise: Noise,
    ) -> None:
        self.states, self.pace, self.steps, self.chance, self.noise = states, pace, steps, chance, noise
        self.contract, self.merged = metrics.load(), Merged()
        self.gauges = {name for name, metric in self.contract.metrics.items() if metric.type == "gauge"}

    def series(self) -> Iterator[tuple[str, dict[str, str], Floats]]:
        """Name, labels and values of each series; counters begin at 0 and never again."""
        yield from self._counted()
        usual = traffic.levels({}, self.contract)
        for index, level in enumerate(usual):
            values = np.empty(len(self.pace))
            for where, faults in self.states:
                gauge = traffic.levels(faults, self.contract)[index]
                drawn = self.chance.normal(gauge.mean, gauge.spread, int(where.sum()))
                values[where] = np.clip(np.round(drawn), 0, gauge.top)
            yield level.metric, dict(level.labels), values

    def _counted(self) -> Iterator[tuple[str, dict[str, str], Floats]]:
        totals: dict[tuple[str, tuple[tuple[str, str], ...]], Floats] = {}

        def add(name: str, labels: Mapping[str, str], counts: Floats) -> None:
            key = name, self.merged.labels(name, labels)
            totals[key] = totals[key] + counts if key in totals else counts

        for (names, labels), means in self._means().items():
            hits = self.chance.poisson(means).astype(np.float64)
            below = np.cumsum(hits, axis=1)
            for name in names:
                metric = self.contract.metrics.get(name)
                if metric is None:
                    continue
                if metric.type != "histogram":
                    add(name, dict(labels), below[:, -1])
                    continue
                for column, bound in enumerate((*metric.buckets, float("inf"))):
                    le = "+Inf" if bound == float("inf") else str(float(bound))
                    add(f"{name}_bucket", {**dict(labels), "le": le}, below[:, column])
                add(f"{name}_count", dict(labels), below[:, -1])
        for (name, kept), counts in totals.items():
            yield name, dict(kept), np.cumsum(counts)

    def _means(self) -> dict[tuple[tuple[str, ...], tuple[tuple[str, str], ...]], Floats]:
        """The expected number of events: by metrics and the labels that rules read, at each time (rows) and in each
        bucket (columns)."""
        found: dict[tuple[tuple[str, ...], tuple[tuple[str, str], ...]], Floats] = {}
        jobs = np.where(self.pace > 0, _BACKGROUND / COUNT + (1 - _BACKGROUND) * self.pace, 0.0)
        for where, faults in self.states:
            totals: dict[tuple[tuple[str, ...], tuple[tuple[str, str], ...]], Floats] = defaultdict(lambda: np.zeros(1))
            for flow in traffic.flows(faults, self.contract):
                read = {label for name in flow.metrics for shown in _names(name) for label in merged_labels.read(shown)}
                key = flow.metrics, tuple((label, value) for label, value in flow.labels.items() if label in read)
                totals[key] = totals[key] + flow.rate * self._shares(flow)
            for key, rates in totals.items():
                means = found.setdefault(key, np.zeros((len(self.pace), len(rates))))
                moved = jobs if {traffic.QUERY, traffic.QUEUE} & set(key[0]) else self.pace
                means[where] = np.outer((moved * self.steps)[where], rates)
        failing = [key for key in found if dict(key[1]).get("status") == "500"]
        for key in failing:
            alive = (self.pace > 0) * self.steps * self.noise.errors / COUNT / len(failing)
            found[key][:, 1] += alive
        return found

    def _shares(self, flow: Flow) -> Floats:
        """The probability of each bucket, slow ones of the noise included."""
        bounds = next(
            (np.array(m.buckets) for name in flow.metrics if (m := self.contract.metrics.get(name)) and m.buckets),
            np.array([1.0]),
        )
        slow = Flow(flow.metrics, flow.labels, flow.rate, flow.p50 * SLOWER, flow.p95 * SLOWER)
        return (1 - self.noise.slow) * shares(bounds, flow) + self.noise.slow * shares(bounds, slow)


def _names(metric: str) -> Sequence[str]:
    return metric, f"{metric}_bucket", f"{metric}_count"
