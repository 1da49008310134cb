"""What should run, as fingerprints that a state can keep and a diff can show."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import NotRequired, TypeAlias, TypedDict, TypeVar

import rules
from formats.fingerprints import fingerprint
from formats.json_types import JsonObject, JsonValue
from routing import Parts, tree
from rules import Recording, Rule, RuleFile

# GROUP/RULE#n → file, expression, and a fingerprint of each other part
RuleMarks: TypeAlias = dict[str, dict[str, str]]


class RoutingMarks(TypedDict):
    """Each part's name or matchers, and a fingerprint of what it does."""

    routes: dict[str, str]
    receivers: dict[str, dict[str, list[dict[str, str]]]]  # name → kind of sender → what each of them is given
    inhibitions: dict[str, str]
    intervals: NotRequired[dict[str, str]]  # the state of an older version has none
    smtp: NotRequired[dict[str, str]]


class Wanted(TypedDict):
    """All rules and all of the routing that should run."""

    rules: RuleMarks
    routing: RoutingMarks


ROOT = "the first route"
_NUMBER = re.compile(r"(?<!#)((?:##)*)#\d+$")  # of a key, after its name
T = TypeVar("T")


def decode_wanted(props: Mapping[str, JsonValue]) -> JsonObject:
    """A proof's inputs, with the JSON in `wanted` as `rules` and `routing` (Wanted)."""
    return {**props, **json.loads(props.get("wanted") or "{}")}


def no_longer_wanted(olds: Wanted, news: Wanted) -> Wanted:
    """What was wanted before and is not any more."""
    before, now = olds["routing"], news["routing"]
    return {
        "rules": _without(olds["rules"], news["rules"]),
        "routing": {
            "routes": _without(before["routes"], now["routes"]),
            "receivers": _without(before["receivers"], now["receivers"]),
            "inhibitions": _without(before["inhibitions"], now["inhibitions"]),
        },
    }


def _without(olds: dict[str, T], news: Mapping[str, object]) -> dict[str, T]:
    return {key: value for key, value in olds.items() if key not in news}


# ---------------------------------------------------------------- rules


def wanted_rules(files: Iterable[RuleFile]) -> RuleMarks:
    """`group/name#n` → its file, its expression, and a fingerprint of each other part of it."""
    found: RuleMarks = {}
    for file in files:
        for group in file.groups:
            for rule in group.rules:
                found[_free_key(found, group.name, rule.name)] = {"file": file.name, **marks_of(rule)}
    return found


def marks_of(rule: Rule) -> dict[str, str]:
    """Those of a rule as it is written (`rule_marks`); a recording waits for nothing and has no annotations."""
    if isinstance(rule, Recording):
        return rule_marks(rule.expr, 0.0, 0.0, rule.labels, {})
    return rule_marks(rule.expr, rule.for_, rule.keep_firing_for, rule.labels, rule.annotations)


def rule_marks(
    expr: str, for_: float, keep: float, labels: Mapping[str, str], annotations: Mapping[str, str]
) -> dict[str, str]:
    """The expression in one spelling, times in seconds (`300s`), and fingerprints of labels and of annotations."""
    return {
        "expression": _normalised(expr),
        "for": f"{for_:g}s",
        "keep_firing_for": f"{keep:g}s",
        "labels": fingerprint(dict(labels)),
        "annotations": fingerprint(dict(annotations)),
    }


def _normalised(expr: str) -> str:
    """An expression in one spelling; as it is where our reader does not know it, as in rules of others."""
    try:
        return rules.normalise(expr)
    except rules.RulesError:
        return expr


def _free_key(taken: Mapping[str, object], group: str, name: str) -> str:
    first = rule_name(group, name).replace("#", "##")  # a name may have a # of its own
    key, number = first, 2
    while key in taken:
        key, number = f"{first}#{number}", number + 1
    return key


def rule_name(group: str, name: str) -> str:
    """`group/name`, which several rules may share."""
    return f"{group}/{name}"


def rule_name_of(key: str) -> str:
    """The `group/name` of a key of `RuleMarks`."""
    return _NUMBER.sub(r"\1", key).replace("##", "#")


# ---------------------------------------------------------------- routing


def wanted_routing(parts: Parts, whole: Mapping[str, JsonValue] | None = None) -> RoutingMarks:
    """Routes, receivers, inhibitions and time intervals, each with a fingerprint of what it does.

    `whole`: the configuration where all of it is ours; then the first route, every receiver and the mail settings
    count too.
    """
    if whole is not None:
        root = tree.tree(whole)
        below = wanted_routing(Parts(tuple(whole["receivers"]), (), tuple(whole.get("inhibit_rules") or ()), ()))
        smtp = {key: fingerprint(value) for key, value in (whole.get("global") or {}).items() if key[:5] == "smtp_"}
        return {**below, "routes": {ROOT: route_mark(root)}, "intervals": interval_marks(whole), "smtp": smtp}
    config = {"route": {"receiver": "-", "routes": list(parts.routes)}, "inhibit_rules": list(parts.inhibit_rules)}
    return {
        "routes": {route_key(route): route_mark(route) for route in tree.tree(config).routes},
        "receivers": {str(receiver["name"]): _receiver_marks(receiver) for receiver in parts.receivers},
        "inhibitions": {inhibition_key(rule): "" for rule in tree.inhibitions(config)},
        "intervals": interval_marks({"time_intervals": parts.time_intervals}),
    }


def route_key(route: tree.Route) -> str:
    """A route by its matchers, which no two of ours share."""
    return "{" + ",".join(str(matcher) for matcher in route.matchers) + "}"


def route_mark(route: tree.Route) -> str:
    """The route's receiver, and a fingerprint of all its settings and of the routes below it."""

    def plain(route: tree.Route) -> list[object]:
        match = route.match
        timing = [match.group_wait, match.group_interval, match.repeat_interval]
        intervals = [list(match.mute_time_intervals), list(match.active_time_intervals)]
        below = [[route_key(child), plain(child)] for child in route.routes]
        return [match.receiver, list(match.group_by), timing, match.continue_, intervals, below]

    return f"{route.match.receiver} {fingerprint(plain(route))}"


def inhibition_key(rule: tree.Inhibition) -> str:
    """An inhibition in one line: it has no settings beside these."""
    source, target = (",".join(str(matcher) for matcher in side) for side in (rule.source, rule.target))
    return f"{{{source}}} mutes {{{target}}} on {','.join(sorted(rule.equal))}"


def interval_marks(config: Mapping[str, JsonValue]) -> dict[str, str]:
    """Name → fingerprint of the times."""
    return {name: fingerprint(times) for name, times in tree.intervals(config).items()}


def _receiver_marks(receiver: Mapping[str, JsonValue]) -> dict[str, list[dict[str, str]]]:
    return {
        kind: [{key: fingerprint(comparable(key, value)) for key, value in one.items()} for one in configs]
        for kind, configs in receiver.items()
        if isinstance(configs, (list, tuple))
    }


def comparable(key: str, value: JsonValue) -> JsonValue:
    """A value to compare: a mail's headers in lower case, without those that Alertmanager fills in."""
    if key == "headers" and isinstance(value, Mapping):
        filled = {"from", "to"}
        return {name.lower(): text for name, text in value.items() if name.lower() not in filled}
    return value
