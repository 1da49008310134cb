"""What should run, as fingerprints that a state can keep and a diff can show; and what of it does not run."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import rules
from ops.clients.prometheus import RunningGroup, RunningRule
from routing import Parts, RoutingError, tree
from rules import RuleFile

Wanted = Mapping[str, Any]

ROOT = "the first route"
HIDDEN = "<secret>"  # what Alertmanager shows instead of a secret


def fingerprint(value: object) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


# ---------------------------------------------------------------- rules


def wanted_rules(files: Iterable[RuleFile]) -> dict[str, dict[str, str]]:
    """`group/name#n` → the file where it stands, its expression, and a fingerprint of each other part of it."""
    found: dict[str, dict[str, str]] = {}
    for file in files:
        for group in file.groups:
            for rule in group.rules:
                parts = _parts(
                    rule.expr,
                    getattr(rule, "for_", 0.0),
                    getattr(rule, "keep_firing_for", 0.0),
                    rule.labels,
                    getattr(rule, "annotations", {}),
                )
                found[_free(found, group.name, rule.name)] = {"file": file.name, **parts}
    return found


def running_rules(groups: Iterable[RunningGroup]) -> dict[str, list[tuple[RunningRule, dict[str, str]]]]:
    """`group/name` → every rule that runs under it (the same group may stand in several files)."""
    found: dict[str, list[tuple[RunningRule, dict[str, str]]]] = {}
    for group in groups:
        for rule in group.rules:
            parts = _parts(rule.query, rule.duration, rule.keep_firing_for, rule.labels, rule.annotations)
            found.setdefault(f"{group.name}/{rule.name}", []).append((rule, parts))
    return found


def rules_not_running(wanted: Wanted, groups: Iterable[RunningGroup]) -> list[str]:
    """A sentence for each rule that does not run as written, or is unhealthy."""
    running = running_rules(groups)
    faults = []
    for key, parts in wanted.items():
        name = key.partition("#")[0]
        candidates = running.get(name, [])
        where = f"rules/{parts['file']}: {name}"
        same = [rule for rule, runs in candidates if all(parts[part] == runs[part] for part in runs)]
        if not candidates:
            faults.append(f"{where} is not loaded")
        elif not same:
            differs = [part for part in candidates[0][1] if parts[part] != candidates[0][1][part]]
            faults.append(f"{where} runs with another {' and '.join(differs)}")
        elif all(rule.health == "err" for rule in same):
            faults.append(f"{where} fails: {same[0].last_error}")
    return faults


def no_longer_wanted(olds: Wanted, news: Wanted) -> dict[str, Any]:
    """Of what was wanted before, what has gone from the repository since."""
    routing = {
        part: {k: v for k, v in olds["routing"][part].items() if k not in news["routing"][part]} for part in _LISTS
    }
    return {"rules": {k: v for k, v in olds["rules"].items() if k not in news["rules"]}, "routing": routing}


_LISTS = ("routes", "receivers", "inhibitions")


def rules_still_running(wanted: Wanted, groups: Iterable[RunningGroup]) -> list[str]:
    running = running_rules(groups)
    return [
        f"rule {name} still runs"
        for name, parts in ((key.partition("#")[0], parts) for key, parts in wanted.items())
        if any(all(parts[part] == runs[part] for part in runs) for _, runs in running.get(name, []))
    ]


def unevaluated(wanted: Wanted, groups: Iterable[RunningGroup]) -> list[RunningRule]:
    """Rules of ours that Prometheus has not evaluated yet."""
    names = {key.partition("#")[0] for key in wanted}
    return [
        rule
        for name, candidates in running_rules(groups).items()
        for rule, _ in candidates
        if name in names and rule.health == "unknown"
    ]


def _parts(
    expr: str, for_: float, keep: float, labels: Mapping[str, str], annotations: Mapping[str, str]
) -> dict[str, str]:
    return {
        "expression": _normal(expr),
        "for": f"{for_:g}s",
        "keep_firing_for": f"{keep:g}s",
        "labels": fingerprint(dict(labels)),
        "annotations": fingerprint(dict(annotations)),
    }


def _normal(expr: str) -> str:
    """Rules of others may use what our reader does not know; they are not compared anyway."""
    try:
        return rules.normalise(expr)
    except rules.RulesError:
        return expr


def _free(taken: Mapping[str, object], group: str, name: str) -> str:
    key, number = f"{group}/{name}", 2
    while key in taken:
        key, number = f"{group}/{name}#{number}", number + 1
    return key


# ---------------------------------------------------------------- routing


def wanted_routing(parts: Parts, whole: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Routes, receivers and inhibitions, each with a fingerprint of what it does.

    `whole`: the configuration where all of it is ours; then the first route counts too, and every receiver.
    """
    if whole is not None:
        root = tree.tree(whole)
        below = wanted_routing(Parts(tuple(whole["receivers"]), (), tuple(whole.get("inhibit_rules") or ()), ()))
        return {**below, "routes": {ROOT: _does(root)}}
    config = {"route": {"receiver": "-", "routes": list(parts.routes)}, "inhibit_rules": list(parts.inhibit_rules)}
    return {
        "routes": {_shown(route): _does(route) for route in tree.tree(config).routes},
        "receivers": {str(receiver["name"]): _fields(receiver) for receiver in parts.receivers},
        "inhibitions": {_rule(rule): "" for rule in tree.inhibitions(config)},
    }


def routing_not_running(wanted: Wanted, config: Mapping[str, Any]) -> list[str]:
    """A sentence for each part that does not run as written."""
    try:
        root, inhibitions = tree.tree(config), tree.inhibitions(config)
    except RoutingError as problem:
        return [f"Alertmanager's running configuration cannot be read: {problem}"]
    receivers = {str(receiver.get("name")): receiver for receiver in config.get("receivers") or ()}
    faults = []
    routes = {ROOT: _does(root), **{_shown(route): _does(route) for route in root.routes}}
    for shown, does in wanted["routes"].items():
        if routes.get(shown) != does:
            faults.append(f"route {shown} " + ("runs with other settings" if shown in routes else "does not run"))
    for name, fields in wanted["receivers"].items():
        if name not in receivers:
            faults.append(f"receiver {name} does not run")
        elif differs := _differing(fields, receivers[name]):
            faults.append(f"receiver {name} runs with another {' and '.join(differs)}")
    run = {_rule(rule) for rule in inhibitions}
    faults += [f"inhibition {rule} does not run" for rule in wanted["inhibitions"] if rule not in run]
    return faults


def routing_still_running(wanted: Wanted, config: Mapping[str, Any], left: Sequence[str]) -> list[str]:
    """`left`: receivers that somebody else's text still declares under our names."""
    names = {str(receiver.get("name")) for receiver in config.get("receivers") or ()} - {*left}
    return [f"receiver {name} still runs" for name in wanted["receivers"] if name in names]


def _shown(route: tree.Route) -> str:
    return "{" + ",".join(str(matcher) for matcher in route.matchers) + "}"


def _does(route: tree.Route) -> str:
    def plain(route: tree.Route) -> list[Any]:
        match = route.match
        timing = [match.group_wait, match.group_interval, match.repeat_interval]
        intervals = [list(match.mute_time_intervals), list(match.active_time_intervals)]
        below = [[_shown(child), plain(child)] for child in route.routes]
        return [match.receiver, list(match.group_by), timing, match.continue_, intervals, below]

    return f"{route.match.receiver} {fingerprint(plain(route))}"


def _rule(rule: tree.Inhibition) -> str:
    source, target = (",".join(str(matcher) for matcher in side) for side in (rule.source, rule.target))
    return f"{{{source}}} mutes {{{target}}} on {','.join(sorted(rule.equal))}"


def _fields(receiver: Mapping[str, Any]) -> dict[str, Any]:
    return {
        kind: [{key: fingerprint(_header(key, value)) for key, value in one.items()} for one in configs]
        for kind, configs in receiver.items()
        if isinstance(configs, (list, tuple))
    }


def _differing(wanted: Wanted, runs: Mapping[str, Any]) -> list[str]:
    found = []
    for kind, configs in wanted.items():
        live = runs.get(kind) or []
        if len(live) != len(configs):
            return [f"number of {kind}"]
        for one, other in zip(configs, live, strict=True):
            for key, mark in one.items():
                value = other.get(key)
                if not _secret(value) and fingerprint(_header(key, value)) != mark:
                    found.append(key)
    return found


def _secret(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_secret(each) for each in value.values())
    return bool(value == HIDDEN)


def _header(key: str, value: Any) -> Any:
    """Headers of a mail compare without the case of their names, and without those that Alertmanager fills in."""
    if key == "headers" and isinstance(value, Mapping):
        filled = {"from", "to"}
        return {name.lower(): text for name, text in value.items() if name.lower() not in filled}
    return value
