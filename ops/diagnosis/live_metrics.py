"""Which metrics Prometheus scrapes now, and which matchers of a query match nothing."""

import math
import re
from collections.abc import Collection
from itertools import combinations

from metrics import Contract, Selector, selectors
from ops.checks.metric_presence import did_you_mean
from ops.clients.prometheus import Prometheus
from ops.targets import Target
from ops.window import duration
from ops.words import brief

SHOWN = 5  # values of a label that are shown
SCRAPES = 3  # scrapes in one of which a metric has to be
LEAST, DEFAULT = 3.0, 60.0  # seconds


def names(target: Target, wanted: Collection[str]) -> set[str]:
    """Those of `wanted` with a sample now: scraped within a few intervals, or recorded and not stale."""
    own = {name for name in wanted if ":" not in name}
    every = own and _fresh(target, "__name__=~" + _quoted("|".join(re.escape(name) for name in sorted(own))))
    recorded = "|".join(re.escape(name) for name in sorted(set(wanted) - own))
    asked = f"group by (__name__) ({{__name__=~{_quoted(recorded)}}})"
    found = target.prometheus.query(asked) if recorded else []
    return {*every, *(sample.labels["__name__"] for sample in found)}


def _fresh(target: Target, matchers: str) -> set[str]:
    """The names in the last scrapes, among the series that match.

    A series that a new configuration drops is not marked stale: an instant query alone would find it for minutes.
    """
    intervals = [duration(one.interval, option="scrapeInterval") for one in target.prometheus.targets() if one.interval]
    reach = max(SCRAPES * max(intervals, default=DEFAULT), LEAST)
    found = target.prometheus.query(
        f"group by (__name__) ({{{matchers}}}) and on (__name__) "
        f"group by (__name__) (last_over_time({{{matchers}}}[{math.ceil(reach)}s]))"
    )
    return {sample.labels["__name__"] for sample in found}


def missing(target: Target, contract: Contract, name: str) -> str:
    """Why a metric is missing: it has another name, or its target is down."""
    job = target.settings.scrape_job
    scraped = [one for one in target.prometheus.targets() if one.job == job and one.health == "up"]
    if not scraped:
        return f"{job} is not scraped, so that Prometheus has none of its metrics"
    metric = contract.series.get(name)
    if metric is None:
        return "it is not in metrics/contract.yml; add it there, or use a metric that is"
    there = _fresh(target, f'__name__!="",job={_quoted(job)}')
    return did_you_mean(metric, there, native=metric.name in contract.native)


def emptying_matchers(prometheus: Prometheus, query: str, at: float | None = None) -> str | None:
    """Which matchers of `query` match nothing of a metric that is there, and which values exist; None for none.

    `at`: the moment that is looked at, in seconds since the epoch; now if left out.
    """
    for selector in selectors(query):
        if not selector.matchers or not _any(prometheus, selector.name, {}, at):
            continue
        if _any(prometheus, selector.name, dict(selector.matchers), at):
            continue
        labels = list(selector.matchers)
        for count in range(1, len(labels) + 1):
            for dropped in combinations(labels, count):
                rest = {key: value for key, value in selector.matchers.items() if key not in dropped}
                if _any(prometheus, selector.name, rest, at):
                    return _explanation(prometheus, selector, dropped, rest, at)
    return None


def _explanation(
    prometheus: Prometheus,
    selector: Selector,
    dropped: Collection[str],
    rest: dict[str, tuple[str, str]],
    at: float | None,
) -> str:
    matchers = " and ".join(_matcher(key, *selector.matchers[key]) for key in dropped)
    first = next(iter(dropped))
    found = prometheus.query(f"group by ({first}) ({_selector(selector.name, rest)})", at)
    values = sorted(sample.labels.get(first, "") for sample in found)
    there = f"{first} is {brief([repr(value) for value in values if value], SHOWN)}" if any(values) else ""
    return f"{selector.name} is there, but {matchers} matches none of its series: {there or f'it has no label {first}'}"


def _any(prometheus: Prometheus, name: str, matchers: dict[str, tuple[str, str]], at: float | None) -> bool:
    return bool(prometheus.query(f"group({_selector(name, matchers)})", at))


def _selector(name: str, matchers: dict[str, tuple[str, str]]) -> str:
    return f"{name}{{{','.join(_matcher(key, *value) for key, value in matchers.items())}}}"


def _matcher(label: str, operator: str, value: str) -> str:
    return f"{label}{operator}{_quoted(value)}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
