"""The values of a YAML text as Alertmanager has them, besides its nodes.

Alertmanager decodes YAML into typed Go fields: what is written in the place of a text is a text, however it looks.
PyYAML guesses types from the looks instead, so the fields that hold text are named here.
"""

import re
from collections.abc import Hashable

import yaml

from formats import yaml_nodes
from formats.json_types import JsonValue
from formats.places import FormatError, Place
from formats.yaml_nodes import Node


class RoutingError(FormatError):
    """The routing cannot be used."""


_NULL = "tag:yaml.org,2002:null"
# Keys below which every scalar is text to Alertmanager.
_TEXT = {
    *("name", "receiver", "group_by", "group_wait", "group_interval", "repeat_interval", "to", "headers", "labels"),
    *("matchers", "match", "match_re", "equal", "mute_time_intervals", "active_time_intervals"),
    *("source_matchers", "source_match", "source_match_re", "target_matchers", "target_match", "target_match_re"),
    *("times", "weekdays", "days_of_month", "months", "years", "location"),
}


class _Typed(yaml.constructor.SafeConstructor):
    """With text where Alertmanager has text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:
        result: dict[Hashable, object] = super().construct_mapping(node, deep)
        for key, value in node.value:  # merge keys (<<) are resolved by now
            if key.value in _TEXT:
                result[key.value] = None if value.tag == _NULL else _as_text(value)
        return result


def _as_text(node: yaml.Node) -> object:
    if isinstance(node, yaml.SequenceNode):
        return [_as_text(item) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        return {key.value: _as_text(value) for key, value in node.value}
    return "" if node.tag == _NULL else node.value


def parse(text: str, file: str) -> tuple[Node | None, JsonValue]:
    """The root (None for an empty text) and the value of a YAML text with one document. Raises RoutingError."""
    root = yaml_nodes.read(text, file, RoutingError)
    if root is None:
        return None, None
    root.what = "the configuration"
    try:
        return root, _Typed().construct_document(root.yaml)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise RoutingError(f"is not YAML: {error.problem}", Place(file, mark.line + 1 if mark else 1)) from None
    except RecursionError:
        raise RoutingError("is nested too deeply: no configuration needs that", Place(file, 1)) from None


def scalar(text: str) -> str:
    """A text as YAML in one line, plain where that says the same."""
    if re.fullmatch(r"[A-Za-z/][\w./@:-]*", text) and not text.endswith(":") and yaml.safe_load(text) == text:
        return text
    return yaml.safe_dump(text, default_style='"', allow_unicode=True, width=10**9).rstrip("\n")
