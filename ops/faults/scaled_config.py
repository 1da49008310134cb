"""The texts that the servers read: our rules, our routing, and what is scraped, by a clock that runs faster."""

import copy
from collections.abc import Mapping, Sequence

import yaml

import rules
from formats import durations
from formats.json_types import JsonObject
from ops.faults.scaled_clock import Clock
from routing import tree
from rules import Recording, Rule

SCRAPE_INTERVAL = 15.0  # seconds, as production has
_ROUTE_KEYS = ("group_wait", "group_interval", "repeat_interval")


def rule_texts(clock: Clock) -> dict[str, str]:
    """Our rule files, by name, with shortened intervals, `for` and expressions. Raises what `Clock.expression` does."""
    return {file.name: _text(file, clock) for file in rules.load()}


def _text(file: rules.RuleFile, clock: Clock) -> str:
    groups = [
        {
            "name": group.name,
            "interval": clock.shortened(group.interval or SCRAPE_INTERVAL),
            "rules": [_rule(rule, clock) for rule in group.rules],
        }
        for group in file.groups
    ]
    return yaml.safe_dump({"groups": groups}, sort_keys=False)


def _rule(rule: Rule, clock: Clock) -> JsonObject:
    if isinstance(rule, Recording):
        return {"record": rule.name, "expr": clock.expression(rule.expr), "labels": dict(rule.labels)}
    return {
        "alert": rule.name,
        "expr": clock.expression(rule.expr),
        "for": clock.shortened(rule.for_),
        "keep_firing_for": clock.shortened(rule.keep_firing_for),
        "labels": dict(rule.labels),
        "annotations": dict(rule.annotations),
    }


def alertmanager_text(config: tree.Config, clock: Clock, *, smarthost: str, user: str, password_file: str) -> str:
    """An Alertmanager configuration with shortened times, whose mails go to another relay."""
    scaled: JsonObject = copy.deepcopy(dict(config))
    waiting = [scaled["route"]]
    while waiting:
        route = waiting.pop()
        route |= {key: clock.shortened(durations.seconds(str(route[key]))) for key in _ROUTE_KEYS if key in route}
        waiting += route.get("routes") or ()
    scaled["global"] = {
        **(scaled.get("global") or {}),
        "smtp_smarthost": smarthost,
        "smtp_auth_username": user,
        "smtp_auth_password_file": password_file,
    }
    return yaml.safe_dump(scaled, sort_keys=False, allow_unicode=True)


def prometheus_text(clock: Clock, *, alertmanager: str, rule_files: str, job: str, targets: Mapping[str, str]) -> str:
    """A configuration of Prometheus. `targets`: instance → address; `alertmanager`: its address."""
    scraped: Sequence[JsonObject] = [
        {"targets": [address], "labels": {"instance": instance}} for instance, address in targets.items()
    ]
    interval = clock.shortened(SCRAPE_INTERVAL)
    return yaml.safe_dump(
        {
            "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
            "rule_files": [rule_files],
            "scrape_configs": [{"job_name": job, "static_configs": scraped}],
        },
        sort_keys=False,
    )
