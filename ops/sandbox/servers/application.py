"""The simulated application: exports every metric of the contract, with traffic that can be made faulty.

Runs as a process of its own: `python -m ops.sandbox.servers.application --port N`.

    GET  /metrics, /health     as the application's
    GET  /control              {"scenarios": {name: intensity}, "known": {name: what it is}}
    POST /control              {"scenario": "errors", "intensity": 0.4}, or {"scenarios": {"slow": 9000, "errors": 0.1}}
                               or {"scenario": "normal"}. "already": seconds of it that are added at once; "pace": the
                               factor of traffic from now on, instead of that of the time of day
"""

import argparse
import math
import random
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric

import metrics
from formats.json_types import JsonValue
from ops.sandbox.servers import traffic
from ops.sandbox.servers.loopback_http import Answer, BadRequest, as_json, serve

TICK = 0.5  # seconds by its clock
MOST_TICKS = 10.0  # times as many in a second, however fast its clock runs
LONGEST_JUMP = 6 * 3600.0  # seconds of traffic that can be added at once, which takes about 2 s

FASTEST_PACE = 100.0  # times the usual traffic

_Exported = Counter | Gauge | Histogram


@dataclass(frozen=True)
class Altered:
    """A registry whose metrics have other `names`, and samples that say when they were taken (None: they do not)."""

    registry: CollectorRegistry
    names: Mapping[str, str]
    stamp: float | None  # seconds since the epoch

    def collect(self) -> Iterator[Metric]:
        """The metrics as they are shown."""
        for metric in self.registry.collect():
            name = self.names.get(metric.name, metric.name)
            shown = Metric(name, metric.documentation, metric.type)
            shown.samples = [
                sample._replace(name=name + sample.name.removeprefix(metric.name), timestamp=self.stamp)
                for sample in metric.samples
            ]
            yield shown


class Application:
    """The contract's metrics, and the traffic that moves them.

    `share`: of all traffic, as there may be other instances. `speed`: how many times as fast its clock runs.
    """

    def __init__(
        self, contract: metrics.Contract, seed: int | None = None, *, share: float = 1.0, speed: float = 1.0
    ) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.scenarios: dict[str, float] = {}
        self.pace: float | None = None  # of traffic; None: that of the time of day
        self._share, self._speed = share, speed
        self._contract = contract
        self._random = random.Random(seed)  # noqa: S311 - traffic, no secret
        self._lock = threading.Lock()
        self._metrics = {metric.name: self._export(metric) for metric in contract.metrics.values()}
        self._labels = {metric.name: tuple(metric.labels) for metric in contract.metrics.values()}
        self.advance(0.0)  # every series begins at 0, so that rate() counts its first event

    def advance(self, seconds: float, at: float | None = None) -> None:
        """Add `seconds` of traffic, at the pace of the moment `at` (seconds since the epoch; None: now)."""
        pace = (traffic.pace(time.time() if at is None else at) if self.pace is None else self.pace) * self._share
        with self._lock:
            for flow in traffic.flows(self.scenarios, self._contract):
                self._record(flow, self._poisson(flow.rate * pace * seconds))
            for level in traffic.levels(self.scenarios, self._contract):
                value = min(level.top, max(0.0, round(self._random.gauss(level.mean, level.spread))))
                gauge = self._child(level.metric, level.labels)
                assert isinstance(gauge, Gauge)
                gauge.set(value if level.spread else level.mean)

    def set_scenarios(self, scenarios: Mapping[str, float], already: float = 0.0) -> None:
        """Change the traffic by `scenarios` (name → intensity) from now on, after adding `already` seconds of it."""
        self.scenarios = dict(scenarios)
        self.advance(already)

    def scrape(self, accept: str) -> Answer:
        """The metrics, in the format that the client accepts; 503 while it is down."""
        if "down" in self.scenarios:
            return 503, "text/plain", b"down\n"
        encode, kind = choose_encoder(accept)
        registry: CollectorRegistry | Altered = self.registry
        if "metrics_gone" in self.scenarios:
            registry = CollectorRegistry()
        elif self.scenarios.keys() & {"renamed", "clock_ahead"}:
            names = {name: metric.aliases[0] for name, metric in self._contract.metrics.items() if metric.aliases}
            ahead = self.scenarios.get("clock_ahead")
            stamp = None if ahead is None else time.time() + ahead / self._speed
            registry = Altered(self.registry, names if "renamed" in self.scenarios else {}, stamp)
        with self._lock:
            return 200, kind, encode(registry)

    def health(self) -> Answer:
        """200 where it is up, 503 where it is down."""
        return (503, "text/plain", b"down\n") if "down" in self.scenarios else (200, "text/plain", b"ok\n")

    def _export(self, metric: metrics.Metric) -> _Exported:
        about, labels = metric.help or metric.name, tuple(metric.labels)
        if metric.type == "histogram":
            return Histogram(metric.name, about, labels, buckets=metric.buckets, registry=self.registry)
        kind = Counter if metric.type == "counter" else Gauge
        return kind(metric.name, about, labels, registry=self.registry)

    def _child(self, metric: str, labels: traffic.Labels) -> _Exported:
        """The exported series; labels that are not in the contract are left out, missing ones are empty."""
        names = self._labels[metric]
        return (
            self._metrics[metric].labels(*(labels.get(name, "") for name in names)) if names else self._metrics[metric]
        )

    def _record(self, flow: traffic.Flow, times: int) -> None:
        children = [self._child(name, flow.labels) for name in flow.metrics if name in self._metrics]
        timed = [child for child in children if isinstance(child, Histogram)]
        location, scale = math.log(flow.p50), flow.sigma
        for _ in range(times if timed else 0):
            took = self._random.lognormvariate(location, scale)
            for child in timed:
                child.observe(took)
        for counter in children:
            if not isinstance(counter, Histogram):
                counter.inc(times)

    def _poisson(self, mean: float) -> int:
        """A random number of events with that mean, by the Poisson distribution."""
        if mean > 50:
            return max(0, round(self._random.gauss(mean, math.sqrt(mean))))
        floor, product, count = math.exp(-mean), self._random.random(), 0
        while product > floor:
            product *= self._random.random()
            count += 1
        return count


def control(application: Application, wanted: JsonValue) -> Answer:
    """Set scenarios, and answer with those that are set; `wanted` None: only answer. Raises BadRequest."""
    if wanted is not None:
        if not isinstance(wanted, dict):
            raise BadRequest('give an object such as {"scenario": "errors", "intensity": 0.4}')
        unknown = set(wanted) - {"scenario", "intensity", "scenarios", "already", "pace"}
        if unknown:
            raise BadRequest(
                f"unknown: {', '.join(sorted(unknown))}; known are scenario, intensity, scenarios, already, pace"
            )
        if "pace" in wanted:
            application.pace = _number(wanted["pace"], "pace", FASTEST_PACE)
        chosen = wanted.get("scenarios", {wanted.get("scenario", "normal"): wanted.get("intensity")})
        if not isinstance(chosen, dict):
            raise BadRequest('give scenarios as an object, such as {"errors": 0.1, "slow": 9000}')
        scenarios = {name: _intensity(name, value) for name, value in chosen.items() if name != "normal"}
        application.set_scenarios(scenarios, _number(wanted.get("already", 0.0), "already", LONGEST_JUMP))
    known = {
        name: f"{s.what} ({s.unit}, usually {s.usual:g})" if s.unit else s.what for name, s in traffic.SCENARIOS.items()
    }
    return as_json({"scenarios": application.scenarios, "known": {"normal": "normal traffic", **known}})


def _intensity(name: str, value: JsonValue) -> float:
    scenario = traffic.SCENARIOS.get(name)
    if scenario is None:
        raise BadRequest(f"there is no scenario {name!r}; known are normal, {', '.join(traffic.SCENARIOS)}")
    return scenario.usual if value is None else _number(value, f"the intensity of {name}", scenario.most)


def _number(value: JsonValue, what: str, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
        raise BadRequest(f"{what} is {value!r}; give a number from 0 to {most:g}")
    return float(value)


def main() -> None:
    """Serve until the process ends."""
    options = argparse.ArgumentParser(prog="python -m ops.sandbox.servers.application", description=__doc__)
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--share", type=float, default=1.0, help="of the traffic, as there are other instances")
    options.add_argument("--speed", type=float, default=1.0, help="how many times as fast its clock runs")
    given = options.parse_args()
    application = Application(metrics.load(), share=given.share, speed=given.speed)

    def live() -> None:
        before = time.monotonic()
        while True:
            time.sleep(TICK / max(1.0, min(given.speed, MOST_TICKS)))
            now = time.monotonic()
            application.advance((now - before) * given.speed)
            before = now

    threading.Thread(target=live, daemon=True).start()
    serve(
        given.port,
        {
            ("GET", "/metrics"): lambda _, accept: application.scrape(accept),
            ("GET", "/health"): lambda _, accept: application.health(),
            ("GET", "/control"): lambda _, accept: control(application, None),
            ("POST", "/control"): lambda wanted, accept: control(application, {} if wanted is None else wanted),
        },
    )


if __name__ == "__main__":
    main()
