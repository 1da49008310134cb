"""What a rule file holds, as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rules import _promql
from rules._promql import Limit


@dataclass(frozen=True)
class Recording:
    """A recording rule. `interval` in seconds; `line` counts from 1."""

    name: str
    group: str
    interval: float
    file: Path
    line: int
    expr: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Alert:
    """
    An alerting rule: `expr` is `signal`, then a last line that is only `limit`, at `limit_line` of the file (from 1).

    `interval`, `for_` and `keep_firing_for` in seconds. `labels` include those of the group. `keys`: those that are
    written in the file.
    """

    name: str
    group: str
    interval: float
    file: Path
    line: int
    expr: str
    signal: str
    limit: Limit
    limit_line: int
    for_: float
    keep_firing_for: float
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    keys: frozenset[str] = frozenset()

    @property
    def component(self) -> str:
        """The label `component`: api, database, webhook, or watchdog."""
        return self.labels["component"]

    @property
    def severity(self) -> str:
        """The label `severity`: warning, critical, or none."""
        return self.labels["severity"]

    @property
    def is_watchdog(self) -> bool:
        """Whether it always fires, to show that alerts arrive; it tells nobody of trouble, hence its severity."""
        return self.severity == "none"

    @property
    def label_set(self) -> dict[str, str]:
        """Its labels and its name, as Prometheus sends them; those that the expression brings are not among them."""
        return {**self.labels, "alertname": self.name}

    @property
    def quantity(self) -> str:
        """What is measured: the signal without its guards, normalised. Panels and alerts are joined on it."""
        return _promql.quantity(self.signal)


@dataclass(frozen=True)
class Group:
    """Rules evaluated together, one after the other, every `interval` seconds. `keys`: those that are written."""

    name: str
    interval: float
    rules: tuple[Alert | Recording, ...]
    keys: frozenset[str] = frozenset()


@dataclass(frozen=True)
class RuleFile:
    """A file of `rules/`: `text` is what stands in it, and what is deployed, byte for byte (UTF-8)."""

    path: Path
    name: str
    text: str
    groups: tuple[Group, ...]

    @property
    def alerts(self) -> tuple[Alert, ...]:
        return tuple(rule for group in self.groups for rule in group.rules if isinstance(rule, Alert))

    @property
    def recordings(self) -> tuple[Recording, ...]:
        return tuple(rule for group in self.groups for rule in group.rules if isinstance(rule, Recording))
