"""The links from Prometheus through Alertmanager to the mail relay, where a firing alert may be lost."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import rules
from formats.durations import humanize
from ops import window as windows
from ops.checks import each_replica, prerequisites
from ops.checks import live_routing as routing_checks
from ops.clients.alertmanager import is_lease
from ops.diagnosis.case import Case
from ops.diagnosis.chain import (
    Step,
    broken,
    deploy_command,
    from_check,
    intended,
    log_command,
    not_applicable,
    ok,
    verb_command,
)
from ops.diagnosis.mail_relay import last_rise, recent_notifications, relay
from ops.replay import alert_path, hours
from ops.targets import Target
from ops.words import brief, count_noun
from routing import tree
from routing.sent_labels import Labels
from rules import SHADOW, Alert

LinkCheck = Callable[[Case], Step]


def sent(case: Case) -> Step:
    """Prometheus has an Alertmanager, and its last alerts arrived there."""
    target = case.target
    known = prerequisites.delivery(target)
    next = log_command(target, target.settings.prometheus)
    if known.status == "fail":
        return broken(known.detail, next)
    errors = target.prometheus.metrics().total("prometheus_notifications_errors_total") or 0.0
    dropped = target.prometheus.metrics().total("prometheus_notifications_dropped_total") or 0.0
    said = f"{known.detail}; {count_noun(round(errors), 'error')} and {dropped:.0f} dropped since its start"
    lost = last_rise(target.prometheus, "sum(prometheus_notifications_errors_total)")
    went = last_rise(
        target.prometheus, "sum(prometheus_notifications_sent_total) - sum(prometheus_notifications_errors_total)"
    )
    if lost is not None and (went is None or lost > went):
        return broken(
            f"Prometheus could not send alerts {humanize(time.time() - lost)} ago, and none was sent "
            f"since ({said}); check that address, and that Alertmanager runs",
            log_command(target, target.settings.alertmanager),
        )
    return ok(said)


def ready(case: Case) -> Step:
    """Alertmanager answers, and its last reload succeeded."""
    target = case.target
    next = log_command(target, target.settings.alertmanager)
    check = prerequisites.alertmanager(target)
    if check.status == "fail":
        return from_check(check, next)
    reloaded = routing_checks.reload(target.alertmanager)
    return from_check(reloaded, next) if reloaded.status == "fail" else ok(f"{check.detail}, its last reload succeeded")


def replicated(case: Case) -> Step:
    """Every replica of Alertmanager runs our routing."""
    check = each_replica.run_routing(case.target, case.routing)
    return from_check(check, deploy_command(case.target))


def arrived(case: Case) -> Step:
    """Alertmanager has the alerts that fire in Prometheus; where none does, the watchdog, which always fires."""
    target = case.target
    wanted = {alert.name for alert in case.alerts}
    firing = [one for one in target.prometheus.alerts() if one.name in wanted and one.state == "firing"]
    held = {notice.labels.get("alertname") for notice in target.alertmanager.alerts()}
    lost = sorted({one.name for one in firing} - {str(name) for name in held})
    if lost:
        rule = next(alert for alert in case.alerts if alert.name == lost[0])
        old = [
            one for one in firing if one.name in lost and windows.age(one.active_at) > rule.for_ + routing_checks.RESENT
        ]
        if old:
            return broken(
                f"{brief(lost)} fires, but Alertmanager does not have it ({target.alertmanager.url}); "
                "check whether Prometheus sends to another one, or drops alerts by alert_relabel_configs",
                log_command(target, target.settings.prometheus),
            )
        return not_applicable(f"{brief(lost)} began to fire just now")
    if firing:
        return ok(f"Alertmanager has {brief(sorted({one.name for one in firing}))}")
    always = [alert for alert in rules.alerts().values() if alert.is_watchdog]
    check = routing_checks.watchdog(target, always)
    return from_check(check, log_command(target, target.settings.prometheus))


def routed(case: Case) -> Step:
    """The routes of these alerts are those of the repository."""
    target = case.target
    config = target.alertmanager.status().config
    arrived = routing_checks.labels_there(target, case.alerts)
    check = routing_checks.paths(config, case.routing, case.alerts, arrived)
    if check.status == "fail":
        return from_check(check, deploy_command(target))
    if not case.named:
        return ok(check.detail)
    found = routing_checks.matches(config, arrived[case.alerts[0].name])
    return ok("; ".join(f"{' › '.join(match.path)} to {match.receiver}" for match in found))


def inhibited(case: Case) -> Step:
    """No firing alert inhibits them. Without an alert by name, an inhibition by one of ours is as intended."""
    target = case.target
    config = target.alertmanager.status().config
    sources = [notice.labels for notice in target.alertmanager.alerts()]
    ours = {alert.name for alert in rules.alerts().values()}
    muted = []
    for alert, own in _with_labels(target, case.alerts):
        for found in tree.inhibitors(config, own, sources):
            source = found.source.get("alertname", "?")
            if case.named or source not in ours:
                return broken(
                    f"{alert.name} is muted as long as {source} fires (inhibit_rules, number {found.rule + 1}): "
                    "no mail is sent for it until then",
                    verb_command(
                        target,
                        f"diagnose alerts {source}" if source in ours else f"test-alert {alert.name} --dry-run",
                    ),
                )
            muted.append(f"{alert.name} by {source}")
    if muted:
        return intended(f"muted: {brief(list(dict.fromkeys(muted)))}")
    return ok("no firing alert inhibits it" if case.named else "none is inhibited")


def silenced(case: Case) -> Step:
    """No silence matches them."""
    target = case.target
    silences, deploying = target.alertmanager.silences(), ""
    for alert, own in _with_labels(target, case.alerts):
        for one in alert_path.silencing(silences, own):
            words = f"{alert.name} is silenced {alert_path.until(one)}"
            if not is_lease(one):
                return broken(
                    f"{words}; expire the silence when it is no longer needed",
                    f"amtool silence expire {one['id']} --alertmanager.url={target.alertmanager.url}",
                )
            deploying = deploying or words
    if deploying:
        return intended(deploying)
    active = [one for one in silences if (one.get("status") or {}).get("state") == "active"]
    if len(active) == 1:
        return ok("the only active silence does not match")
    return ok(f"none of {len(active)} active silences matches" if active else "no silence is active")


def in_hours(case: Case) -> Step:
    """No time interval mutes their routes now, other than those of the repository and the stack's working hours."""
    target = case.target
    config, now = target.alertmanager.status().config, time.time()
    intervals, kept_back, ends = 0, [], []
    arrived = routing_checks.labels_there(target, case.alerts)
    for alert in case.alerts:
        ours = tree.matches(case.routing.config, alert.label_set)
        for match in routing_checks.matches(config, arrived[alert.name]):
            intervals += len(match.mute_time_intervals) + len(match.active_time_intervals)
            if not (quiet := hours.quiet(config, match, now)):
                continue
            receiver = routing_checks.plain(match.receiver)
            if not any(hours.quiet(case.routing.config, one, now) for one in ours if one.receiver == receiver):
                return broken(
                    f"the route of {alert.name} to {match.receiver} is muted now ({quiet}), but not by routing/ or "
                    "the stack's working hours; deploy the routing again",
                    deploy_command(target),
                )
            kept_back.append(f"nothing about {alert.name} is sent to {match.receiver} now ({quiet})")
            ends.append(hours.opens(config, match, now))
    if kept_back:
        until = min((end for end in ends if end is not None), default=None)
        reopens = f", until {windows.stamp(until)} UTC" if until else ""
        more = f", nor about {len(kept_back) - 1} more" if len(kept_back) > 1 else ""
        return intended(f"{kept_back[0]}{more}{reopens}")
    return ok("no route is muted now" if intervals else "these routes have no time intervals")


def received(case: Case) -> Step:
    """Their receivers send notifications."""
    target = case.target
    config = target.alertmanager.status().config
    by_name = tree.receivers(config)
    used: dict[str, list[str]] = {}
    shadows: list[str] = []
    arrived = routing_checks.labels_there(target, case.alerts)
    for alert in case.alerts:
        for match in routing_checks.matches(config, arrived[alert.name]):
            receiver = by_name.get(match.receiver) or {}
            kinds = [key for key, entries in receiver.items() if key.endswith("_configs") and entries]
            if not kinds and alert.is_shadow:
                shadows.append(alert.name)
                continue
            if not kinds:
                return broken(f"{alert.name} goes to {match.receiver}, which sends nothing", deploy_command(target))
            used[match.receiver] = [str(mail["to"]) for mail in receiver.get("email_configs") or ()]
    if shadows and not used:
        return intended(f"{brief(list(dict.fromkeys(shadows)))} tells nobody: a shadow (label stage: {SHADOW})")
    written = routing_checks.written_routing(case.routing, target)
    check = routing_checks.receivers(routing_checks.our_part(config, target), written)
    if check.status == "fail":
        return from_check(check, deploy_command(target))
    people = dict.fromkeys(to for all_of_them in used.values() for to in all_of_them)
    return ok(f"{brief(list(used))}" + (f" to {', '.join(people)}" if people else ""))


# In the order of an alert's path.
LINKS: Mapping[str, LinkCheck] = {
    "alertmanager": ready,
    "each alertmanager": replicated,
    "at alertmanager": arrived,
    "route": routed,
    "inhibition": inhibited,
    "silences": silenced,
    "quiet hours": in_hours,
    "receiver": received,
    "mail relay": relay,
    "last notifications": recent_notifications,
}


def _with_labels(target: Target, alerts: Sequence[Alert]) -> Iterator[tuple[Alert, Labels]]:
    """Each alert with each of the label sets with which it is, or would be, at Alertmanager."""
    sender, active = target.prometheus.sender(), target.prometheus.alerts()
    arrived = routing_checks.labels_there(target, alerts)
    for alert in alerts:
        # What is pending is not there yet: its series say with which labels it will be.
        pending = [sent for one in active if one.name == alert.name for sent in sender.sent(one.labels)]
        for labels in [*arrived[alert.name], *(labels for labels in pending if labels not in arrived[alert.name])]:
            yield alert, labels
