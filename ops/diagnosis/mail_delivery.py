"""From Prometheus through Alertmanager to the mail relay: the links on which an alert is lost after it fires."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import rules
from formats.durations import humanize
from ops import window as windows
from ops.checks import live_routing as routing_checks
from ops.checks import prerequisites
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
from ops.words import brief
from routing import tree
from rules import Alert

LinkCheck = Callable[[Case], Step]


def sent(case: Case) -> Step:
    """Prometheus knows an Alertmanager, and its last notifications arrived there."""
    target = case.target
    known = prerequisites.delivery(target)
    next = log_command(target, target.settings.prometheus.deployment)
    if known.status == "fail":
        return broken(known.detail, next)
    errors = target.prometheus.metrics().total("prometheus_notifications_errors_total") or 0.0
    dropped = target.prometheus.metrics().total("prometheus_notifications_dropped_total") or 0.0
    said = f"{known.detail}; {errors:.0f} errors and {dropped:.0f} dropped since its start"
    lost = last_rise(target.prometheus, "sum(prometheus_notifications_errors_total)")
    went = last_rise(
        target.prometheus, "sum(prometheus_notifications_sent_total) - sum(prometheus_notifications_errors_total)"
    )
    if lost is not None and (went is None or lost > went):
        return broken(
            f"Prometheus could not send the last alerts, {humanize(time.time() - lost)} ago, and none has arrived "
            f"since ({said}); is that address right, and Alertmanager up?",
            log_command(target, target.settings.alertmanager.deployment),
        )
    return ok(said)


def ready(case: Case) -> Step:
    """Alertmanager answers, and runs the configuration that it was given last."""
    target = case.target
    next = log_command(target, target.settings.alertmanager.deployment)
    check = prerequisites.alertmanager(target)
    if check.status == "fail":
        return from_check(check, next)
    reloaded = routing_checks.reload(target.alertmanager)
    return from_check(reloaded, next) if reloaded.status == "fail" else ok(f"{check.detail}, its last reload went well")


def arrived(case: Case) -> Step:
    """What fires at Prometheus is held by Alertmanager; if nothing does, the watchdog stands in (it always fires)."""
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
                f"{brief(lost)} fires, but is not at Alertmanager ({target.alertmanager.url}); "
                "does Prometheus send to another one, or drop alerts by alert_relabel_configs?",
                log_command(target, target.settings.prometheus.deployment),
            )
        return not_applicable(f"{brief(lost)} has only just begun to fire")
    if firing:
        return ok(f"{brief(sorted({one.name for one in firing}))} is there")
    always = [alert for alert in rules.alerts().values() if alert.is_watchdog]
    check = routing_checks.watchdog(target, always)
    return from_check(check, log_command(target, target.settings.prometheus.deployment))


def routed(case: Case) -> Step:
    """The routes of these alerts are those of the repository."""
    target = case.target
    config = target.alertmanager.status().config
    check = routing_checks.paths(config, case.routing, case.alerts)
    if check.status == "fail":
        return from_check(check, deploy_command(target))
    if not case.named:
        return ok(check.detail)
    found = tree.matches(config, case.alerts[0].label_set)
    return ok("; ".join(f"{' › '.join(match.path)} to {match.receiver}" for match in found))


def inhibited(case: Case) -> Step:
    """Nothing that fires now mutes them. That our critical mutes our warning is as it should be, but no mail comes."""
    target = case.target
    config = target.alertmanager.status().config
    sources = [notice.labels for notice in target.alertmanager.alerts()]
    ours = {alert.name for alert in rules.alerts().values()}
    muted = []
    for alert, own in _with_live_labels(target, case.alerts):
        for found in tree.inhibitors(config, own, sources):
            source = found.source.get("alertname", "?")
            if case.named or source not in ours:
                return broken(
                    f"{alert.name} is muted as long as {source} fires (inhibit_rules, number {found.rule + 1}): "
                    "whoever is told of the one need not be told of the other",
                    verb_command(
                        target,
                        f"diagnose alerts {source}" if source in ours else f"test-alert {alert.name} --dry-run",
                    ),
                )
            muted.append(f"{alert.name} by {source}")
    if muted:
        return intended(f"muted: {brief(list(dict.fromkeys(muted)))}")
    return ok("nothing that fires mutes it" if case.named else "none muted")


def silenced(case: Case) -> Step:
    """No silence holds for them."""
    target = case.target
    silences = target.alertmanager.silences()
    for alert, own in _with_live_labels(target, case.alerts):
        for one in alert_path.silencing(silences, own):
            comment = f" ({one['comment']})" if one.get("comment") else ""
            return broken(
                f"{alert.name} is silenced until {str(one['endsAt'])[:16].replace('T', ' ')} UTC "
                f"by {one.get('createdBy') or 'somebody'}{comment}; end the silence when it is no longer meant",
                f"amtool silence expire {one['id']} --alertmanager.url={target.alertmanager.url}",
            )
    active = [one for one in silences if (one.get("status") or {}).get("state") == "active"]
    return ok(f"none of {len(active)} active silences holds here" if active else "no silence is active")


def in_hours(case: Case) -> Step:
    """No time interval keeps their routes quiet now, but for one of the repository or of the stack's working hours."""
    target = case.target
    config, now = target.alertmanager.status().config, time.time()
    intervals, kept_back, ends = 0, [], []
    for alert in case.alerts:
        ours = tree.matches(case.routing.config, alert.label_set)
        for match in tree.matches(config, alert.label_set):
            intervals += len(match.mute_time_intervals) + len(match.active_time_intervals)
            if not (quiet := hours.quiet(config, match, now)):
                continue
            receiver = routing_checks.plain(match.receiver)
            if not any(hours.quiet(case.routing.config, one, now) for one in ours if one.receiver == receiver):
                return broken(
                    f"the route of {alert.name} to {match.receiver} is quiet now ({quiet}), and neither routing/ nor "
                    "the stack's working hours say so",
                    deploy_command(target),
                )
            kept_back.append(f"nothing about {alert.name} is sent to {match.receiver} now ({quiet})")
            ends.append(hours.opens(config, match, now))
    if kept_back:
        until = min((end for end in ends if end is not None), default=None)
        reopens = f", until {windows.stamp(until)} UTC" if until else ""
        more = f", nor about {len(kept_back) - 1} more" if len(kept_back) > 1 else ""
        return intended(f"{kept_back[0]}{more}{reopens}")
    return ok("no quiet hours now" if intervals else "no quiet hours on these routes")


def received(case: Case) -> Step:
    """Their receivers tell somebody."""
    target = case.target
    config = target.alertmanager.status().config
    by_name = tree.receivers(config)
    used: dict[str, list[str]] = {}
    for alert in case.alerts:
        for match in tree.matches(config, alert.label_set):
            receiver = by_name.get(match.receiver) or {}
            kinds = [key for key, entries in receiver.items() if key.endswith("_configs") and entries]
            if not kinds:
                return broken(f"{alert.name} goes to {match.receiver}, which tells nobody", deploy_command(target))
            used[match.receiver] = [str(mail["to"]) for mail in receiver.get("email_configs") or ()]
    written = routing_checks.written_routing(case.routing, target)
    check = routing_checks.receivers(routing_checks.our_part(config, target), written)
    if check.status == "fail":
        return from_check(check, deploy_command(target))
    people = dict.fromkeys(to for all_of_them in used.values() for to in all_of_them)
    return ok(f"{brief(list(used))}" + (f" to {', '.join(people)}" if people else ""))


# In the order in which an alert passes them.
LINKS: Mapping[str, LinkCheck] = {
    "alertmanager": ready,
    "at alertmanager": arrived,
    "route": routed,
    "inhibition": inhibited,
    "silences": silenced,
    "quiet hours": in_hours,
    "receiver": received,
    "mail relay": relay,
    "last notifications": recent_notifications,
}


def _with_live_labels(target: Target, alerts: Sequence[Alert]) -> Iterator[tuple[Alert, Mapping[str, str]]]:
    """Each alert with the labels of each of its series that is active, else with those that its rule gives it."""
    active = target.prometheus.alerts()
    for alert in alerts:
        found = [one.labels for one in active if one.name == alert.name]
        for own in found or [alert.label_set]:
            yield alert, {**alert.labels, **own}
