"""What a rule file holds, as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from rules import _promql
from rules._promql import Limit

HOUSE = "api_performance"
SHADOW = "shadow"  # the one value of the label `stage`
DEFAULT_INTERVAL = 60.0  # seconds; Prometheus' own, where neither a group nor its configuration says one


def is_house(group: str) -> bool:
    """Whether our form is asked of a group of this name: of `api_performance`, and what begins so and an underscore."""
    return group == HOUSE or group.startswith(f"{HOUSE}_")


@dataclass(frozen=True)
class Recording:
    """A recording rule. `interval` in seconds, Prometheus' default where the group has none; `line` counts from 1."""

    name: str
    group: str
    interval: float
    file: Path
    line: int
    expr: str
    labels: Mapping[str, str]

    @property
    def is_house(self) -> bool:
        """Whether it is one of ours: held to the metric contract, and its name is recorded once."""
        return is_house(self.group)


@dataclass(frozen=True)
class Alert:
    """
    An alerting rule in our form: `expr` is `signal`, then a last line that is only `limit`.

    That line is `limit_line` of the file (from 1).
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
    def is_house(self) -> bool:
        """Whether all is asked of it that is asked of ours: runbook, panel, scenarios, the metric contract."""
        return is_house(self.group)

    @property
    def component(self) -> str:
        """The label `component`: api, database, webhook, or watchdog."""
        return self.labels["component"]

    @property
    def severity(self) -> str:
        """The label `severity`: warning, critical, or none."""
        return self.labels["severity"]

    @property
    def team(self) -> str:
        """The label `team`: who owns it, one of those in CODEOWNERS; "" where none is said."""
        return self.labels.get("team", "")

    @property
    def is_shadow(self) -> bool:
        """Whether it is only being tried (label `stage: shadow`): evaluated, drawn and counted, and nobody is told."""
        return self.labels.get("stage") == SHADOW

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
class OtherAlert:
    """
    An alerting rule of any other form, as other teams write them: deployed and compared as it stands, and no more.

    Several may have one name. Times in seconds; `labels` include those of the group. `keys` as in `Alert`.
    """

    name: str
    group: str
    file: Path
    line: int
    expr: str
    for_: float
    keep_firing_for: float
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    keys: frozenset[str] = frozenset()

    @property
    def label_set(self) -> dict[str, str]:
        """As `Alert.label_set`."""
        return {**self.labels, "alertname": self.name}


Rule: TypeAlias = Alert | OtherAlert | Recording


@dataclass(frozen=True)
class Group:
    """
    Rules evaluated together, one after the other, every `interval` seconds; None: as often as the server says.

    `line` in the file, from 1. `limit`: how many alerts or series a rule may make, 0: any number. `keys`: those that
    are written.
    """

    name: str
    line: int
    interval: float | None
    limit: int
    rules: tuple[Rule, ...]
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
        """Those in our form."""
        return tuple(rule for group in self.groups for rule in group.rules if isinstance(rule, Alert))

    @property
    def other_alerts(self) -> tuple[OtherAlert, ...]:
        """Those in any other form."""
        return tuple(rule for group in self.groups for rule in group.rules if isinstance(rule, OtherAlert))

    @property
    def recordings(self) -> tuple[Recording, ...]:
        return tuple(rule for group in self.groups for rule in group.rules if isinstance(rule, Recording))
