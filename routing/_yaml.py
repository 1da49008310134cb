"""YAML as Alertmanager reads it, and where in the file each value stands.

Alertmanager decodes YAML into typed Go fields: what is written in the place of a text is a text, however it looks.
PyYAML guesses types from the looks instead (`17:00` becomes 1020), so the fields that hold text are named here.
"""

import contextlib
import difflib
import re
from collections.abc import Collection, Hashable, Iterator, Mapping
from typing import Any, Never, cast

import yaml


class RoutingError(ValueError):
    """The routing cannot be used; the message is one sentence `file:line: what is wrong, and what to do`."""


# Keys below which every scalar is text to Alertmanager.
_TEXT = {
    *("name", "receiver", "group_by", "group_wait", "group_interval", "repeat_interval", "to", "headers"),
    *("matchers", "match", "match_re", "equal", "mute_time_intervals", "active_time_intervals"),
    *("source_matchers", "source_match", "source_match_re", "target_matchers", "target_match", "target_match_re"),
    *("times", "weekdays", "days_of_month", "months", "years", "location"),
}
_GUESSED = ("timestamp", "int", "float", "value")  # PyYAML's guesses that Go does not make, or makes otherwise
_NULL = "tag:yaml.org,2002:null"


class _Typed(yaml.constructor.SafeConstructor):
    """Without times, dates and base-60 numbers, and with text where Alertmanager has text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        result: dict[Hashable, Any] = super().construct_mapping(node, deep)
        for key, value in node.value:  # merge keys (<<) are resolved by now
            if key.value in _TEXT:
                result[key.value] = None if value.tag == _NULL else _as_text(value)
        return result


def _as_text(node: yaml.Node) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return [_as_text(item) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        return {key.value: _as_text(value) for key, value in node.value}
    return node.value


class _Loader(_Typed, yaml.SafeLoader):
    """PyYAML's own reader, which has the words for a refusal."""


_CSafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Fast(_Typed, _CSafeLoader):  # type: ignore[misc]
    """libyaml, of which Go's YAML is a port: ten times as fast."""


for _loader in (_Loader, _Fast):
    _loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag.rsplit(":", 1)[1] not in _GUESSED]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    _loader.add_implicit_resolver(
        "tag:yaml.org,2002:int", re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z"), list("-+0123456789")
    )
    _loader.add_implicit_resolver(
        "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+\.[0-9]*(?:[eE][-+]?[0-9]+)?\Z"), list("-+0123456789")
    )


def parse(text: str, file: str) -> tuple[yaml.Node | None, Any]:
    """The node tree (None for an empty text) and the value of a YAML text with one document. Raises RoutingError."""
    with contextlib.suppress(yaml.YAMLError):
        return _parsed(cast(Any, _Fast)(text), file)
    try:
        return _parsed(_Loader(text), file)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise RoutingError(f"{file}:{line}: not YAML: {error.problem or error.context}; mend that line.") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise RoutingError(f"{file}:{line}: not YAML: the character {error.character!r} is not allowed.") from None


def _parsed(loader: Any, file: str) -> tuple[yaml.Node | None, Any]:
    try:
        node = loader.get_single_node()
        if node is not None:
            _refuse_duplicates(node, file)
        return node, None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()


def scalar(text: str) -> str:
    """A text as YAML in one line, plain where that says the same."""
    if re.fullmatch(r"[A-Za-z/][\w./@:-]*", text) and not text.endswith(":") and yaml.safe_load(text) == text:
        return text
    return yaml.safe_dump(text, default_style='"', allow_unicode=True, width=10**9).rstrip("\n")


def _refuse_duplicates(root: yaml.Node, file: str) -> None:
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen or isinstance(node, yaml.ScalarNode):
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
            continue
        keys: dict[Any, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if isinstance(key, yaml.ScalarNode) and key.value in keys:
                first = keys[key.value]
                raise RoutingError(
                    f"{file}:{line}: {key.value} stands here a second time (first in line {first}); keep one."
                )
            keys[key.value if isinstance(key, yaml.ScalarNode) else id(key)] = line
            waiting += [key, value]


class At:
    """A value of the file with its place; every refusal names the place."""

    def __init__(self, node: yaml.Node, file: str) -> None:
        self.node, self.file = node, file

    @property
    def line(self) -> int:
        return self.node.start_mark.line + 1

    @property
    def null(self) -> bool:
        return self.node.tag == _NULL

    def refuse(self, sentence: str, *, below: int = 0) -> Never:
        raise RoutingError(f"{self.file}:{self.line + below}: {sentence}")

    def fields(self, what: str, known: Collection[str] | None = None) -> Mapping[str, "At"]:
        """A mapping's values by key, empty for null. `what` names it in refusals; `known` are the keys it may have."""
        if self.null:
            return {}
        if not isinstance(self.node, yaml.MappingNode):
            self.refuse(f"{what} has to be a mapping (key: value).")
        result = {}
        for key, value in self.node.value:
            name = key.value
            if known is not None and name not in known:
                near = difflib.get_close_matches(str(name), known, n=1)
                hint = f"did you mean {near[0]}?" if near else "Alertmanager would refuse it; take it out."
                At(key, self.file).refuse(f"{what} has no key {name}; {hint}")
            result[name] = At(value, self.file)
        return result

    def items(self, what: str) -> Iterator["At"]:
        """A list's values, none for null."""
        if self.null:
            return
        if not isinstance(self.node, yaml.SequenceNode):
            self.refuse(f"{what} has to be a list (- item).")
        for node in self.node.value:
            yield At(node, self.file)

    def text(self, what: str) -> str:
        """A scalar as it is written, empty for null."""
        if not isinstance(self.node, yaml.ScalarNode):
            self.refuse(f"{what} has to be a single value.")
        return "" if self.null else str(self.node.value)

    def flag(self, what: str) -> bool:
        if self.node.tag != "tag:yaml.org,2002:bool":
            self.refuse(f"{what} has to be true or false.")
        return str(self.node.value).lower() in ("true", "yes", "on")
