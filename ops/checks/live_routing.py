"""Does Alertmanager run our routing, and does every alert of ours reach its receiver there?"""

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from components.live.running import compare, operator_names
from components.live.running.wanted import RoutingMarks, wanted_routing
from components.settings import ROUTING_OBJECT
from formats.json_types import JsonValue
from ops.checks import Check, failed, passed, skipped
from ops.clients.alertmanager import Alertmanager
from ops.clients.prometheus import ActiveAlert
from ops.errors import Unreachable
from ops.replay import alert_path, hours
from ops.targets import Target
from ops.window import age
from ops.words import agree, brief, count_noun
from routing import Routing, tree
from routing.inline_password import HIDDEN, with_password
from routing.sent_labels import UNCHANGED, Labels
from rules import Alert

Config = Mapping[str, JsonValue]
Arrived = Mapping[str, Sequence[Labels]]  # alert → the label sets with which it is, or would be, at Alertmanager

DEPLOY = "deploy with `pulumi up`"
_NOTHING: RoutingMarks = {"routes": {}, "receivers": {}, "inhibitions": {}}
# Seconds after which an alert has reached Alertmanager for certain: Prometheus sends one again every minute, and
# the first time is lost when it comes before Prometheus has found its Alertmanager.
RESENT = 120.0


def live(target: Target, routing: Routing, alerts: Iterable[Alert]) -> list[Check]:
    """Reload, receivers, inhibitions, and the way and the hours of every alert, on the configuration that runs."""
    config, alerts = target.alertmanager.status().config, list(alerts)
    arrived = labels_there(target, alerts)
    ours, written = our_part(config, target), written_routing(routing, target)
    return [
        reload(target.alertmanager),
        receivers(ours, written),
        inhibitions(ours, written),
        paths(config, routing, alerts, arrived),
        quiet_hours(config, routing, alerts, arrived),
        silences(target.alertmanager, arrived),
    ]


def written_routing(routing: Routing, target: Target) -> RoutingMarks:
    """What the repository says should run at this target: with its mail relay and its on-call channels."""
    parts = routing.parts(routing.smtp.given_by(target.settings.smtp))
    return wanted_routing(with_password(parts, HIDDEN) if target.settings.alertmanager.tenant else parts)


def reload(alertmanager: Alertmanager) -> Check:
    """The last reload of Alertmanager succeeded."""
    name = "routing/reload"
    if alertmanager.of_tenant:
        return skipped(name, "the Alertmanager of Mimir or Cortex reads its store by itself")
    state = alertmanager.metric("alertmanager_config_last_reload_successful")
    if state == 0:
        return failed(
            name,
            f"Alertmanager at {alertmanager.url} could not read its configuration last time and runs the old one; "
            f"its next restart will fail: find `Loading configuration file failed` in its log, mend it, and {DEPLOY}",
        )
    return passed(name, "Alertmanager's last reload went well")


def our_part(config: Config, target: Target) -> Config:
    """The configuration that runs; where the operator makes it, our part alone, as we wrote it."""
    if target.settings.alertmanager_mode == "secret":  # whether the password is a setting, only Pulumi can read
        return operator_names.with_files(config)
    if target.settings.alertmanager_mode != "operator":
        return config
    object_ = {"routing": {"name": ROUTING_OBJECT}}
    return operator_names.our_part(config, {"namespace": target.settings.namespace, "operated": object_})


def receivers(config: Config, written: RoutingMarks) -> Check:
    """Our receivers are there, with our recipients, subjects and texts. `config`: as `our_part` has it."""
    faults = compare.routing_not_running({**_NOTHING, "receivers": written["receivers"]}, config)
    if faults:
        return failed("routing/receivers", f"Alertmanager: {brief(faults, 2)}; {DEPLOY}")
    count = len(written["receivers"])
    runs = agree(count, "runs", "run")
    return passed("routing/receivers", f"{count_noun(count, 'receiver')} {runs} as in routing/")


def inhibitions(config: Config, written: RoutingMarks) -> Check:
    """Our inhibitions are among those that run. `config`: as `our_part` has it."""
    faults = compare.routing_not_running({**_NOTHING, "inhibitions": written["inhibitions"]}, config)
    if faults:
        return failed("routing/inhibitions", f"Alertmanager: {brief(faults, 1)}; {DEPLOY}")
    every, ours = len(tree.inhibitions(config)), len(written["inhibitions"])
    return passed("routing/inhibitions", f"{ours} of ours {agree(ours, 'runs', 'run')}, {every} in all")


def labels_there(target: Target, alerts: Iterable[Alert]) -> Arrived:
    """The label sets with which each alert is at Alertmanager; those that Prometheus would send where it is not.

    An alert that Prometheus drops has none.
    """
    held = target.alertmanager.alerts()
    sender, firing = UNCHANGED, list[ActiveAlert]()
    with suppress(Unreachable):  # another check says so
        sender = target.prometheus.sender()
        firing = [one for one in target.prometheus.alerts() if one.state == "firing"]
    found: dict[str, Sequence[Labels]] = {}
    for alert in alerts:
        expected = [labels for one in firing if one.name == alert.name for labels in sender.sent(one.labels)]
        there = [notice.labels for notice in held if notice.labels.get("alertname") == alert.name] if expected else []
        # Alertmanager holds an alert for minutes after Prometheus has sent it last, with former labels too.
        current = [labels for labels in there if labels in expected]
        found[alert.name] = current or there or sender.sent(alert.label_set)
    return found


def paths(config: Config, routing: Routing, alerts: Iterable[Alert], arrived: Arrived) -> Check:
    """Every alert ends, in the configuration that runs, where the repository sends it, as fast and as often."""
    name = "routing/paths"
    astray, changed, count = [], False, 0
    decisive = {matcher.name for there in (config, routing.config) for matcher in _matchers(there)}
    for alert in alerts:
        count += 1
        if not arrived[alert.name]:
            astray.append(f"{alert.name} is not sent at all: alert_relabel_configs of Prometheus drops it")
            changed = True
        wanted = tree.matches(routing.config, alert.label_set)
        for labels in arrived[alert.name]:
            actual = tree.matches(config, labels)
            if alert.is_shadow and (told := tree.told(config, labels)):
                astray.append(f"{alert.name} is a shadow, and {brief(told)} is told of it")
                break
            if all(_timing(way) in map(_timing, actual) for way in wanted):
                continue
            there, here = _receivers(actual), _receivers(wanted)
            how = f"to {there} instead of {here}" if there != here else f"to {here} with other timing or grouping"
            unlike = _unlike(alert.label_set, labels, decisive)
            changed = changed or bool(unlike)
            astray.append(f"{alert.name} goes {how}" + (f", as it arrives {unlike}" if unlike else ""))
            break
    if astray:
        relabeled = "correct external_labels or alert_relabel_configs in prometheus.yml, or the routes"
        return failed(name, f"{brief(astray, 2)}; {relabeled if changed else DEPLOY}")
    return passed(
        name, "the alert reaches its receivers" if count == 1 else f"all {count} alerts reach their receivers"
    )


def quiet_hours(config: Config, routing: Routing, alerts: Iterable[Alert], arrived: Arrived) -> Check:
    """No route is quiet at other hours of the week than the repository and the stack's working hours say."""
    name = "routing/hours"
    weeks = _Weeks(time.time() // 60 * 60)
    astray, kept = [], False
    for alert in alerts:
        ours = tree.matches(routing.config, alert.label_set)
        wanted = {(one.receiver, weeks.of(routing.config, one)) for one in ours}
        for match in matches(config, arrived[alert.name]):
            receiver, week = plain(match.receiver), weeks.of(config, match)
            kept = kept or any(week)
            if receiver in {one for one, _ in wanted} and (receiver, week) not in wanted:
                astray.append(f"{alert.name} to {receiver}")
    if astray:
        return failed(name, f"{brief(astray, 2)} is kept back at other hours than routing/ and settings say; {DEPLOY}")
    return passed(
        name, "some routes have hours, as the repository and the stack's settings say" if kept else "mails at any hour"
    )


def silences(alertmanager: Alertmanager, arrived: Arrived) -> Check:
    """Which of our alerts somebody has silenced, until when. A silence may be about single series: these count too."""
    name = "routing/silences"
    every = alertmanager.silences()
    found: dict[str, list[str]] = {}
    for alert, label_sets in arrived.items():
        for labels in label_sets:
            for one in alert_path.silencing(every, labels):
                found.setdefault(alert_path.until(one), []).append(alert)
    if found:
        told = [f"{brief(list(dict.fromkeys(names)))} {until}" for until, names in found.items()]
        return skipped(name, f"silenced: {brief(told, 2)}; nobody is told of them meanwhile")
    return passed(name, "no alert of ours is silenced")


def matches(config: Config, label_sets: Iterable[Labels]) -> list[tree.Match]:
    """The routes that take alerts with these label sets, each once."""
    return list(dict.fromkeys(match for labels in label_sets for match in tree.matches(config, labels)))


def watchdog(target: Target, alerts: Iterable[Alert]) -> Check:
    """The alert that always fires has come all the way from a rule to Alertmanager."""
    name = "routing/watchdog"
    always = [alert for alert in alerts if alert.is_watchdog]
    if not always:
        return skipped(name, "no rule with severity: none in rules/")
    held = {notice.labels.get("alertname") for notice in target.alertmanager.alerts()}
    absent = [alert.name for alert in always if alert.name not in held]
    young = [
        rule.name
        for group in target.prometheus.rules()
        for rule in group.rules
        if rule.name in absent and (rule.health == "unknown" or any(age(one.active_at) < RESENT for one in rule.alerts))
    ]
    if young:
        return skipped(name, f"{brief(young)} has only just begun to fire; look again in two minutes")
    if absent and age(target.alertmanager.status().uptime) < RESENT:
        return skipped(name, f"Alertmanager has only just started, {brief(absent)} is sent again; look in two minutes")
    if absent:
        return failed(
            name,
            f"{brief(absent)} always fires but is not at Alertmanager ({target.alertmanager.url}), so no other alert "
            "would be; look at Prometheus' /alerts and its log for `notify`",
        )
    return passed(name, f"{brief([alert.name for alert in always])} has come from Prometheus to Alertmanager")


def _receivers(found: Iterable[tree.Match]) -> str:
    return " and ".join(sorted({match.receiver for match in found}))


def _matchers(config: Config) -> Iterator[tree.Matcher]:
    for route in tree.tree(config).walk():
        yield from route.matchers


def _unlike(written: Labels, arrived: Labels, decisive: Collection[str]) -> str:
    """What an alert's decisive labels are else than in rules/: lost, changed and added ones."""
    lost = [f"without {name}" for name in written if name in decisive and name not in arrived]
    other = [
        f"with {name}={arrived[name]}" for name in arrived if name in decisive and written.get(name) != arrived[name]
    ]
    return brief([*lost, *other], 3) if lost or other else ""


def _timing(match: tree.Match) -> tuple[object, ...]:
    return (plain(match.receiver), match.group_by, match.group_wait, match.group_interval, match.repeat_interval)


class _Weeks:
    """The quiet minutes of routes in the week from a moment on, each worked out once: many alerts share a route."""

    def __init__(self, start: float) -> None:
        self._start = start
        self._known: dict[tuple[int, tree.Match], tuple[bool, ...]] = {}

    def of(self, config: Config, match: tree.Match) -> tuple[bool, ...]:
        key = (id(config), match)
        if key not in self._known:
            self._known[key] = hours.week(config, match, self._start)
        return self._known[key]


def plain(receiver: str) -> str:
    """A receiver's name without what the operator puts before it: `NAMESPACE/OBJECT/`."""
    return receiver.rpartition("/")[2]
