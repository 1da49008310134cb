"""What Prometheus has of an application with many endpoints: a day, and the same day a week ago, in blocks.

Each of ten instances has a request histogram for each endpoint, and for every tenth endpoint a second one of requests
that failed; queries, pool and webhooks are as many as the contract's labels say. A sample each 15 s.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import metrics
from metrics import Metric
from tests.bench.block_files import Labels, Shape, write_block

INSTANCES = 10
STEP = 15  # seconds between two samples
DAY = 86400
WEEK_AGO = 7 * DAY - 3600  # seconds: alerts also look at the hour after this time a week ago
_BEFORE = 2 * 3600  # seconds before the day, for windows that begin in it
_REQUESTS = "phoenix_http_request_duration_milliseconds"
_FAILING = 10  # every tenth endpoint also fails
_EVENTS = 7  # in a step of an instance's endpoint, on average
_SELDOM = 10  # a failure comes in every tenth step, so that short and long windows have the same share of them
_VARIANTS = 4  # courses of events, which series share
_FASTER = 0.3  # of what is slower than a bucket's bound, so much is slower than the next bound


def write(database: Path, endpoints: int, end: int) -> int:
    """Write the blocks up to `end` (seconds since the epoch); returns how many series there are."""
    times = moments(end)
    made = _Series(len(times))
    for name, metric in metrics.load().metrics.items():
        for labels, failed in _label_sets(metric, endpoints if name == _REQUESTS else 0):
            made.add(metric, labels, failed)
    made.add_up()
    for shift in (0, WEEK_AGO):
        write_block(database, made.series, made.shapes, times - shift * 1000)
    return len(made.series)


def moments(end: int) -> NDArray[np.int64]:
    """When there are samples, in ms since the epoch: up to `end`, which is one of them."""
    return np.arange(end - DAY - _BEFORE, end + 1, STEP, dtype=np.int64) * 1000


def _label_sets(metric: Metric, endpoints: int) -> Iterator[tuple[Labels, bool]]:
    """The labels that the application gives, and whether what is counted has failed; all endpoints, or all examples."""
    if not endpoints:
        for values in itertools.product(*metric.labels.values()):
            labels = dict(zip(metric.labels, values, strict=True))
            yield labels, labels.get("status") == "failed"
        return
    known = metric.labels["path"]
    for number in range(endpoints):
        labels = {
            "path": known[number] if number < len(known) else f"/api/v1/resources-{number:04d}",
            "controller": f"RSOLVWeb.Resource{number:04d}Controller",
            "action": metric.labels["action"][number % len(metric.labels["action"])],
            "method": metric.labels["method"][number % len(metric.labels["method"])],
        }
        yield {**labels, "status": "200"}, False
        if number % _FAILING == 0:
            yield {**labels, "status": "500"}, True


class _Series:
    """Collects series and the shapes of their values."""

    def __init__(self, count: int) -> None:
        self.series: list[tuple[Labels, int]] = []
        self.shapes: list[Shape] = []
        self._numbers: dict[tuple[object, ...], int] = {}
        self._variant = itertools.cycle(range(_VARIANTS))
        chance = np.random.default_rng(1)
        usual = chance.poisson(_EVENTS, (_VARIANTS, count)).cumsum(axis=1)
        failures = ((np.arange(count) + np.arange(_VARIANTS)[:, None]) % _SELDOM == 0).cumsum(axis=1)
        self._events = {False: usual.astype(np.float64), True: failures.astype(np.float64)}
        self._gauge = chance.integers(1, 5, (_VARIANTS, count)).astype(np.float64)

    def add(self, metric: Metric, labels: Labels, failed: bool) -> None:
        """The series of a metric with these labels, of each instance."""
        for instance in range(INSTANCES):
            own = {**labels, **_target(instance)}
            variant = next(self._variant)
            if metric.type == "gauge":
                size = metric.name.endswith("_size")
                self._one(metric.name, own, ("gauge", size, variant), self._gauge[variant] * 0 + 10 if size else None)
                continue
            events = self._events[failed][variant]
            if metric.type == "counter":
                self._one(metric.name, own, (failed, variant, "count"), events)
                continue
            bounds = [*(f"{bound:g}" for bound in metric.buckets), "+Inf"]
            for number, bound in enumerate(bounds):
                last = number >= len(bounds) - 2
                values = events if last else np.floor(events * (1 - _FASTER ** (number + 1)))
                shape = (failed, variant, "count" if last else number)
                self._one(f"{metric.name}_bucket", {**own, "le": bound}, shape, values)
            self._one(f"{metric.name}_count", own, (failed, variant, "count"), events)
            self._one(f"{metric.name}_sum", own, (failed, variant, "sum"), events * 37.5)

    def add_up(self) -> None:
        """That each instance was scraped."""
        for instance in range(INSTANCES):
            self._one("up", _target(instance), ("up",), self._gauge[0] * 0 + 1)

    def _one(self, name: str, labels: Labels, shape: tuple[object, ...], values: Shape | None) -> None:
        if shape not in self._numbers:
            self._numbers[shape] = len(self.shapes)
            self.shapes.append(self._gauge[int(str(shape[-1]))] if values is None else values)
        self.series.append(({**labels, "__name__": name}, self._numbers[shape]))


def _target(instance: int) -> Labels:
    return {"job": "rsolv-platform", "instance": f"10.0.0.{instance + 1}:4000"}
