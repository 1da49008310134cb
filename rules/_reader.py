"""One rule file's text → a RuleFile, or a RulesError that says what to do."""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from formats import durations, yaml_nodes
from formats.places import read_text, shown
from formats.yaml_nodes import Node
from rules import _annotation_templates, _promql
from rules._errors import RulesError, refuse
from rules._model import Alert, Group, Recording, RuleFile

SEVERITIES = ("warning", "critical")
LABELS = ("severity", "component", "signal")
ANNOTATIONS = ("summary", "description", "runbook_url", "dashboard_url")

_GROUP_KEYS = {"name", "interval", "query_offset", "limit", "labels", "rules"}
_RECORDING_KEYS = {"record", "expr", "labels"}
_ALERT_KEYS = {"alert", "expr", "for", "keep_firing_for", "labels", "annotations"}
_ALERT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_RECORD_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LONGEST = 365 * 86400.0


def read(path: Path) -> RuleFile:
    """A rule file. Raises RulesError."""
    return parse(read_text(path, RulesError), path)


@lru_cache(maxsize=64)  # one program or verb asks for the same files several times, and what they say is frozen
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
    parts = value.fields(_GROUP_KEYS, ("name", "interval", "rules"))
    name = parts["name"].text()
    interval = _duration(parts["interval"])
    if not interval:
        parts["interval"].refuse("is zero: give it a duration such as 30s")
    if "query_offset" in parts:
        _duration(parts["query_offset"])
    if "limit" in parts and not re.fullmatch(r"\d{1,9}", parts["limit"].scalar()):
        parts["limit"].refuse("must be a whole number")
    labels = _labels(parts.get("labels"))
    rules = tuple(_rule(entry, path, name, interval, labels) for entry in parts["rules"].items(needed=True))
    return Group(name, interval, rules, frozenset(parts))


def _rule(value: Node, path: Path, group: str, interval: float, common: Mapping[str, str]) -> Alert | Recording:
    value.what = f"the rule in group {group}"
    present = value.fields(_ALERT_KEYS | _RECORDING_KEYS)
    if ("alert" in present) == ("record" in present):
        value.refuse("must have either `alert` or `record`: the name of what it is")
    if "record" in present:
        return _recording(value, path, group, interval, common)
    return _alert(value, path, group, interval, common)


def _recording(value: Node, path: Path, group: str, interval: float, common: Mapping[str, str]) -> Recording:
    name = value.fields(_ALERT_KEYS | _RECORDING_KEYS)["record"].text()
    value.what = f"the recording {name}"
    parts = value.fields(_RECORDING_KEYS, ("record", "expr"))
    if not _RECORD_NAME.fullmatch(name):
        parts["record"].refuse("must be a metric name, as in level:metric:operation")
    expr = parts["expr"].text()
    try:
        kind = _promql.kind(_promql.parse(expr))
    except ValueError as error:
        parts["expr"].refuse(str(error))
    if kind not in ("vector", "scalar"):
        parts["expr"].refuse(f"is a {kind}, and only a vector or scalar can be recorded")
    return Recording(name, group, interval, path, value.line, expr, {**common, **_labels(parts.get("labels"))})


def _alert(value: Node, path: Path, group: str, interval: float, common: Mapping[str, str]) -> Alert:
    name = value.fields(_ALERT_KEYS | _RECORDING_KEYS)["alert"].text()
    value.what = f"the alert {name}"
    parts = value.fields(_ALERT_KEYS, ("alert", "expr", "labels", "annotations"))
    if not _ALERT_NAME.fullmatch(name):
        parts["alert"].refuse("must be one word of letters, digits and _: its runbook is a file of that name")
    split, row = _expression(parts["expr"])
    labels = {**common, **_labels(parts["labels"])}
    _check_labels(parts["labels"], labels, split.signal)
    return Alert(
        name=name,
        group=group,
        interval=interval,
        file=path,
        line=value.line,
        expr=parts["expr"].text(),
        signal=split.signal,
        limit=split.limit,
        limit_line=row,
        for_=_duration(parts["for"]) if "for" in parts else 0.0,
        keep_firing_for=_duration(parts["keep_firing_for"]) if "keep_firing_for" in parts else 0.0,
        labels=labels,
        annotations=_annotations(parts["annotations"]),
        keys=frozenset(parts),
    )


def _expression(value: Node) -> tuple[_promql.Split, int]:
    """The expression taken apart, and the line of its limit in the file."""
    expr = value.text()
    if not value.is_literal:
        value.refuse("must be a literal block (`expr: |`), so that its limit has a line of its own")
    try:
        split = _promql.split(expr)
    except ValueError as error:
        value.refuse(str(error))
    return split, value.line_of(split.row)


def _check_labels(value: Node, labels: Mapping[str, str], signal: str) -> None:
    for label in LABELS:
        if label not in labels:
            value.refuse(f"lacks `{label}`: alerts are routed and muted by {', '.join(LABELS)}")
    severity = labels["severity"]
    # An alert that looks at no metric always fires: a watchdog, which must reach nobody as a warning.
    if severity == "none" and not _promql.names(signal):
        return
    if severity not in SEVERITIES:
        own = value.fields().get("severity", value)
        own.refuse(f"is `{severity}`, which is routed nowhere: use {' or '.join(SEVERITIES)}")


def _annotations(value: Node) -> Mapping[str, str]:
    for name, part in value.fields(needed=ANNOTATIONS).items():
        _check_template(name, part)
        if name.endswith("_url") and not re.fullmatch(r"https?://\S+", part.text()):
            part.refuse("must be a URL that starts with https://")
        if name == "summary" and "\n" in part.text().strip():
            part.refuse("must be a single line: it becomes a mail's subject")
    return _texts(value)


def _labels(value: Node | None) -> Mapping[str, str]:
    if value is None:
        return {}
    for name, part in value.fields().items():
        if name in ("alertname", "__name__"):
            part.refuse("is set by Prometheus itself: remove it")
        _check_template(name, part)
        if _annotation_templates.words(part.text()) & {"$value", ".Value"}:
            part.refuse(
                "has the alert's value in it, so each new value would be another alert, and none would last long "
                "enough to fire: put the value into an annotation"
            )
    return _texts(value)


def _texts(value: Node) -> Mapping[str, str]:
    return {key: part.text() for key, part in value.fields().items()}


def _check_template(name: str, part: Node) -> None:
    if not name:
        part.refuse("has an empty name")
    try:
        _annotation_templates.check(part.text())
    except _annotation_templates.TemplateError as error:
        raise part.error(f"{part.what} has a fault in its template: {error}", error.row) from None


def _duration(value: Node) -> float:
    """Seconds, from Prometheus' form of a duration."""
    text = value.scalar()
    try:
        seconds = durations.seconds(text)
    except ValueError as error:
        value.refuse(f"cannot be read: {error}")
    if seconds > _LONGEST:
        value.refuse(f"is `{text}`, more than a year: that is hardly meant")
    return seconds
