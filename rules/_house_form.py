"""What is asked of our own alerts and recordings: signal and limit, labels to route by, texts for a mail."""

import re
from collections.abc import Mapping

from formats.yaml_nodes import Node
from rules import _annotation_templates, _any_form, _promql
from rules._any_form import GroupHead
from rules._errors import RulesError
from rules._model import SHADOW, Alert

SEVERITIES = ("warning", "critical")
LABELS = ("severity", "component", "signal")
ANNOTATIONS = ("summary", "description", "runbook_url", "dashboard_url")
RECORD_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")

_ALERT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_LONGEST = 365 * 86400.0


def alert(value: Node, head: GroupHead) -> Alert:
    """An alert of ours. Raises RulesError for the first thing in which it is not as it should be."""
    parts = value.fields(_any_form.KEYS, ("alert", "expr", "labels", "annotations"))
    if not _ALERT_NAME.fullmatch(parts["alert"].text()):
        parts["alert"].refuse("must be one word of letters, digits and _: its runbook is a file of that name")
    found = _alert(value, head)
    if (stage := found.labels.get("stage", SHADOW)) != SHADOW:
        own = parts["labels"].fields().get("stage", parts["labels"])
        own.refuse(f"is `{stage}`: write `{SHADOW}` for an alert that is to tell nobody yet, or leave it out")
    if "team" not in found.labels:
        parts["labels"].refuse("lacks `team`: name the team of .github/CODEOWNERS that owns it")
    _check_annotations(parts["annotations"])
    return found


def alert_if_in_form(value: Node, head: GroupHead) -> Alert | None:
    """An alert of others that has signal, limit and our labels, so that it can be measured and tuned; else None."""
    parts = value.fields(_any_form.KEYS, ("alert", "expr"))
    if head.interval is None or "labels" not in parts or not _ALERT_NAME.fullmatch(parts["alert"].scalar()):
        return None
    _any_form.alert(value, head)  # refuses what nobody may write
    try:
        return _alert(value, head)
    except RulesError:
        return None


def labels(value: Node | None) -> Mapping[str, str]:
    """Labels by name; none for nothing. Raises RulesError for what each alert or series of ours must not have."""
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


def _alert(value: Node, head: GroupHead) -> Alert:
    """With signal, limit and labels checked, and nothing else."""
    parts = value.fields()
    split, row = _expression(parts["expr"])
    every = {**head.labels, **labels(parts["labels"])}
    _check_labels(parts["labels"], every, split.signal)
    assert head.interval is not None  # the reader of the group has seen to it
    return Alert(
        name=parts["alert"].text(),
        group=head.name,
        interval=head.interval,
        file=head.file,
        line=value.line,
        expr=parts["expr"].text(),
        signal=split.signal,
        limit=split.limit,
        limit_line=row,
        for_=_duration(parts["for"]) if "for" in parts else 0.0,
        keep_firing_for=_duration(parts["keep_firing_for"]) if "keep_firing_for" in parts else 0.0,
        labels=every,
        annotations=_texts(parts["annotations"]) if "annotations" in parts else {},
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


def _check_labels(value: Node, every: Mapping[str, str], signal: str) -> None:
    for label in LABELS:
        if label not in every:
            value.refuse(f"lacks `{label}`: alerts are routed and muted by {', '.join(LABELS)}")
    severity = every["severity"]
    # An alert that looks at no metric always fires: a watchdog, which must reach nobody as a warning.
    if severity == "none" and not _promql.names(signal):
        return
    if severity not in SEVERITIES:
        own = value.fields().get("severity", value)
        own.refuse(f"is `{severity}`, which is routed nowhere: use {' or '.join(SEVERITIES)}")


def _check_annotations(value: Node) -> None:
    for name, part in value.fields(needed=ANNOTATIONS).items():
        _check_template(name, part)
        if name.endswith("_url") and not re.fullmatch(r"https?://\S+", part.text()):
            part.refuse("must be a URL that starts with https://")
        if name == "summary" and "\n" in part.text().strip():
            part.refuse("must be a single line: it becomes a mail's subject")


def _texts(value: Node) -> Mapping[str, str]:
    return {key: part.text() for key, part in value.fields().items()}


def _check_template(name: str, part: Node) -> None:
    if not name:
        part.refuse("has an empty name")
    part.text()
    _any_form.check_template(part, _annotation_templates.check)


def _duration(value: Node) -> float:
    """Seconds; not more than a year."""
    seconds = _any_form.duration(value)
    if seconds > _LONGEST:
        value.refuse(f"is `{value.scalar()}`, more than a year: that is hardly meant")
    return seconds
