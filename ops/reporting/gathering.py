"""Gathers a report's facts from the servers, the repository and the tracking document."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import dashboards
import routing
import rules
from formats import quantities
from formats.durations import humanize
from formats.quantities import percent
from ops import targets
from ops import window as windows
from ops.checks import error_budget, evaluation_time, success_criteria
from ops.checks.every_check import run_checks
from ops.clients.prometheus import ActiveAlert, Prometheus
from ops.replay import mails
from ops.replay.alert_history import alert_name, fired
from ops.replay.fetch import LABELS
from ops.replay.history import History
from ops.replay.mails import Firing
from ops.repo import files, revision, tracking
from ops.reporting.facts import (
    AlertState,
    BaselineBlock,
    BudgetState,
    Facts,
    FrequentAlert,
    RouteNode,
    RuleCost,
    ShadowAlert,
)
from ops.targets import Target
from ops.window import DAY, MINUTE, Window, parse_moment
from ops.words import count_noun, listed
from routing import tree
from routing.on_call import INTERVAL, with_on_call
from rules import Alert

WEEK = 7 * DAY
_NO_BUDGET = f"Prometheus has no {error_budget.LEFT}: `bin/ops verify` says why."

NOUNS = {"email": "mail", "slack": "Slack message", "pagerduty": "incident", "webhook": "webhook"}
_URGENCY = ("firing", "not loaded", "pending", "quiet")


def gather(target: Target, over: Window, at: float, *, by: str, note: str) -> Facts:
    """The facts with the values at `at` (seconds since the epoch); `over`: the window of the pictures.

    Raises what the clients raise where Prometheus cannot be reached, and errors of the data packages.
    """
    known = rules.alerts(stack=target.name, native=target.native)
    alerts = {name: alert for name, alert in known.items() if not alert.is_watchdog}
    states = _states(target, alerts, at)
    checks = run_checks(target).checks
    config = with_on_call(routing.load(), target.settings.on_call).config
    routes, inhibitions = _routes(alerts, config)
    history = fired(target.prometheus, Window(at - WEEK, at, MINUTE))
    document = tracking.place(None, tracking.DOCUMENT, targets.documents(target.name))
    where = files.shown(document.path)
    _, text = document.read("restore it")
    budget = _budget(target.prometheus, over, at)
    blocks, notes = _observed(tracking.record(text, target.name, where=where))
    return Facts(
        target=target.name,
        at=windows.iso(at),
        window=str(over),
        by=by,
        note=note,
        revision=revision.described(),
        criteria=tuple(
            {"name": check.name, "status": check.status, "detail": check.detail}
            for check in success_criteria.judge(target, checks)
        ),
        alerts=states,
        frequent=_frequent(history, alerts, at),
        shadows=_shadows(mails.arriving(target.prometheus.sender(), history), alerts, config, at),
        evaluation=_evaluation(target),
        routes=routes,
        inhibitions=inhibitions,
        baseline=blocks,
        baseline_notes=notes,
        recorded=tracking.changes(text, where=where),
        budget=budget,
        no_budget="" if budget else _NO_BUDGET,
    )


def _budget(prometheus: Prometheus, over: Window, at: float) -> BudgetState | None:
    """The error budget at `at`, and what the window used of it; None where it is not recorded."""
    found = error_budget.budget(prometheus, at)
    if found is None:
        return None
    spent = error_budget.spent(prometheus, over.span, over.end)
    fast = "no data" if spent.fastest is None else f"{quantities.number(spent.fastest)} times as fast as allowed"
    return BudgetState(
        objective=found.objective,
        left=found.left,
        used=spent.used,
        fastest=spent.fastest,
        kept=found.kept,
        shown_objective=percent(found.objective),
        shown_left=f"overspent by {percent(-found.left, 3)}" if found.left < 0 else percent(found.left, 3),
        shown_used=percent(spent.used, 3),
        shown_fastest=fast,
    )


def _states(target: Target, alerts: Mapping[str, Alert], at: float) -> tuple[AlertState, ...]:
    prometheus, now = target.prometheus, _moment(target, at)
    loaded = {rule.name for group in prometheus.rules() for rule in group.rules if not rule.recording}
    active: dict[str, list[ActiveAlert]] = {}
    for one in prometheus.alerts():
        active.setdefault(one.name, []).append(one)
    unit_of = dashboards.units(dashboards.load(native=target.native).panels)
    found = [
        _state(alert, name in loaded, active.get(name, []), _value(now, alert), unit_of.get(alert.quantity, ""))
        for name, alert in alerts.items()
    ]
    return tuple(sorted(found, key=lambda one: _URGENCY.index(one.state)))  # within a state, in the order of the files


def _evaluation(target: Target) -> tuple[RuleCost, ...]:
    """What each rule of ours that has been evaluated takes, the largest share of its interval first."""
    groups = evaluation_time.our_groups(target.prometheus.rules(), rules.load(stack=target.name, native=target.native))
    found = [
        RuleCost(
            rule.name,
            group.name,
            group.interval,
            rule.evaluation_time,
            evaluation_time.in_ms(rule.evaluation_time),
            rule.evaluation_time / group.interval,
        )
        for group in groups
        for rule in group.rules
        if rule.evaluation_time > 0
    ]
    return tuple(sorted(found, key=lambda one: -one.share))


def _without_template(template: str) -> str:
    """A summary before it is filled in: `{{ $labels.path }}` → `(path)`."""
    return re.sub(r"\{\{\s*\$labels\.(\w+)\s*\}\}", r"(\1)", template)


def _moment(target: Target, at: float) -> History:
    return History(target.prometheus, target.recordings, Window(at - MINUTE, at, MINUTE))


def _value(now: History, alert: Alert) -> float | None:
    return now.last(alert.quantity, lowest=alert.limit.fires_below)


def _state(alert: Alert, loaded: bool, active: list[ActiveAlert], value: float | None, unit: str) -> AlertState:
    firing = [one for one in active if one.state == "firing"]
    state = "firing" if firing else "pending" if active else "quiet" if loaded else "not loaded"
    # Prometheus says since when the expression is true: an alert fires when its `for` is over.
    began = [parse_moment(one.active_at) + (alert.for_ if firing else 0.0) for one in firing or active]
    limit, below = alert.limit.value, alert.limit.fires_below
    used = None
    headroom = "no data" if value is None else ""
    if value is not None and limit > 0 and not (below and value <= 0):
        used = limit / value if below else value / limit
        share = abs(value - limit) / limit * 100
        far = f"{share:.0f} %" if share < 1000 else f"{share / 100:.0f} times"
        exceeded = value < limit if below else value > limit
        headroom = f"over the limit by {far}" if exceeded else f"{far} left"
        headroom = "at the limit" if share < 0.5 else headroom
    return AlertState(
        name=alert.name,
        summary=_without_template(alert.annotations.get("summary", "")),
        component=alert.component,
        severity=alert.severity,
        limit=f"{alert.limit.operator} {quantities.with_unit(limit, unit)}",
        for_=alert.for_,
        state=state,
        since=windows.stamp(min(began)) if began else "",
        value=value,
        shown=quantities.with_unit(value, unit),
        used=used,
        headroom=headroom,
        runbook=alert.annotations.get("runbook_url", ""),
        team=alert.team,
        shadow=alert.is_shadow,
    )


def _frequent(history: Sequence[Firing], alerts: Mapping[str, Alert], end: float) -> tuple[FrequentAlert, ...]:
    """What fired in `history`, the week before `end`, the most frequent first, without watchdogs."""
    always = {name for name, alert in rules.alerts().items() if alert.is_watchdog}
    found: dict[str, list[float]] = {}
    for one in history:
        if alert_name(one) not in always:
            found.setdefault(alert_name(one), []).append((end if one.end is None else one.end) - one.start)
    every = [FrequentAlert(n, n in alerts, len(spans), sum(spans), humanize(sum(spans))) for n, spans in found.items()]
    return tuple(sorted(every, key=lambda one: (-one.fired, -one.seconds, one.name)))


def _shadows(
    history: Sequence[Firing], alerts: Mapping[str, Alert], config: tree.Config, end: float
) -> tuple[ShadowAlert, ...]:
    """What each shadow would have sent in `history`, had it and no other shadow been without the label."""
    found = []
    for name in (name for name, alert in alerts.items() if alert.is_shadow):
        own = [one for one in history if alert_name(one) == name]
        promoted = [Firing(_without_stage(one), one.start, one.end) if one in own else one for one in history]
        sent = [message for message in mails.send(config, promoted, end) if name in message.alerts]
        count = Counter((message.kind, message.receiver) for message in sent)
        words = [f"{count_noun(number, NOUNS.get(kind, kind))} to {to}" for (kind, to), number in count.items()]
        seconds = sum((end if one.end is None else one.end) - one.start for one in own)
        found.append(ShadowAlert(name, len(own), seconds, humanize(seconds), listed(words) if words else "nothing"))
    return tuple(found)


def _without_stage(firing: Firing) -> LABELS:
    return tuple(pair for pair in firing.labels if pair[0] != "stage")


def _routes(alerts: Mapping[str, Alert], config: tree.Config) -> tuple[RouteNode, tuple[str, ...]]:
    root = tree.tree(config)
    ends: dict[tuple[int, ...], list[str]] = {}
    for name, alert in alerts.items():
        for route in root.takes({"alertname": name, **alert.labels}):
            ends.setdefault(route.match.position, []).append(name)

    def node(route: tree.Route) -> RouteNode:
        match = route.match
        return RouteNode(
            matchers=" ".join(match.path[-1:]) if match.position else "everything",
            receiver=match.receiver,
            pace=f"after {humanize(match.group_wait)}, again every {humanize(match.repeat_interval)}"
            + (", in working hours" if INTERVAL in match.active_time_intervals else ""),
            alerts=tuple(ends.get(match.position, ())),
            routes=tuple(node(child) for child in route.routes),
        )

    inhibitions = tuple(
        f"{_matchers(rule.source)} mutes {_matchers(rule.target)}"
        + (f" where {', '.join(rule.equal)} are equal" if rule.equal else "")
        for rule in tree.inhibitions(config)
    )
    return node(root), inhibitions


def _matchers(matchers: tuple[tree.Matcher, ...]) -> str:
    return "{" + ", ".join(str(one) for one in matchers) + "}"


def _observed(text: str) -> tuple[tuple[BaselineBlock, ...], tuple[str, ...]]:
    """The recorded baseline: its blocks by heading, and its other lines."""
    blocks: list[tuple[str, list[tuple[str, str]]]] = []
    notes = []
    for line in filter(None, map(str.strip, text.split("\n"))):
        if title := re.fullmatch(r"\*\*(.*?):?\*\*", line):
            blocks.append((title[1], []))
        elif (value := re.fullmatch(r"- ([^:]+): (.*)", line)) and blocks:
            blocks[-1][1].append((value[1], value[2]))
        else:
            notes.append(line)
    return tuple(BaselineBlock(title, tuple(values)) for title, values in blocks), tuple(notes)
