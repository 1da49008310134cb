"""Which labels of a metric our rules tell apart, and which of their values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import promql_parser as promql

import rules
from formats.promql import parse
from rules import Alert, Recording


@dataclass(frozen=True)
class _Read:
    """One use of a metric: its matchers (label, the parser's operator, value), and what the rule groups by."""

    matchers: tuple[tuple[str, str, str], ...]
    grouped: frozenset[str]


class Merged:
    """Series that no rule tells apart, as one."""

    def __init__(self) -> None:
        self._shown: dict[tuple[str, str, tuple[bool, ...]], str] = {}  # the first value stands for those like it

    def labels(self, name: str, labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """The labels of a series as far as rules tell them apart, sorted: those for which this is the same are one."""
        return tuple(sorted((label, self._value(name, label, labels[label])) for label in read(name) & labels.keys()))

    def _value(self, name: str, label: str, value: str) -> str:
        fulfilled = []
        for use in _uses(name):
            holds = all(_holds(operator, wanted, value) for own, operator, wanted in use.matchers if own == label)
            if holds and label in use.grouped:
                return value
            fulfilled.append(holds)
        return self._shown.setdefault((name, label, tuple(fulfilled)), value)


@cache
def read(name: str) -> frozenset[str]:
    """The labels of a metric that our rules read: in matchers, and in what they group by."""
    uses = _uses(name)
    found = {label for use in uses for label, _, _ in use.matchers} | set[str]().union(*(use.grouped for use in uses))
    return frozenset(found if name.endswith("_bucket") else found - {"le"})


def _holds(operator: str, wanted: str, value: str) -> bool:
    found = re.fullmatch(wanted, value) is not None if operator.endswith("Re") else wanted == value
    return found != operator.startswith("MatchOp.Not")


@cache
def _uses(name: str) -> tuple[_Read, ...]:
    found = []
    every: list[Alert | Recording] = [*rules.alerts().values(), *rules.recordings().values()]
    for rule in every:
        nodes: list[promql.Expr] = []
        promql.walk(parse(rule.expr), nodes.append)
        grouped = {
            label
            for node in nodes
            if isinstance(node, promql.AggregateExpr) and node.modifier is not None
            for label in node.modifier.labels
        }
        for node in nodes:
            if isinstance(node, promql.VectorSelector) and node.name == name:
                matchers = tuple((one.name, str(one.op), one.value) for one in node.matchers.matchers)
                found.append(_Read(matchers, frozenset(grouped)))
    return tuple(found)
