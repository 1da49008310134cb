"""
The metric contract: what the application exports, and whether rules and panels ask for nothing else.

`contract.yml` in this folder is its only statement, this package its only reader.
"""

import itertools
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from formats import yaml_nodes
from formats.places import FormatError, Place, read_text, shown
from formats.yaml_nodes import Node
from metrics import _expressions
from metrics._expressions import Selector
from metrics._rules_asked import Alert, Placed, PlacedAlert, Recorded

__all__ = ["FILE", "Contract", "ContractError", "Metric", "Selector", "load", "selectors"]

FILE = Path(__file__).parent / "contract.yml"

TYPES = ("histogram", "counter", "gauge")
# What Prometheus adds to every series of a target, whatever the application exports.
TARGET_LABELS = {"job", "instance", "namespace", "pod", "service", "node", "cluster", "container", "endpoint"}
# What Prometheus itself records of targets and alerts.
_OWN = re.compile(r"up|scrape_[a-z_]+|ALERTS|ALERTS_FOR_STATE|prometheus_\w+|alertmanager_\w+")
_COUNTING = {"rate", "increase", "irate"}
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_KEYS = {"type", "help", "unit", "labels", "buckets", "source", "aliases"}
_QUANTILE = re.compile(r"\s*histogram_quantile\s*\(")


class ContractError(FormatError):
    """The contract cannot be used, or a rule asks for what it does not have."""


@dataclass(frozen=True)
class Metric:
    """
    A metric as the application exports it, without `_bucket`, `_count` and `_sum`.

    `labels`: name → example values. `buckets`: finite upper bounds in `unit`, ascending (histograms only).
    """

    name: str
    type: str
    labels: Mapping[str, tuple[str, ...]]
    unit: str
    buckets: tuple[float, ...]
    source: str
    aliases: tuple[str, ...]
    help: str


@dataclass(frozen=True)
class Contract:
    """Every metric by its name. `native`: the histograms that Prometheus has as native ones.

    `recorded`: what rules record, name → expression: of a recording, the metric is what that reads.
    """

    metrics: Mapping[str, Metric]
    native: frozenset[str] = frozenset()
    recorded: Mapping[str, str] = field(default_factory=dict)

    def of_form(self, histograms: str) -> "Contract":
        """The contract where Prometheus has all histograms as `native` or `classic` ones: a stack's setting."""
        names = {metric.name for metric in self.metrics.values() if metric.type == "histogram"}
        return replace(self, native=frozenset(names if histograms == "native" else ()))

    def reading(self, recordings: Mapping[str, Recorded]) -> "Contract":
        """The contract that sees through these recordings, by name, to the metrics that they read."""
        return replace(self, recorded={name: one.expr for name, one in recordings.items()})

    @property
    def series(self) -> dict[str, Metric]:
        """Every name that can be queried → its metric: of classic histograms `_bucket`, `_count` and `_sum`."""
        every = self.metrics.values()
        return {name: one for one in every for name in ((one.name,) if one.name in self.native else _series(one))}

    def is_buckets(self, series: str) -> bool:
        """Whether a series has a histogram's buckets, of which a quantile can be taken."""
        return series.endswith("_bucket") or series in self.native

    def raw(self, expr: str) -> list[str]:
        """The names of the series that `expr` reads, in order, each once; of a recording, of what it reads.

        Raises ContractError if `expr` is not PromQL.
        """
        found: dict[str, None] = {}
        seen: set[str] = set()

        def visit(expr: str) -> None:
            for selector in selectors(expr):
                if selector.name not in self.recorded:
                    found[selector.name] = None
                elif selector.name not in seen:
                    seen.add(selector.name)
                    visit(self.recorded[selector.name])

        visit(expr)
        return list(found)

    def problems(self, expr: str, recordings: Collection[str] = ()) -> list[str]:
        """What `expr` asks for that the contract does not have; sentences, none if all is well.

        `recordings`: names that rules record themselves. Raises ContractError if `expr` is not PromQL.
        """
        return [
            problem
            for selector in selectors(expr)
            if selector.name not in recordings and not _OWN.fullmatch(selector.name)
            for problem in self._lacks(selector)
        ]

    def _lacks(self, selector: Selector) -> Iterable[str]:
        metric = self.series.get(selector.name)
        if metric is None:
            yield f"{selector.name or 'a selector without a name'} is not in the contract{self._hint(selector.name)}"
            return
        known = {*metric.labels, *TARGET_LABELS, *(["le"] if selector.name.endswith("_bucket") else [])}
        for label in dict.fromkeys((*selector.matchers, *selector.grouping)):
            if label not in known:
                yield f"{selector.name} has no label {label} (it has {', '.join(sorted(metric.labels)) or 'none'})"
        counting = _COUNTING & {*selector.functions}
        if counting and metric.type == "gauge":
            yield f"{selector.name} is a gauge, and {min(counting)}() is for counters"
        if not counting and self.is_buckets(selector.name) and "histogram_quantile" in selector.functions:
            yield f"{selector.name} counts since the start of the application: take its rate() before a quantile"

    def _hint(self, name: str) -> str:
        for metric in self.metrics.values():
            if metric.name in self.native and name in _series(metric):
                return f": it is a native histogram, so ask for {metric.name}"
            if name == metric.name and metric.type == "histogram":
                return f": it is a histogram, so ask for {name}_bucket, _count or _sum"
            for alias in metric.aliases:
                if name == alias or name in _suffixed(alias):
                    return f", which calls it {metric.name}{name.removeprefix(alias)}"
        return ": add it there, or use a metric that is"

    def limit_problems(self, alerts: Iterable[Alert]) -> list[str]:
        """Alerts on a quantile that can never fire, or always would: limits outside the histogram's finite buckets."""
        found = []
        for alert, metric in self._quantiles(alerts):
            last, limit = metric.buckets[-1], alert.limit
            if limit.operator in (">", ">=") and limit.value >= last:
                found.append(
                    f"{alert.name} can never fire: a quantile of {metric.name} reads {last:g} {metric.unit} at most "
                    f"(its last finite bucket), and the limit is {limit.value:g}; lower it, or have buckets added"
                )
        return found

    def limit_warnings(self, alerts: Iterable[Alert]) -> list[str]:
        """Limits between two bucket bounds: the quantile is interpolated there, and only as exact as they are close."""
        found = []
        for alert, metric in self._quantiles(alerts):
            value = alert.limit.value
            if value < metric.buckets[-1] and value not in metric.buckets:
                low = max((bound for bound in metric.buckets if bound < value), default=0.0)
                high = min(bound for bound in metric.buckets if bound > value)
                found.append(
                    f"{alert.name}: its limit {value:g} is no bucket of {metric.name}, it is interpolated between "
                    f"{low:g} and {high:g} {metric.unit}"
                )
        return found

    def hold(self, alerts: Iterable[PlacedAlert], recordings: Mapping[str, Placed]) -> None:
        """Raise ContractError for the first rule of ours that asks for what is not exported, or can never fire.

        `recordings`: by the name that they record. Rules of others may read anything.
        """
        alerts = [alert for alert in alerts if alert.is_house]
        for rule in (*(one for one in recordings.values() if one.is_house), *alerts):
            recorded = [f"histogram_quantile(0.5, {one.expr})" for one in _of_quantiles(rule.expr, recordings)]
            for problem in (one for expr in (rule.expr, *recorded) for one in self.problems(expr, recordings)):
                raise ContractError(f"{rule.name} cannot work: {problem}", Place(shown(rule.file), rule.line))
        for alert in alerts:
            for problem in self.reading(recordings).limit_problems([alert]):
                raise ContractError(problem, Place(shown(alert.file), alert.limit_line))

    def _quantiles(self, alerts: Iterable[Alert]) -> Iterable[tuple[Alert, Metric]]:
        """The alerts whose value is a histogram's quantile, each with its histogram."""
        for alert in alerts:
            if _QUANTILE.match(alert.quantity):
                for name in self.raw(alert.quantity)[:1]:
                    metric = self.series.get(name)
                    if metric is not None and metric.buckets:
                        yield alert, metric


def _of_quantiles(expr: str, recordings: Mapping[str, Placed]) -> list[Placed]:
    """The recordings of which `expr` takes a quantile."""
    return [
        recordings[selector.name]
        for selector in selectors(expr)
        if selector.name in recordings and "histogram_quantile" in selector.functions
    ]


def selectors(expr: str) -> list[Selector]:
    """Every series that `expr` reads, in order. Raises ContractError if it is not PromQL."""
    try:
        return _expressions.find(expr)
    except ValueError as error:
        raise ContractError(f"the expression {expr!r} is not PromQL: {' '.join(str(error).split())}") from None


def load(path: Path = FILE) -> Contract:
    """The contract from its file. Raises ContractError."""
    root = yaml_nodes.read(read_text(path, ContractError), shown(path), ContractError, plain=True)
    if root is None:
        raise ContractError("is empty: the contract has to stand in it", Place(shown(path), 1))
    found: dict[str, Metric] = {}
    taken: dict[str, str] = {}
    for name, entry in root.fields(("metrics",), ("metrics",))["metrics"].fields().items():
        entry.what = name
        found[name] = _metric(name, entry)
        for series in _series(found[name]):
            if series in taken:
                entry.refuse(f"has the series {series}, as has {taken[series]}: rename one")
            taken[series] = name
    return Contract(found)


def _metric(name: str, entry: Node) -> Metric:
    if not _NAME.fullmatch(name):
        entry.refuse("is no metric name: use letters, digits, _ and :")
    fields = entry.fields(_KEYS, ("type", "help", "unit", "source"))
    texts = {key: fields[key].text() for key in ("type", "help", "unit", "source")}
    if texts["type"] not in TYPES:
        entry.refuse(f"has the type {texts['type']}: use {', '.join(TYPES)}")
    labels = fields["labels"].fields() if "labels" in fields else {}
    aliases = _texts(fields["aliases"]) if "aliases" in fields else ()
    if not all(_NAME.fullmatch(alias) for alias in aliases):
        fields["aliases"].refuse("must be a list of metric names")
    if (texts["type"] == "histogram") != ("buckets" in fields):
        entry.refuse("needs `buckets` if it is a histogram, and only then")
    return Metric(
        name=name,
        labels={key: _texts(values) for key, values in labels.items()},
        buckets=_buckets(fields["buckets"]) if "buckets" in fields else (),
        aliases=aliases,
        **texts,
    )


def _texts(values: Node) -> tuple[str, ...]:
    return tuple(value.text() for value in values.items())


def _buckets(values: Node) -> tuple[float, ...]:
    buckets = tuple(value.number() for value in values.items(needed=True))
    if any(low >= high for low, high in itertools.pairwise(buckets)):
        values.refuse("must be in ascending order, each once")
    return buckets


def _series(metric: Metric) -> tuple[str, ...]:
    return _suffixed(metric.name) if metric.type == "histogram" else (metric.name,)


def _suffixed(name: str) -> tuple[str, ...]:
    return (f"{name}_bucket", f"{name}_count", f"{name}_sum")
