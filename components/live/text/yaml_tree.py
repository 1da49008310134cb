"""A YAML text as nodes with character positions; nodes can be compared without their positions.

Built from the parser's events, so aliases stay leaves (no expansion, no recursion) and anchors are seen.
It edits by position what others wrote, so it refuses nothing that is odd; `formats.yaml_nodes` checks files of ours.
libyaml is preferred where PyYAML has it: Go's parser is a port of it, so both accept the same tabs.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any, TypeAlias

import yaml
from yaml.nodes import ScalarNode
from yaml.resolver import Resolver

from formats import collector

Shape: TypeAlias = tuple[object, ...]

PARSER: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_RESOLVER: Any = Resolver()
_NULL = "tag:yaml.org,2002:null"
_BOOL = "tag:yaml.org,2002:bool"
_DEEPEST = 500


class NotPlain(ValueError):
    """The text is not one YAML document that can be edited by position.

    The message is a clause without subject; ``line`` is 1-based, or 0.
    """

    def __init__(self, what: str, line: int) -> None:
        super().__init__(what)
        self.line = line


@dataclass(slots=True, eq=False)
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
    children: Sequence["Node"]  # items; a mapping's keys and values in turn; what an alias stands for
    shape: Shape  # what the node says, whatever its layout: equal shapes load to equal data
    _digest: str = ""

    def pairs(self) -> Iterator[tuple["Node", "Node"]]:
        """The keys of a mapping, each with its value."""
        return zip(self.children[::2], self.children[1::2], strict=True)

    def get(self, key: str) -> tuple["Node", "Node"] | None:
        """A key of a mapping and its value; None where there is no such key."""
        return next(((k, v) for k, v in self.pairs() if k.kind == "scalar" and k.value == key), None)

    def is_null(self) -> bool:
        """Whether YAML 1.1 takes it for null, be it written or left out."""
        return self.kind == "scalar" and self.resolved == _NULL

    def walk(self) -> Iterator["Node"]:
        """The node and all below it, as they are written: an alias has nothing below."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            if node.kind != "alias":
                waiting += node.children

    @property
    def last(self) -> int:
        """The position behind its last character; a block collection ends behind the comments that follow it."""
        node = self
        while node.children and not node.flow and node.kind != "alias":
            node = node.children[-1]
        return node.end

    def digest(self) -> str:
        """Ten hexadecimal digits: equal for what says the same, also with keys sorted, other quotes, or aliases."""
        if not self._digest:
            self._digest = blake2b(self._canonical().encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()
        return self._digest

    def _canonical(self) -> str:
        if self.kind == "scalar":
            return "=" + ("null" if self.is_null() else self.value.lower() if self.resolved == _BOOL else self.value)
        if self.kind == "mapping":
            return "{" + " ".join(sorted(f"{key.digest()}:{value.digest()}" for key, value in self.pairs()))
        if self.kind == "sequence":
            return "[" + " ".join(child.digest() for child in self.children)
        return self.children[0]._canonical() if self.children else "*" + self.value


@dataclass(frozen=True)
class Document:
    """A text and its nodes."""

    text: str
    root: Node | None  # None: nothing but comments
    body_end: int  # where a further line of the root mapping may stand: the end, or the line of a closing "..."
    starts: Sequence[int]  # the positions of all nodes, in order

    def line(self, position: int) -> int:
        """The line of a position, from 1. Takes time: for messages."""
        return self.text.count("\n", 0, position) + 1

    def starts_between(self, start: int, end: int) -> Sequence[int]:
        """The positions of the nodes that start there."""
        return self.starts[bisect_left(self.starts, start) : bisect_left(self.starts, end)]


@lru_cache(maxsize=4)
@collector.paused()
def parse(text: str) -> Document:
    """Raises NotPlain for what is not one plain document: broken, several, duplicate keys, template braces.

    The last ones are kept: an edit reads a text several times, and checks what it made of it.
    """
    document = _read(text)
    for node in document.root.walk() if document.root else ():
        if node.kind == "mapping":
            _check_keys(document, node)
    return document


def _read(text: str) -> Document:
    bare = text.removeprefix("\ufeff")
    failure: yaml.YAMLError | None = None
    # Go takes tabs where PyYAML does not: they become spaces for parsing only, so positions stay the same.
    for candidate in dict.fromkeys((bare, bare.replace("\t", " "))):
        try:
            return _build(text, candidate)
        except yaml.YAMLError as error:
            failure = failure or error
    mark = getattr(failure, "problem_mark", None)
    what = getattr(failure, "problem", None) or str(failure).splitlines()[0]
    hint = " (an unrendered template?)" if re.search(r"\{\{|<%|\$\{", text) else ""
    raise NotPlain(f"is not valid YAML: {what}{hint}", mark.line + 1 if mark else 0)


def _build(text: str, candidate: str) -> Document:
    shift = len(text) - len(candidate)
    top: list[Node] = []
    body_end = len(text)
    documents = 0
    stack: list[tuple[Any, list[Node]]] = [(None, top)]
    anchors: dict[str, Node] = {}
    starts: list[int] = []
    event: Any
    for event in yaml.parse(candidate, Loader=PARSER):
        kind = type(event)
        if kind is yaml.ScalarEvent:
            tag = event.tag
            if tag in (None, "!"):
                tag = _RESOLVER.resolve(ScalarNode, event.value, event.implicit)
            shape: Shape = ("scalar", event.anchor, tag, event.value)
            node = _node("scalar", event, event.end_mark.index, shift, (), shape, event.value, tag)
            starts.append(node.start)
        elif kind is yaml.SequenceStartEvent or kind is yaml.MappingStartEvent:
            stack.append((event, []))
            starts.append(event.start_mark.index + shift)
            if len(stack) > _DEEPEST:
                raise NotPlain("is nested too deeply", event.start_mark.line + 1)
            continue
        elif kind is yaml.SequenceEndEvent or kind is yaml.MappingEndEvent:
            first, children = stack.pop()
            name = "sequence" if kind is yaml.SequenceEndEvent else "mapping"
            shape = (name, first.anchor, first.tag, *[child.shape for child in children])
            node = _node(name, first, event.end_mark.index, shift, children, shape)
        elif kind is yaml.AliasEvent:
            known = [anchors[event.anchor]] if event.anchor in anchors else []  # not within what it stands for
            node = _node("alias", event, event.end_mark.index, shift, known, ("alias", event.anchor), event.anchor)
            starts.append(node.start)
        else:
            if kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    raise NotPlain("holds several documents", event.start_mark.line + 1)
            elif kind is yaml.DocumentEndEvent and event.explicit:
                body_end = event.start_mark.index + shift
            continue
        stack[-1][1].append(node)
        if node.anchor:
            anchors[node.anchor] = node
    return Document(text, top[0] if top else None, body_end, starts)


def _node(
    kind: str,
    event: Any,
    end: int,
    shift: int,
    children: Sequence[Node],
    shape: Shape,
    value: str = "",
    resolved: str = "",
) -> Node:
    mark = event.start_mark
    flow = kind in ("sequence", "mapping") and bool(event.flow_style)
    anchor, tag = (None, None) if kind == "alias" else (event.anchor, event.tag)
    return Node(kind, mark.index + shift, end + shift, mark.column, flow, anchor, tag, value, resolved, children, shape)


def _check_keys(document: Document, mapping: Node) -> None:
    seen: set[tuple[str, str]] = set()
    for key, _ in mapping.pairs():
        if key.kind in ("mapping", "sequence"):
            raise NotPlain("has template braces or a collection for a key", document.line(key.start))
        name = (key.resolved, key.value)
        if name in seen:
            raise NotPlain(f"has the key {key.value!r} twice in one mapping", document.line(key.start))
        seen.add(name)
