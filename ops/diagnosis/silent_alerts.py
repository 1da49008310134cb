"""Diagnosis of alerts that do not fire or are not mailed: from the rule to the mail."""

import math
from collections.abc import Mapping, Sequence
from functools import partial

import metrics
import rules
from formats.durations import humanize
from ops import window
from ops.checks import each_replica, prerequisites
from ops.checks import live_rules as rule_checks
from ops.clients.prometheus import ActiveAlert, Prometheus, RunningRule
from ops.diagnosis import live_metrics, mail_delivery
from ops.diagnosis.case import Case
from ops.diagnosis.chain import (
    Diagnosis,
    Link,
    Step,
    broken,
    check_links,
    deploy_command,
    from_check,
    log_command,
    not_applicable,
    ok,
    verb_command,
)
from ops.errors import Refused
from ops.replay.signals import crosses
from ops.targets import Target
from ops.words import agree, brief
from rules import Alert, Recording

LATE = 3  # evaluations that may be missing before a group counts as not evaluated


def diagnose(case: Case) -> Diagnosis:
    """Check the links from the rules to the mail, up to the first broken one."""
    target = case.target
    prometheus = log_command(target, target.settings.prometheus)
    alertmanager = log_command(target, target.settings.alertmanager)
    links = [
        Link("prometheus", lambda: from_check(prerequisites.prometheus(target), prometheus), prometheus),
        Link("rules loaded", lambda: loaded(case), prometheus),
        Link("each prometheus", lambda: from_check(each_replica.run_rules(target, case.files), prometheus), prometheus),
        Link("rules evaluated", lambda: evaluated(case), prometheus),
        Link("expression has data", lambda: has_data(case), prometheus),
        Link("condition", lambda: condition(case), prometheus),
        Link("pending or firing", lambda: state(case), prometheus),
        Link("sent by prometheus", lambda: mail_delivery.sent(case), prometheus),
        *(Link(name, partial(look, case), alertmanager) for name, look in mail_delivery.LINKS.items()),
    ]
    return check_links(target.name, f"alerts{case.argument}", links)


def loaded(case: Case) -> Step:
    """Prometheus runs the groups of these alerts as in the repository."""
    prometheus, next = case.target.prometheus, deploy_command(case.target)
    live = prometheus.rules()
    reloaded = rule_checks.reload(prometheus)
    if reloaded.status == "fail":
        return broken(reloaded.detail, log_command(case.target, case.target.settings.prometheus))
    wanted = {alert.group for alert in case.alerts}
    # for all alerts the recordings that they read too
    groups = [(file, group) for file in case.files for group in file.groups if group.name in wanted or not case.named]
    for file, group in groups:
        if trouble := rule_checks.group_problem(prometheus, file, group, live):
            return broken(trouble, next)
    return ok(f"{brief([group.name for _, group in groups])} as in the repository")


def evaluated(case: Case) -> Step:
    """Prometheus has evaluated these rules lately, without errors."""
    target = case.target
    running = _running(target.prometheus)
    latest = math.inf
    for alert in case.alerts:
        rule = running[alert.name]
        if error := rule_checks.rule_error(target.prometheus, rule):
            return broken(
                f"{error}; correct its expression in rules/{alert.file.name}:{alert.line}", deploy_command(target)
            )
        if rule.health != "ok":
            continue
        age = window.age(rule.last_evaluation)
        if age > LATE * alert.interval + 5:
            return broken(
                f"{alert.name} was evaluated {humanize(age)} ago, but its interval is {humanize(alert.interval)}; "
                "Prometheus is overloaded, or its clock differs from this machine's",
                log_command(target, target.settings.prometheus),
            )
        latest = min(latest, age)
    if latest == math.inf:
        return ok("loaded just now, and not evaluated yet")
    return ok(f"without errors, the last time {humanize(latest)} ago")


def has_data(case: Case) -> Step:
    """The metrics that the expressions read are there."""
    target, contract = case.target, case.target.contract
    recordings = rules.recordings(native=target.native)
    empty = [alert for alert in case.alerts if not _values(target.prometheus, alert.signal)]
    read = {alert.name: {one.name for one in metrics.selectors(alert.signal)} for alert in empty}
    names = {name for of_it in read.values() for name in of_it}
    there = live_metrics.names(target, names)
    for alert in empty:
        for name in sorted(read[alert.name] - there):
            more = len([other for other in empty if name in read[other.name]]) - 1
            who = alert.name + (f" (and {more} more)" if more else "")
            if name in recordings:
                return broken(
                    f"{who} reads {name}, which has no value yet: {_source(target, recordings[name])}",
                    verb_command(target, "diagnose dashboard"),
                )
            said = live_metrics.missing(target, contract, name)
            return broken(f"{who} reads {name}: {said}", verb_command(target, "diagnose dashboard"))
    if not case.named:
        quiet = f"; no value for now, without enough traffic: {brief([a.name for a in empty])}" if empty else ""
        seen = len(case.alerts) - len(empty)
        return ok(f"{seen} of {len(case.alerts)} {agree(seen, 'has', 'have')} a value{quiet}")
    alert = case.alerts[0]
    if not empty:
        return ok(f"{len(_values(target.prometheus, alert.signal))} series")
    bare = _values(target.prometheus, alert.quantity)
    if bare:
        return ok(f"its quantity has a value ({_worst(alert, bare):.4g}), but too few requests for it to count")
    # a result without a number: there was no traffic
    if not target.prometheus.query(alert.quantity) and (
        found := live_metrics.emptying_matchers(target.prometheus, alert.quantity)
    ):
        return broken(found, verb_command(target, "diagnose dashboard"))
    return ok("the metrics are there, but without traffic in its window there is no number")


def condition(case: Case) -> Step:
    """How far the values are from the limits. This link is never broken: a limit that is not crossed is no fault."""
    judged = []
    for alert in case.alerts:
        if values := _values(case.target.prometheus, alert.signal):
            value = _worst(alert, values)
            judged.append((crosses(alert.limit, value), _near(alert, value), alert, value))
    if not judged:
        return not_applicable("no value to compare now, so nothing can fire")
    if case.named:
        true, _, alert, value = judged[0]
        verdict = "true" if true else "not true"
        return ok(f"{verdict}: {_distance(alert, value)}")
    crossing = [alert.name for true, _, alert, _ in judged if true]
    if crossing:
        return ok(f"true for {brief(crossing)}")
    _, _, alert, value = max(judged, key=lambda one: one[1])
    return ok(f"true for none of {len(case.alerts)}; the closest is {alert.name}: {_distance(alert, value)}")


def state(case: Case) -> Step:
    """Which alerts are pending or firing."""
    target = case.target
    names = {alert.name: alert for alert in case.alerts}
    active = [one for one in target.prometheus.alerts() if one.name in names]
    if case.named and not active:
        return _inactive(target, case.alerts[0])
    said = [_since(one, names[one.name]) for one in sorted(active, key=lambda one: (one.state, one.active_at))]
    return ok(brief(said) if said else f"none of {len(names)}")


def _inactive(target: Target, alert: Alert) -> Step:
    values = _values(target.prometheus, alert.signal)
    if not values or not crosses(alert.limit, _worst(alert, values)):
        return ok("inactive, as its condition is not true")
    age = window.age(_running(target.prometheus)[alert.name].last_evaluation)
    if age <= alert.interval + 5:
        return ok(f"its condition has just become true; the next evaluation is within {humanize(alert.interval)}")
    return broken(
        "its condition is true, but the rule is inactive; compare what runs with the repository",
        verb_command(target, "verify"),
    )


def _since(active: ActiveAlert, alert: Alert) -> str:
    age = max(0.0, window.age(active.active_at))
    if active.state == "firing":
        return f"{alert.name} fires since {humanize(max(0.0, age - alert.for_))}"
    left = max(0.0, alert.for_ - age)
    return f"{alert.name} is pending since {humanize(age)}, and fires in {humanize(left)} if it stays so"


def _running(prometheus: Prometheus) -> Mapping[str, RunningRule]:
    return {rule.name: rule for group in prometheus.rules() for rule in group.rules}


def _values(prometheus: Prometheus, signal: str) -> list[float]:
    """The numbers that an expression has now."""
    try:
        return [sample.value for sample in prometheus.query(signal) if not math.isnan(sample.value)]
    except Refused as refusal:
        raise Refused(
            f"Prometheus refuses `{' '.join(signal.split())}` ({refusal.words}); correct the rule",
            status=refusal.status,
            words=refusal.words,
        ) from refusal


def _worst(alert: Alert, values: Sequence[float]) -> float:
    return min(values) if alert.limit.fires_below else max(values)


def _near(alert: Alert, value: float) -> float:
    """How close a value is to the limit: 1 at the limit."""
    limit = alert.limit.value
    if alert.limit.fires_below:
        return limit / value if value else math.inf
    return value / limit if limit else 0.0


def _distance(alert: Alert, value: float) -> str:
    if not alert.limit.value:
        return f"{value:.4g}, limit {alert.limit.text}"
    return f"{value:.4g}, limit {alert.limit.text} ({value / alert.limit.value:.0%} of it)"


def _source(target: Target, recording: Recording) -> str:
    """Why a recording rule has no value."""
    contract = target.contract
    read = {one.name for one in metrics.selectors(recording.expr)}
    absent = sorted(read - live_metrics.names(target, read))
    if absent:
        return f"it reads {absent[0]}: {live_metrics.missing(target, contract, absent[0])}"
    return f"what it reads is there, so check again in {humanize(recording.interval)}"
