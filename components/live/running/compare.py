"""Compares what is wanted (components.live.running.wanted) with what runs."""

from collections.abc import Collection, Iterable, Mapping

from components.live.running.wanted import (
    ROOT,
    RoutingMarks,
    RuleMarks,
    comparable,
    inhibition_key,
    interval_marks,
    marks_of,
    route_key,
    route_mark,
    rule_marks,
    rule_name,
    rule_name_of,
)
from formats.fingerprints import fingerprint
from formats.json_types import JsonValue
from ops.clients.prometheus import RunningGroup, RunningRule
from routing import RoutingError, tree
from rules import Rule

HIDDEN = "<secret>"  # what Alertmanager shows instead of a secret


# ---------------------------------------------------------------- rules


def running_rules(groups: Iterable[RunningGroup]) -> dict[str, list[tuple[RunningRule, dict[str, str]]]]:
    """`group/name` → every rule that runs under it (the same group may stand in several files)."""
    found: dict[str, list[tuple[RunningRule, dict[str, str]]]] = {}
    for group in groups:
        for rule in group.rules:
            found.setdefault(rule_name(group.name, rule.name), []).append((rule, _running_marks(rule)))
    return found


def rules_not_running(wanted: RuleMarks, groups: Iterable[RunningGroup]) -> list[str]:
    """A sentence for each rule that does not run as written, or is unhealthy."""
    running = running_rules(groups)
    faults = []
    for key, parts in wanted.items():
        name = rule_name_of(key)
        candidates = running.get(name, [])
        where = f"rules/{parts['file']}: {name}"
        same = [rule for rule, runs in candidates if all(parts[part] == runs[part] for part in runs)]
        if not candidates:
            faults.append(f"{where} is not loaded")
        elif not same:
            differs = _differing_parts(parts, candidates[0][1])
            faults.append(f"{where} runs with another {' and '.join(differs)}")
        elif all(rule.health == "err" for rule in same):
            faults.append(f"{where} fails: {same[0].last_error}")
    return faults


def differing_parts(rule: Rule, running: RunningRule) -> list[str]:
    """Which parts of a rule run otherwise than written: `expression`, `for`, `keep_firing_for`, `labels`, …."""
    return _differing_parts(marks_of(rule), _running_marks(running))


def _differing_parts(wanted: Mapping[str, str], runs: Mapping[str, str]) -> list[str]:
    return [part for part in runs if wanted[part] != runs[part]]


def _running_marks(rule: RunningRule) -> dict[str, str]:
    return rule_marks(rule.query, rule.duration, rule.keep_firing_for, rule.labels, rule.annotations)


def rules_still_running(wanted: RuleMarks, groups: Iterable[RunningGroup]) -> list[str]:
    """A sentence for each of these rules that runs exactly as written here."""
    running = running_rules(groups)
    return [
        f"rule {name} still runs"
        for name, parts in ((rule_name_of(key), parts) for key, parts in wanted.items())
        if any(all(parts[part] == runs[part] for part in runs) for _, runs in running.get(name, []))
    ]


def unevaluated(wanted: RuleMarks, groups: Iterable[RunningGroup]) -> list[RunningRule]:
    """Rules of ours that Prometheus has not evaluated yet."""
    names = {rule_name_of(key) for key in wanted}
    return [
        rule
        for name, candidates in running_rules(groups).items()
        for rule, _ in candidates
        if name in names and rule.health == "unknown"
    ]


# ---------------------------------------------------------------- routing


def routing_not_running(wanted: RoutingMarks, config: Mapping[str, JsonValue]) -> list[str]:
    """A sentence for each part that does not run as written."""
    try:
        root, inhibitions, intervals = tree.tree(config), tree.inhibitions(config), interval_marks(config)
    except RoutingError as problem:
        return [f"Alertmanager's running configuration cannot be read: {problem}"]
    receivers = {str(receiver.get("name")): receiver for receiver in config.get("receivers") or ()}
    faults = []
    routes = {ROOT: route_mark(root), **{route_key(route): route_mark(route) for route in root.routes}}
    for shown, does in wanted["routes"].items():
        if routes.get(shown) != does:
            faults.append(f"route {shown} " + ("runs with other settings" if shown in routes else "does not run"))
    for name, fields in wanted["receivers"].items():
        if name not in receivers:
            faults.append(f"receiver {name} does not run")
        elif differs := _differing_keys(fields, receivers[name]):
            faults.append(f"receiver {name} runs with another {' and '.join(differs)}")
    run = {inhibition_key(rule) for rule in inhibitions}
    faults += [f"inhibition {rule} does not run" for rule in wanted["inhibitions"] if rule not in run]
    for name, times in wanted.get("intervals", {}).items():  # the state of an older version has none
        if intervals.get(name) != times:
            faults.append(f"time interval {name} " + ("runs with other times" if name in intervals else "does not run"))
    for key, mark in wanted.get("smtp", {}).items():
        value = (config.get("global") or {}).get(key, "")  # an empty one is not shown
        if not _is_hidden(value) and fingerprint(value) != mark:
            faults.append(f"{key} runs with another value")
    return faults


def running_receivers(wanted: RoutingMarks, config: Mapping[str, JsonValue]) -> list[str]:
    """The receivers of `wanted` that run, by name."""
    names = {str(receiver.get("name")) for receiver in config.get("receivers") or ()}
    return [name for name in wanted["receivers"] if name in names]


def routing_still_running(
    wanted: RoutingMarks, config: Mapping[str, JsonValue], left: Collection[str] = ()
) -> list[str]:
    """A sentence for each of these receivers that runs. `left`: names that the live text declares too."""
    return [f"receiver {name} still runs" for name in running_receivers(wanted, config) if name not in left]


def _differing_keys(wanted: Mapping[str, list[dict[str, str]]], runs: Mapping[str, JsonValue]) -> list[str]:
    found = []
    for kind, configs in wanted.items():
        live = runs.get(kind) or []
        if len(live) != len(configs):
            return [f"number of {kind}"]
        for one, other in zip(configs, live, strict=True):
            for key, mark in one.items():
                value = other.get(key)
                if not _is_hidden(value) and fingerprint(comparable(key, value)) != mark:
                    found.append(key)
    return found


def _is_hidden(value: JsonValue) -> bool:
    if isinstance(value, Mapping):
        return any(_is_hidden(each) for each in value.values())
    return bool(value == HIDDEN)
