"""The content of a report, as data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from formats.durations import humanize
from formats.json_types import JsonValue
from ops.checks.evaluation_time import in_ms
from ops.repo.tracking import Change
from ops.words import count_noun


@dataclass(frozen=True, slots=True)
class AlertState:
    """An alert: `state` is firing, pending, quiet or not loaded; `used`: the value as a share of the limit, 1 at it."""

    name: str
    summary: str
    component: str
    severity: str
    limit: str
    for_: float  # seconds
    state: str
    since: str
    value: float | None
    shown: str
    used: float | None
    headroom: str
    runbook: str
    team: str
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class FrequentAlert:
    """An alert that fired during the week: how often, and for how many seconds in all."""

    name: str
    ours: bool
    fired: int
    seconds: float
    duration: str


@dataclass(frozen=True, slots=True)
class ShadowAlert:
    """A shadow: how often it fired during the week, and how many messages it would have sent to whom, in words."""

    name: str
    fired: int
    seconds: float
    duration: str
    messages: str


@dataclass(frozen=True, slots=True)
class BudgetState:
    """The error budget of 30 days. `left`: 1 is untouched, below 0 overspent; `used`: in the report's window.

    `fastest`: the highest burn rate over one hour in the window, if it is known. `kept`: how much of the 30 days is
    recorded, in words; "" for all. The others are these in words.
    """

    objective: float
    left: float
    used: float
    fastest: float | None
    kept: str
    shown_objective: str
    shown_left: str
    shown_used: str
    shown_fastest: str


@dataclass(frozen=True, slots=True)
class RuleCost:
    """A rule of ours that runs: seconds of its last evaluation, in words, and as a share of its group's interval."""

    name: str
    group: str
    interval: float
    seconds: float
    shown: str
    share: float


@dataclass(frozen=True, slots=True)
class RouteNode:
    """A route: its matchers, receiver, timing, our alerts that end there, and the routes below it."""

    matchers: str
    receiver: str
    pace: str
    alerts: tuple[str, ...]
    routes: tuple["RouteNode", ...]


@dataclass(frozen=True, slots=True)
class BaselineBlock:
    """A block of the recorded baseline."""

    title: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Facts:
    """Everything in a report. Times are RFC 3339, UTC."""

    target: str
    at: str
    window: str
    by: str
    note: str
    revision: str
    criteria: tuple[dict[str, str], ...]
    alerts: tuple[AlertState, ...]
    frequent: tuple[FrequentAlert, ...]
    routes: RouteNode
    inhibitions: tuple[str, ...]
    baseline: tuple[BaselineBlock, ...]
    baseline_notes: tuple[str, ...]
    recorded: tuple[Change, ...]
    since: str = ""  # when the previous report was made
    differences: tuple[str, ...] = ()
    shadows: tuple[ShadowAlert, ...] = ()
    budget: BudgetState | None = None
    no_budget: str = ""  # why there is none
    evaluation: tuple[RuleCost, ...] = ()

    @property
    def firing(self) -> list[AlertState]:
        """The alerts that fire, without those of which nobody is told."""
        return [alert for alert in self.alerts if alert.state == "firing" and not alert.shadow]

    @property
    def other_rules(self) -> str:
        """The rules below the ten of which the page has what their evaluation takes."""
        rest = self.evaluation[10:]
        took = in_ms(sum(one.seconds for one in rest))
        return f"The other {count_noun(len(rest), 'rule')} took {took} in all (with `--format json`: each of them)."

    @property
    def unmet(self) -> list[dict[str, str]]:
        """The criteria that are not met."""
        return [one for one in self.criteria if one["status"] == "fail"]

    @property
    def overspent(self) -> bool:
        """Whether more errors have happened in 30 days than the objective allows."""
        return self.budget is not None and self.budget.left < 0

    @property
    def verdict(self) -> str:
        """The state in one line."""
        firing, missing = len(self.firing), [one for one in self.alerts if one.state == "not loaded"]
        words = []
        if firing:
            words.append(f"{firing} alert{'s fire' if firing > 1 else ' fires'}")
        if missing:
            words.append(f"{len(missing)} alert{'s are' if len(missing) > 1 else ' is'} not loaded")
        if self.unmet:
            words.append(f"{len(self.unmet)} of {len(self.criteria)} criteria not met")
        if self.overspent:
            words.append("the error budget is overspent")
        return "; ".join(words).capitalize() or "All quiet, every criterion met"

    def as_json(self) -> dict[str, object]:
        """The facts for programs, and for the next report to compare with."""
        return asdict(self) | {"verdict": self.verdict}


def compared(now: Facts, before: Mapping[str, JsonValue]) -> Facts:
    """The facts with the differences from an earlier report."""
    return replace(now, since=str(before.get("at", "")), differences=differences(before, now))


def differences(before: Mapping[str, JsonValue], now: Facts) -> tuple[str, ...]:
    """The differences from an earlier report's facts, a sentence each. Facts of other versions may lack fields."""
    earlier = {str(one.get("name")): one for one in before.get("alerts", ()) if isinstance(one, Mapping)}
    found = []
    for alert in now.alerts:
        old = earlier.pop(alert.name, None)
        if old is None:
            found.append(f"{alert.name} is new.")
            continue
        if old.get("limit") != alert.limit:
            reason = next(
                (one.reason for one in now.recorded if (one.alert, one.after) == (alert.name, alert.limit)), ""
            )
            found.append(f"{alert.name}: limit {old.get('limit')} → {alert.limit}{f' ({reason})' if reason else ''}.")
        if old.get("for_") != alert.for_:
            found.append(f"{alert.name}: fires after {humanize(alert.for_)}, was {_duration(old.get('for_'))}.")
        if old.get("state") != alert.state:
            found.append(f"{alert.name}: {alert.state}, was {old.get('state')}.")
    found += [f"{name} is gone." for name in earlier]
    found += _of_objective(before.get("budget"), now.budget)
    met = {str(one.get("name")): one.get("status") for one in before.get("criteria", ()) if isinstance(one, Mapping)}
    words = {"pass": "met", "fail": "not met", "skip": "not checked"}
    for one in now.criteria:
        old_status = met.get(one["name"], one["status"])
        if old_status != one["status"]:
            found.append(f"{one['name']}: {words[one['status']]}, was {words.get(str(old_status), 'unknown')}.")
    return tuple(found)


def _of_objective(before: JsonValue, now: BudgetState | None) -> list[str]:
    if not isinstance(before, Mapping) or now is None or before.get("shown_objective") == now.shown_objective:
        return []
    return [f"The objective: {before.get('shown_objective')} → {now.shown_objective}."]


def _duration(seconds: object) -> str:
    return humanize(seconds) if isinstance(seconds, int | float) else "unknown"
