"""One rule file's text → a RuleFile, or a RulesError that says what to do."""

from functools import lru_cache
from pathlib import Path

from formats import yaml_nodes
from formats.places import read_text, shown
from formats.yaml_nodes import Node
from rules import _any_form, _house_form, _promql
from rules._any_form import GroupHead
from rules._errors import RulesError, refuse
from rules._model import DEFAULT_INTERVAL, Group, Recording, Rule, RuleFile, is_house

_GROUP_KEYS = {"name", "interval", "query_offset", "limit", "labels", "rules"}
_RECORDING_KEYS = {"record", "expr", "labels"}
_ALERT_KEYS = {"alert", "expr", "for", "keep_firing_for", "labels", "annotations"}


def read(path: Path) -> RuleFile:
    """A rule file. Raises RulesError."""
    return parse(read_text(path, RulesError), path)


# One program or verb asks for the same files several times, and what they say is frozen. Were there more files than are
# kept, asking for all of them again would find none.
@lru_cache(maxsize=4096)
def parse(text: str, path: Path) -> RuleFile:
    """`path` is only named in errors and in the result; nothing is read from it."""
    root = yaml_nodes.read(text, shown(path), RulesError, plain=True)
    if root is None:
        refuse(path, 1, "the file is empty: give it `groups:`, or delete it")
    groups: dict[str, Group] = {}
    for value in root.fields({"groups"}, ("groups",))["groups"].items(needed=True):
        group = _group(value, path)
        if group.name in groups:
            value.refuse(f"has the name of another group, {group.name}: rename one")
        groups[group.name] = group
    return RuleFile(path, path.name, text, tuple(groups.values()))


def _group(value: Node, path: Path) -> Group:
    value.what = "the group"
    parts = value.fields(_GROUP_KEYS, ("name",))
    name = _any_form.word(parts["name"])
    house = is_house(name)
    value.what = f"the group {name}"
    value.fields(needed=("interval", "rules") if house else ("rules",))
    interval = _any_form.duration(parts["interval"]) if "interval" in parts else 0.0
    if house and not interval:
        parts["interval"].refuse("is zero: give it a duration such as 30s")
    if "query_offset" in parts:
        _any_form.duration(parts["query_offset"])
    limit = _any_form.whole_number(parts["limit"]) if "limit" in parts else 0
    labels = (_house_form.labels if house else _any_form.labels)(parts.get("labels"))
    head = GroupHead(name, path, interval or None, labels)
    rules = tuple(_rule(entry, head) for entry in parts["rules"].items(needed=house))
    return Group(name, value.line, interval or None, limit, rules, frozenset(parts))


def _rule(value: Node, head: GroupHead) -> Rule:
    value.what = f"the rule in group {head.name}"
    present = value.fields(_ALERT_KEYS | _RECORDING_KEYS)
    if ("alert" in present) == ("record" in present):
        value.refuse("must have either `alert` or `record`: the name of what it is")
    if "record" in present:
        return _recording(value, head)
    name = _any_form.word(present["alert"])
    value.what = f"the alert {name}"
    if is_house(head.name):
        return _house_form.alert(value, head)
    return _house_form.alert_if_in_form(value, head) or _any_form.alert(value, head)


def _recording(value: Node, head: GroupHead) -> Recording:
    name = _any_form.word(value.fields()["record"])
    value.what = f"the recording {name}"
    parts = value.fields(_RECORDING_KEYS, ("record", "expr"))
    house = is_house(head.name)
    if not (_house_form.RECORD_NAME.fullmatch(name) if house else _any_form.is_metric_name(name)):
        parts["record"].refuse("must be a metric name, as in level:metric:operation")
    expr = parts["expr"].text() if house else _any_form.word(parts["expr"])
    try:
        kind = _promql.kind(_promql.parse(expr))
    except ValueError as error:
        parts["expr"].refuse(str(error))
    if kind not in ("vector", "scalar"):
        parts["expr"].refuse(f"is a {kind}, and only a vector or scalar can be recorded")
    own = (_house_form.labels if house else _any_form.labels)(parts.get("labels"))
    interval = head.interval or DEFAULT_INTERVAL
    return Recording(name, head.name, interval, head.file, value.line, expr, {**head.labels, **own})
