"""Past traffic for Prometheus: hours or days of samples, with some incidents, written before it starts.

The flows are those of the simulated application, computed for many moments at once. promtool makes blocks of them, and
then evaluates the recording rules over them, so that long windows have data.
"""

import math
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import yaml
from numpy.typing import NDArray

import metrics
import rules
from ops import build_tools
from ops.clients.http import Http
from ops.clients.prometheus import Prometheus
from ops.countdown import Counted, untold
from ops.sandbox.blocks import Floats, last_line, selector_of, write_series
from ops.sandbox.sandbox_errors import SandboxError
from ops.sandbox.servers import traffic
from ops.targets import SANDBOX
from rules import Group, Recording

DAY = 86400.0
COARSE = 120.0  # seconds between samples of the time before `fine`: two in the five minutes that rules count
LOADED_WITHIN = 180.0  # seconds; two reloads of blocks, and Prometheus before 3.9 has one a minute
_BLOCK_RELOADS = "prometheus_tsdb_reloads_total"  # at the blocks on disk
TARGET = {"job": "rsolv-platform", "instance": "rsolv-platform:4000"}

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Incident:
    """An incident: from `before` seconds ago on, for `lasted` seconds. `scenarios`: name → intensity."""

    before: float
    lasted: float
    scenarios: Mapping[str, float]


def incidents(past: float) -> list[Incident]:
    """The incidents in `past` seconds: none in less than a day, else three that ended hours ago."""
    if past < DAY:
        return []
    return [
        Incident(0.30 * past + 7 * 3600, 25 * 60, {"errors": 0.12}),
        Incident(0.62 * past + 5 * 3600, 40 * 60, {"db_slow": 420.0, "slow": 2600.0, "queue": 380.0}),
        Incident(0.81 * past + 3 * 3600, 45 * 60, {"webhook_slow": 2400.0}),
    ]


class PastTraffic:
    """`seconds` of traffic up to `end` (seconds since the epoch; None: now), in the database at `folder`.

    `step`: seconds between samples; `fine`: how many of the seconds before the end have that step, the time before them
    has one sample in `COARSE` (None: all). `faults`: what goes wrong in it; None for the usual incidents of a past.
    """

    def __init__(
        self,
        folder: Path,
        seconds: float,
        *,
        step: float | None = None,
        fine: float | None = None,
        end: float | None = None,
        faults: Sequence[Incident] | None = None,
        seed: int | None = None,
    ) -> None:
        self.folder, self.seconds = folder, seconds
        self.step = step or (15.0 if seconds <= DAY else 60.0)
        self.end = math.floor(time.time()) - 1.0 if end is None else end
        self.start = self.end - seconds
        self.seed = int(self.end) if seed is None else seed
        self.faults = incidents(seconds) if faults is None else faults
        change = self.start if fine is None else max(self.start, self.end - fine)
        self.times: Floats = np.concatenate(
            [np.arange(self.start, change, COARSE), np.arange(change, self.end, self.step)]
        )

    def traffic(self, written: Counted = untold) -> None:
        """Write the application's series, before Prometheus starts. Raises SandboxError or ToolError."""
        write_series(self.folder, list(self._series()), self.times, written)

    def recordings(self, prometheus_url: str, evaluated: Counted = untold) -> None:
        """Evaluate our recording rules over the past, by Prometheus, and wait until it has the results.

        Raises SandboxError.
        """
        start = self.start + 300  # before, no window of 5 minutes is full
        levels = recording_levels()
        total, before = sum(len(_groups(names)) for names in levels), 0

        def told(done: int, _: int) -> None:
            evaluated(before + done, total)

        with Http(prometheus_url, name="Prometheus") as http:
            for names in levels:
                self.evaluate_recordings(prometheus_url, start, names, told)
                self._wait_loaded(Prometheus(http))
                before += len(_groups(names))

    def evaluate_recordings(
        self, prometheus_url: str, start: float, names: Collection[str], evaluated: Counted = untold
    ) -> None:
        """Evaluate these recording rules from `start` to the end, by Prometheus, into blocks in `folder`.

        Prometheus has to have what they read: see `recording_levels`. They get a value as often as their group is
        evaluated, or as there are samples, if these are fewer. Raises SandboxError.
        """
        groups = _groups(names)
        with TemporaryDirectory(dir=self.folder.parent) as scratch, ThreadPoolExecutor(2) as pool:
            jobs = []
            for text, group in groups:
                file = Path(scratch) / f"{group.name}.yml"
                ours = [part for part in yaml.safe_load(text)["groups"] if part["name"] == group.name]
                for part in ours:
                    part.pop("interval", None)  # promtool prefers it to --eval-interval
                    part["rules"] = [rule for rule in part["rules"] if rule.get("record") in names]
                file.write_text(yaml.safe_dump({"groups": ours}), encoding="utf-8")
                interval = max(self.step, group.interval or 0.0)
                jobs.append(pool.submit(self._evaluate, prometheus_url, file, start, interval))
            for done, job in enumerate(as_completed(jobs), 1):
                job.result()
                evaluated(done, len(jobs))

    def _wait_loaded(self, prometheus: Prometheus) -> None:
        """Wait until Prometheus has loaded every block that is on disk now.

        It looks for new blocks every second, or a minute later after a failed compaction.
        """
        seen = prometheus.metric(_BLOCK_RELOADS) or 0.0
        deadline = time.monotonic() + LOADED_WITHIN
        while (prometheus.metric(_BLOCK_RELOADS) or 0.0) < seen + 2:  # the first one may have begun before
            if time.monotonic() > deadline:
                raise SandboxError(
                    f"Prometheus has not loaded the past in {self.folder} within {LOADED_WITHIN:.0f} s; "
                    f"read its log, {self.folder.parent.parent / 'run' / 'prometheus.log'}"
                )
            time.sleep(0.1)

    def _evaluate(self, prometheus_url: str, file: Path, start: float, interval: float) -> None:
        done = subprocess.run(
            [
                *(build_tools.path("promtool"), "tsdb", "create-blocks-from", "rules", f"--url={prometheus_url}"),
                *(f"--start={start:.0f}", f"--end={self.end:.0f}", f"--eval-interval={interval:.0f}s"),
                *(f"--output-dir={self.folder}", str(file)),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise SandboxError(
                f"promtool could not evaluate the recording rules over the past: {last_line(done.stderr)}"
            )

    def _series(self) -> Iterator[tuple[str, list[str]]]:
        """Every series: its name with labels, and its value at each of `times`, as text, empty where it has none."""
        times = self.times
        seen = np.ones(len(times), np.bool_)
        up, named = seen.copy(), seen.copy()
        for where, scenarios in self._stretches(times):
            up[where] = "down" not in scenarios
            seen[where] = up[where] & ("metrics_gone" not in scenarios)
            named[where] = "renamed" not in scenarios
        renamable = tuple(name for name, metric in metrics.load().metrics.items() if metric.aliases)
        for selector, values in self._exported(times):
            shown = seen & named if selector.startswith(renamable) else seen
            if not shown.all():
                values = [value if there else "" for value, there in zip(values, shown, strict=True)]
            yield selector, values
        yield selector_of("up", TARGET), ["1" if there else "0" for there in up]

    def _exported(self, times: Floats) -> Iterator[tuple[str, list[str]]]:
        """The application's series at each of `times`, whether or not it shows them."""
        chance = np.random.default_rng(self.seed)
        contract = metrics.load()
        pace = np.array([traffic.pace(at) for at in times])
        stretches = self._stretches(times)
        total = len(times)
        apart = np.diff(times, prepend=times[0] - self.step)

        kinds = [traffic.flows(scenarios, contract) for _, scenarios in stretches]
        for index, flow in enumerate(kinds[0]):
            bent = [flows[index] for flows in kinds]
            counts = np.empty(total, np.int64)
            for (where, _), like in zip(stretches, bent, strict=True):
                counts[where] = chance.poisson(like.rate * pace[where] * apart[where])
            for name in flow.metrics:
                metric = contract.metrics.get(name)
                if metric is None:
                    continue
                labels = {key: flow.labels.get(key, "") for key in metric.labels} | TARGET
                if metric.type != "histogram":
                    yield selector_of(name, labels), _texts(np.cumsum(counts))
                    continue
                bounds = np.array(metric.buckets)
                hits = np.zeros((total, len(bounds) + 1), np.int64)
                took = np.zeros(total)
                for (where, _), like in zip(stretches, bent, strict=True):
                    expected = shares(bounds, like)
                    hits[where] = chance.multinomial(counts[where], expected)
                    took[where] = counts[where] * like.p50 * math.exp(like.sigma**2 / 2)
                below = np.cumsum(np.cumsum(hits, axis=1), axis=0)
                for column, bound in enumerate([*(float(bound) for bound in bounds), math.inf]):
                    le = "+Inf" if bound == math.inf else str(bound)
                    yield selector_of(f"{name}_bucket", labels | {"le": le}), _texts(below[:, column])
                yield selector_of(f"{name}_count", labels), _texts(below[:, -1])
                yield selector_of(f"{name}_sum", labels), [f"{value:.1f}" for value in np.cumsum(took)]

        for index, level in enumerate(traffic.levels({}, contract)):
            values = np.empty(total)
            for where, scenarios in stretches:
                gauge = traffic.levels(scenarios, contract)[index]
                drawn = chance.normal(gauge.mean, gauge.spread, int(where.sum()))
                values[where] = np.clip(np.round(drawn), 0, gauge.top)
            labels = {key: level.labels.get(key, "") for key in contract.metrics[level.metric].labels} | TARGET
            yield selector_of(level.metric, labels), [f"{value:g}" for value in values]

    def _stretches(self, times: Floats) -> list[tuple[NDArray[np.bool_], Mapping[str, float]]]:
        """The usual, then each incident: when, and what was wrong."""
        found: list[tuple[NDArray[np.bool_], Mapping[str, float]]] = []
        usual = np.ones(len(times), np.bool_)
        for incident in self.faults:
            ago = self.end - times
            where = (ago <= incident.before) & (ago > incident.before - incident.lasted)
            usual = usual & ~where
            found.append((where, incident.scenarios))
        return [(usual, {}), *found]


def recording_levels() -> list[set[str]]:
    """The names of our recordings in the order in which they can be evaluated: each set reads those before it only."""
    waiting = {name: one for name, one in rules.recordings(stack=SANDBOX).items() if one.is_house}
    found: list[set[str]] = []
    while waiting:
        ready = {
            name
            for name, one in waiting.items()
            if not any(read.name in waiting for read in metrics.selectors(one.expr))
        }
        if not ready:
            raise SandboxError(f"the recordings {', '.join(sorted(waiting))} read one another; correct their rules")
        found.append(ready)
        waiting = {name: one for name, one in waiting.items() if name not in ready}
    return found


def _groups(names: Collection[str]) -> list[tuple[str, Group]]:
    """The groups that record one of `names`, each with the text of its file."""
    return [
        (file.text, group)
        for file in rules.load(stack=SANDBOX)
        for group in file.groups
        if group.interval and any(rule.name in names for rule in group.rules if isinstance(rule, Recording))
    ]


def shares(bounds: Floats, flow: traffic.Flow) -> Floats:
    """The probability of each bucket; the last one has no upper bound."""
    deviations = (np.log(bounds) - math.log(flow.p50)) / (flow.sigma * math.sqrt(2))
    below = np.array([0.5 * (1 + math.erf(deviation)) for deviation in deviations])
    return np.diff(below, prepend=0.0, append=1.0)


def _texts(values: Integers) -> list[str]:
    return [str(value) for value in values.tolist()]
