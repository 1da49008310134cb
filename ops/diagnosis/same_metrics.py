"""Live alerts of others on the metrics that ours read, and whether they go to the same receivers."""

import re
from collections.abc import Iterable, Iterator, Mapping

import rules
from metrics import ContractError, selectors
from ops.checks import Check, failed, passed, skipped
from ops.clients.prometheus import RunningGroup, RunningRule
from ops.errors import OpsError
from ops.targets import Target
from ops.words import brief, listed
from routing import RoutingError, tree
from rules import Alert

_PART = re.compile(r"_(?:bucket|count|sum)$")


def checks(target: Target, alerts: Iterable[Alert]) -> list[Check]:
    """A check for each alert of others that reads a metric of ours; one check where there is none.

    It failed where somebody is told of both. Raises what Prometheus' client raises.
    """
    ours = list(alerts)
    every = {alert.name for alert in rules.alerts(stack=target.name).values()}
    groups = target.prometheus.rules()
    recorded = {rule.name: rule.query for group in groups for rule in group.rules if rule.recording}
    metrics_of = {alert.name: _read([alert.expr], recorded) for alert in ours}
    told, unknown = _told(target)
    found = []
    for group, rule in _alerting(groups):
        shared = {name: alike for name in metrics_of if (alike := metrics_of[name] & _read([rule.query], recorded))}
        if rule.name in every or not shared:
            continue
        reads = f"reads {brief(sorted(set[str]().union(*shared.values())), 2)}, as {brief(list(shared))}"
        where = f"{rule.name} of group {group.name} ({group.file.rpartition('/')[2]})"
        theirs = told({**rule.labels, "alertname": rule.name})
        both = [
            (alert.name, same)
            for alert in ours
            if alert.name in shared and (same := [one for one in told(alert.label_set) if one in theirs])
        ]
        if both:
            receivers = listed(list(dict.fromkeys(one for _, same in both for one in same)))
            found.append(
                failed(
                    f"rule {rule.name}",
                    f"{where} {reads}, and {receivers} is told of both; leave one of them out, or route it elsewhere",
                )
            )
        else:
            whom = unknown or f"it goes to {listed(theirs)}" if theirs or unknown else "it tells nobody"
            found.append(skipped(f"rule {rule.name}", f"{where} {reads}; {whom}"))
    return found or [passed("rules of others", "none reads a metric that an alert of ours reads")]


def read_by(alerts: Iterable[Alert]) -> set[str]:
    """Every metric (`family`) that these alerts read, also through our recordings."""
    recorded = {name: one.expr for name, one in rules.recordings().items()}
    return _read([alert.expr for alert in alerts], recorded)


def _told(target: Target) -> tuple["_Told", str]:
    """Who is told of an alert with given labels, by the configuration that runs, and why that is not known."""
    try:
        config = target.alertmanager.status().config
        tree.tree(config)
    except (OpsError, RoutingError) as error:
        return _Told(None), f"to whom it goes is not known: {error}"
    return _Told(config), ""


class _Told:
    def __init__(self, config: tree.Config | None) -> None:
        self._config = config

    def __call__(self, labels: Mapping[str, str]) -> list[str]:
        return tree.told(self._config, labels) if self._config is not None else []


def _alerting(groups: Iterable[RunningGroup]) -> Iterator[tuple[RunningGroup, RunningRule]]:
    for group in groups:
        for rule in group.rules:
            if not rule.recording:
                yield group, rule


def _read(expressions: Iterable[str], recorded: Mapping[str, str]) -> set[str]:
    """The metrics that expressions read: of recordings what these read. `up` and the like are everybody's."""
    found: set[str] = set()
    waiting, done = list(expressions), set[str]()
    while waiting:
        try:
            names = {selector.name for selector in selectors(waiting.pop())}
        except ContractError:  # of others, in words that our parser does not know
            continue
        for name in names - done:
            done.add(name)
            if name in recorded:
                waiting.append(recorded[name])
            elif name and name not in ("up", "ALERTS", "ALERTS_FOR_STATE"):
                found.add(family(name))
    return found


def family(name: str) -> str:
    """The metric that a series belongs to: of a histogram, without `_bucket`, `_count` and `_sum`."""
    return _PART.sub("", name)
