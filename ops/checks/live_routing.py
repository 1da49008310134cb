"""Does Alertmanager run our routing, and does every alert of ours reach its receiver there?"""

import re
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from ops.checks import Check, failed, passed, skipped
from ops.clients.alertmanager import Alertmanager
from ops.replay import hours
from ops.targets import Target
from ops.words import brief
from routing import Routing, tree
from rules import Alert

DEPLOY = "deploy with `pulumi up`"
# What a stack may set otherwise than the repository, what Alertmanager hides, and what it fills in.
_NOT_COMPARED = {"smarthost", "from", "hello", "require_tls", "tls_config"}
_HIDDEN = "<secret>"
# Seconds after which an alert has reached Alertmanager for certain: Prometheus sends one again every minute, and
# the first time is lost when it comes before Prometheus has found its Alertmanager.
RESENT = 120.0


def live(target: Target, routing: Routing, alerts: Iterable[Alert]) -> list[Check]:
    """Reload, receivers, inhibitions, and the way and the hours of every alert, on the configuration that runs."""
    config, alerts = target.alertmanager.status().config, list(alerts)
    return [
        reload(target.alertmanager),
        receivers(config, routing),
        inhibitions(config, routing, widened=target.settings.alertmanager_mode == "operator"),
        paths(config, routing, alerts),
        quiet_hours(config, routing, alerts),
    ]


def reload(alertmanager: Alertmanager) -> Check:
    """The last reload of Alertmanager succeeded."""
    name = "routing/reload"
    state = alertmanager.metric("alertmanager_config_last_reload_successful")
    if state == 0:
        return failed(
            name,
            f"Alertmanager at {alertmanager.url} could not read its configuration last time and runs the old one; "
            f"its next restart will fail: find `Loading configuration file failed` in its log, mend it, and {DEPLOY}",
        )
    return passed(name, "Alertmanager's last reload went well")


def receivers(config: Mapping[str, Any], routing: Routing) -> Check:
    """Our receivers are there, with our recipients, subjects and texts."""
    name = "routing/receivers"
    running = {plain(receiver["name"]): receiver for receiver in config.get("receivers") or ()}
    ours = routing.parts().receivers
    missing = [str(receiver["name"]) for receiver in ours if receiver["name"] not in running]
    if missing:
        return failed(name, f"Alertmanager runs without {_plural('receiver', missing)}; {DEPLOY}")
    other = [
        f"{receiver['name']} ({difference})"
        for receiver in ours
        if (difference := _difference(receiver, running[receiver["name"]]))
    ]
    if other:
        return failed(name, f"Alertmanager runs with another {_plural('receiver', other)}; {DEPLOY}")
    return passed(name, f"{len(ours)} receivers run as in routing/{routing.path.name}")


def inhibitions(config: Mapping[str, Any], routing: Routing, *, widened: bool = False) -> Check:
    """Our inhibitions are among those that run; `widened`: the operator has added matchers on the namespace."""
    name = "routing/inhibitions"
    running = tree.inhibitions(config)
    missing = [
        rule for rule in tree.inhibitions(routing.config) if not any(_is(rule, live, widened) for live in running)
    ]
    if missing:
        shown = brief([f"{_shown(rule.source)} over {_shown(rule.target)}" for rule in missing], 1)
        return failed(name, f"Alertmanager runs without the inhibition of {shown}; {DEPLOY}")
    return passed(name, f"{len(routing.config.get('inhibit_rules') or ())} of ours run, {len(running)} in all")


def paths(config: Mapping[str, Any], routing: Routing, alerts: Iterable[Alert]) -> Check:
    """Every alert ends, in the configuration that runs, where the repository sends it, as fast and as often."""
    name = "routing/paths"
    astray, count = [], 0
    for alert in alerts:
        count += 1
        labels = alert.label_set
        wanted = [_timing(match) for match in tree.matches(routing.config, labels)]
        actual = [_timing(match) for match in tree.matches(config, labels)]
        if any(way not in actual for way in wanted):
            there = " and ".join(sorted({match.receiver for match in tree.matches(config, labels)}))
            here = " and ".join(sorted({match.receiver for match in tree.matches(routing.config, labels)}))
            how = f"to {there} instead of {here}" if there != here else f"to {here} with other timing or grouping"
            astray.append(f"{alert.name} goes {how}")
    if astray:
        return failed(name, f"{brief(astray, 2)}; {DEPLOY}")
    return passed(name, f"all {count} alerts reach their receivers")


def quiet_hours(config: Mapping[str, Any], routing: Routing, alerts: Iterable[Alert]) -> Check:
    """No route is quiet at other hours of the week than the repository and the stack's working hours say."""
    name = "routing/hours"
    weeks = _Weeks(time.time() // 60 * 60)
    astray, kept = [], False
    for alert in alerts:
        labels = alert.label_set
        wanted = {(one.receiver, weeks.of(routing.config, one)) for one in tree.matches(routing.config, labels)}
        for match in tree.matches(config, labels):
            receiver, week = plain(match.receiver), weeks.of(config, match)
            kept = kept or any(week)
            if receiver in {one for one, _ in wanted} and (receiver, week) not in wanted:
                astray.append(f"{alert.name} to {receiver}")
    if astray:
        return failed(name, f"{brief(astray, 2)} is kept back at other hours than routing/ and settings say; {DEPLOY}")
    return passed(
        name, "some routes have hours, as the repository and the stack's settings say" if kept else "mails at any hour"
    )


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
        if rule.name in absent
        and (rule.health == "unknown" or any(_seconds_since(one.active_at) < RESENT for one in rule.alerts))
    ]
    if young:
        return skipped(name, f"{brief(young)} has only just begun to fire; look again in two minutes")
    if absent and _seconds_since(target.alertmanager.status().uptime) < RESENT:
        return skipped(name, f"Alertmanager has only just started, {brief(absent)} is sent again; look in two minutes")
    if absent:
        return failed(
            name,
            f"{brief(absent)} always fires but is not at Alertmanager ({target.alertmanager.url}), so no other alert "
            "would be; look at Prometheus' /alerts and its log for `notify`",
        )
    return passed(name, f"{brief([alert.name for alert in always])} has come from Prometheus to Alertmanager")


def _seconds_since(moment: str) -> float:
    """Seconds since a moment as the servers write it (RFC 3339)."""
    # Prometheus writes nanoseconds, of which Python reads six digits.
    begun = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", moment))
    return (datetime.now(UTC) - begun).total_seconds()


def _timing(match: tree.Match) -> tuple[object, ...]:
    return (plain(match.receiver), match.group_by, match.group_wait, match.group_interval, match.repeat_interval)


class _Weeks:
    """The quiet minutes of routes in the week from a moment on, each worked out once: many alerts share a route."""

    def __init__(self, start: float) -> None:
        self._start = start
        self._known: dict[tuple[int, tree.Match], tuple[bool, ...]] = {}

    def of(self, config: Mapping[str, Any], match: tree.Match) -> tuple[bool, ...]:
        key = (id(config), match)
        if key not in self._known:
            self._known[key] = hours.week(config, match, self._start)
        return self._known[key]


def _is(ours: tree.Inhibition, live: tree.Inhibition, widened: bool) -> bool:
    if {*ours.equal} != {*live.equal}:
        return False
    ends = (({*ours.source}, {*live.source}), ({*ours.target}, {*live.target}))
    return all(mine <= theirs if widened else mine == theirs for mine, theirs in ends)


def plain(receiver: str) -> str:
    """A receiver's name without what the operator puts before it: `NAMESPACE/OBJECT/`."""
    return receiver.rpartition("/")[2]


def _shown(matchers: Iterable[tree.Matcher]) -> str:
    return "{" + ",".join(str(matcher) for matcher in matchers) + "}"


def _plural(noun: str, items: list[str]) -> str:
    return f"{noun}{'s' if len(items) > 1 else ''} {brief(items)}"


def _difference(ours: Any, live: Any, where: str = "") -> str | None:
    """Where `live` lacks what `ours` says; what Alertmanager fills in or hides is no difference."""
    if isinstance(ours, Mapping):
        if not isinstance(live, Mapping):
            return f"no {where}"
        for key, value in ours.items():
            if key in _NOT_COMPARED or str(key).startswith("auth_"):
                continue
            found = live.get(key)
            if found is None and isinstance(key, str) and where.endswith("headers"):
                found = {str(name).lower(): text for name, text in live.items()}.get(key.lower())
            if difference := _difference(value, found, f"{where}.{key}".lstrip(".")):
                return difference
        return None
    if isinstance(ours, list):
        if not isinstance(live, list) or len(ours) != len(live):
            return f"another number of {where}"
        pairs = zip(ours, live, strict=True)
        return next((found for one, other in pairs if (found := _difference(one, other, where))), None)
    if live == _HIDDEN or str(ours) == str(live):
        return None
    return f"{where} differs"
