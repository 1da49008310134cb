"""What Prometheus asks of the parts of a rule file, and no more: so other teams' rules are read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from formats import durations
from formats.yaml_nodes import Node
from rules import _annotation_templates, _promql
from rules._model import OtherAlert

KEYS = {"alert", "expr", "for", "keep_firing_for", "labels", "annotations"}
_LARGEST = 2**63 - 1


@dataclass(frozen=True)
class GroupHead:
    """What a group says of all its rules. `interval` in seconds; None: as often as the server says."""

    name: str
    file: Path
    interval: float | None
    labels: Mapping[str, str]


def alert(value: Node, head: GroupHead) -> OtherAlert:
    """An alert in any form. Raises RulesError for what Prometheus would not load, or never could evaluate."""
    parts = value.fields(KEYS, ("alert", "expr"))
    expr = word(parts["expr"])
    try:
        kind = _promql.kind(_promql.parse(expr))
    except ValueError as error:
        parts["expr"].refuse(str(error))
    if kind not in ("vector", "scalar"):
        parts["expr"].refuse(f"is a {kind}, and an alert needs a vector or scalar")
    return OtherAlert(
        name=word(parts["alert"]),
        group=head.name,
        file=head.file,
        line=value.line,
        expr=expr,
        for_=duration(parts["for"]) if "for" in parts else 0.0,
        keep_firing_for=duration(parts["keep_firing_for"]) if "keep_firing_for" in parts else 0.0,
        labels={**head.labels, **labels(parts.get("labels"))},
        annotations=_texts(parts.get("annotations")),
        keys=frozenset(parts),
    )


def labels(value: Node | None) -> Mapping[str, str]:
    """Labels by name; none for nothing. A label without a text is none for Prometheus, too."""
    found = _texts(value)
    if value is not None and "__name__" in found:
        value.fields()["__name__"].refuse("is set by Prometheus itself: remove it")
    return {name: text for name, text in found.items() if text}


def word(value: Node) -> str:
    """A single value, as Go reads it into a text whatever its type; not nothing."""
    written = value.scalar()
    if not written:
        value.refuse("is empty: fill it in")
    return written


def duration(value: Node) -> float:
    """Seconds, from Prometheus' form of a duration."""
    try:
        return durations.seconds(value.scalar())
    except ValueError as error:
        value.refuse(f"cannot be read: {error}")


def whole_number(value: Node) -> int:
    """An integer, as Go's."""
    written = value.scalar()
    if not re.fullmatch(r"-?\d{1,19}", written) or abs(int(written)) > _LARGEST:
        value.refuse("must be a whole number")
    return int(written)


def is_metric_name(name: str) -> bool:
    """Whether series may have this name: any text, since Prometheus 3.0, that is not as the braces of a selector."""
    return bool(name) and not set("{}") & set(name)


def _texts(value: Node | None) -> Mapping[str, str]:
    """Labels or annotations, whose templates can be parsed."""
    if value is None:
        return {}
    found = {}
    for name, part in value.fields().items():
        if not name:
            part.refuse("has an empty name")
        found[name] = part.scalar()
        check_template(part, _annotation_templates.check_syntax)
    return found


def check_template(part: Node, check: _annotation_templates.Check) -> None:
    """Raise RulesError where `check` raises TemplateError for the text of `part`."""
    try:
        check(part.scalar())
    except _annotation_templates.TemplateError as error:
        raise part.error(f"{part.what} has a fault in its template: {error}", error.row) from None
