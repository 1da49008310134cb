"""A YAML text as nodes with character positions; nodes can be compared without their positions.

Built from the parser's events, so aliases stay leaves (no expansion, no recursion) and anchors are seen.
It edits by position what others wrote, so it refuses nothing that is odd; `formats.yaml_nodes` checks files of ours.
libyaml is preferred where PyYAML has it: Go's parser is a port of it, so both accept the same tabs.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import yaml
from yaml.nodes import ScalarNode
from yaml.resolver import Resolver

Shape: TypeAlias = tuple[object, ...]

PARSER: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_RESOLVER: Any = Resolver()


class NotPlain(ValueError):
    """The text is not one YAML document that can be edited by position.

    The message is a clause without subject; ``line`` is 1-based, or 0.
    """

    def __init__(self, what: str, line: int) -> None:
        super().__init__(what)
        self.line = line


@dataclass(frozen=True)
class Node:
    """A node of the text, as it is written."""

    kind: str  # scalar, sequence, mapping, alias
    start: int  # character positions in the text; an end lies behind trailing comments for block collections
    end: int
    column: int
    flow: bool
    anchor: str | None
    tag: str | None  # as written
    value: str  # of a scalar; the anchor's name of an alias
    resolved: str  # what YAML 1.1 takes a scalar for
    children: tuple["Node", ...]  # items; a mapping's keys and values in turn

    def pairs(self) -> Iterator[tuple["Node", "Node"]]:
        """The keys of a mapping, each with its value."""
        return zip(self.children[::2], self.children[1::2], strict=True)

    def get(self, key: str) -> tuple["Node", "Node"] | None:
        """A key of a mapping and its value; None where there is no such key."""
        return next(((k, v) for k, v in self.pairs() if k.kind == "scalar" and k.value == key), None)

    def is_null(self) -> bool:
        """Whether YAML 1.1 takes it for null, be it written or left out."""
        return self.kind == "scalar" and self.resolved == "tag:yaml.org,2002:null"

    def shape(self) -> Shape:
        """What the node says, whatever its layout: equal shapes load to equal data."""
        if self.kind == "scalar":
            return ("scalar", self.anchor, self.resolved, self.value)
        if self.kind == "alias":
            return ("alias", self.value)
        return (self.kind, self.anchor, self.tag, *(child.shape() for child in self.children))


@dataclass(frozen=True)
class Document:
    """A text and its nodes."""

    text: str
    root: Node | None  # None: nothing but comments
    body_end: int  # where a further line of the root mapping may stand: the end, or the line of a closing "..."

    def line(self, position: int) -> int:
        """The line of a position, from 1."""
        return self.text.count("\n", 0, position) + 1


def parse(text: str) -> Document:
    """Raises NotPlain for what is not one plain document: broken, several, duplicate keys, template braces."""
    try:
        document = _build(text)
        if document.root:
            _check(document, document.root)
    except RecursionError:
        raise NotPlain("is nested too deeply", 0) from None
    return document


def _events(text: str) -> list[Any]:
    bare = text.removeprefix("\ufeff")
    failure: yaml.YAMLError | None = None
    # Go takes tabs where PyYAML does not: they become spaces for parsing only, so positions stay the same.
    for candidate in dict.fromkeys((bare, bare.replace("\t", " "))):
        try:
            return list(yaml.parse(candidate, Loader=PARSER))
        except yaml.YAMLError as error:
            failure = failure or error
    mark = getattr(failure, "problem_mark", None)
    what = getattr(failure, "problem", None) or str(failure).splitlines()[0]
    hint = " (an unrendered template?)" if re.search(r"\{\{|<%|\$\{", text) else ""
    raise NotPlain(f"is not valid YAML: {what}{hint}", mark.line + 1 if mark else 0)


def _build(text: str) -> Document:
    shift = 1 if text.startswith("\ufeff") else 0
    root: Node | None = None
    body_end = len(text)
    documents = 0
    stack: list[tuple[Any, list[Node]]] = []

    def place(node: Node) -> None:
        nonlocal root
        if stack:
            stack[-1][1].append(node)
        else:
            root = node

    def node(
        kind: str, event: Any, end: int, value: str = "", resolved: str = "", children: tuple[Node, ...] = ()
    ) -> Node:
        mark = event.start_mark
        return Node(
            kind=kind,
            start=mark.index + shift,
            end=end + shift,
            column=mark.column,
            flow=bool(getattr(event, "flow_style", False)),
            anchor=event.anchor if kind != "alias" else None,
            tag=getattr(event, "tag", None),
            value=value,
            resolved=resolved,
            children=children,
        )

    event: Any
    for event in _events(text):
        match type(event).__name__:
            case "DocumentStartEvent":
                documents += 1
                if documents > 1:
                    raise NotPlain("holds several documents", event.start_mark.line + 1)
            case "DocumentEndEvent" if event.explicit:
                body_end = event.start_mark.index + shift
            case "AliasEvent":
                place(node("alias", event, event.end_mark.index, event.anchor))
            case "ScalarEvent":
                tag = event.tag
                if tag in (None, "!"):
                    tag = _RESOLVER.resolve(ScalarNode, event.value, event.implicit)
                place(node("scalar", event, event.end_mark.index, event.value, tag))
            case "SequenceStartEvent" | "MappingStartEvent":
                stack.append((event, []))
            case "SequenceEndEvent" | "MappingEndEvent":
                start, children = stack.pop()
                kind = "sequence" if isinstance(start, yaml.SequenceStartEvent) else "mapping"
                place(node(kind, start, event.end_mark.index, children=tuple(children)))
    return Document(text, root, body_end)


def _check(document: Document, node: Node) -> None:
    if node.kind == "mapping":
        seen: set[tuple[str, str]] = set()
        for key, _ in node.pairs():
            line = document.line(key.start)
            if key.kind in ("mapping", "sequence"):
                raise NotPlain("has template braces or a collection for a key", line)
            name = (key.resolved, key.value)
            if name in seen:
                raise NotPlain(f"has the key {key.value!r} twice in one mapping", line)
            seen.add(name)
    for child in node.children:
        _check(document, child)
