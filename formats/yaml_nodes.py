"""YAML with lines: the nodes of a text, each of which knows where it stands and refuses to be read as what it is not.

Scalars have the types that Go gives them, and so Prometheus and Alertmanager: no dates, no `17:00` for 1020.
"""

import difflib
import re
from collections.abc import Collection, Hashable, Iterator, Sequence
from typing import Any, NoReturn

import yaml

from formats import collector
from formats.places import FormatError, Place

MAX_DEPTH = 20  # of a plain text
_DEEPEST = 500  # of any: libyaml's composer crashes the process from about 10000
_TAG = "tag:yaml.org,2002:"
_GUESSED = ("timestamp", "int", "float", "value")  # PyYAML's guesses that Go does not make, or makes otherwise


class _Slow(yaml.SafeLoader):
    """PyYAML's own reader, which has the words for a refusal."""


_CSafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Fast(_CSafeLoader):  # type: ignore[misc]
    """libyaml, of which Go's YAML is a port: ten times as fast."""


for _loader in (_Slow, _Fast):
    _loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag.removeprefix(_TAG) not in _GUESSED]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    _loader.add_implicit_resolver(f"{_TAG}int", re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z"), list("-+0123456789"))
    _loader.add_implicit_resolver(
        f"{_TAG}float", re.compile(r"[-+]?[0-9]+\.[0-9]*(?:[eE][-+]?[0-9]+)?\Z"), list("-+0123456789")
    )


class Node:
    """A value of a YAML text.

    `what` names it in refusals, as in "`for` of the alert Slow"; whoever knows better than "an entry of …" sets it.
    `yaml` is PyYAML's node, with its marks; `line` that of the key it belongs to, else of its own start.
    """

    def __init__(self, node: yaml.Node, file: str, error: type[FormatError], what: str, line: int = 0) -> None:
        self.yaml, self.file, self.what = node, file, what
        self._error = error
        self.line: int = line or node.start_mark.line + 1

    def error(self, sentence: str, row: int | None = None) -> FormatError:
        """An error to raise here; with `row`, at that line (from 0) of the node's text."""
        return self._error(sentence, Place(self.file, self.line if row is None else self.line_of(row)))

    def refuse(self, predicate: str) -> NoReturn:
        """Raise, with `what` for the subject of the sentence."""
        raise self.error(f"{self.what} {predicate}")

    def line_of(self, row: int) -> int:
        """The line in the file of a line of the node's text, which counts from 0; exact for a literal block."""
        start: int = self.yaml.start_mark.line + 1
        return start + 1 + row if self.is_literal else start

    @property
    def is_literal(self) -> bool:
        """Whether it is a block of lines that stand as they are (`|`)."""
        return isinstance(self.yaml, yaml.ScalarNode) and self.yaml.style == "|"

    @property
    def is_single(self) -> bool:
        """Whether a single value stands here, and neither a list nor lines of keys."""
        return isinstance(self.yaml, yaml.ScalarNode)

    @property
    def is_null(self) -> bool:
        """Whether nothing stands here."""
        return bool(self.yaml.tag == f"{_TAG}null")

    def fields(self, known: Collection[str] = (), needed: Sequence[str] = ()) -> "dict[str, Node]":
        """A mapping's values by key, none for null. `known`: the keys that it may have (none: any)."""
        found: dict[str, Node] = {}
        if not self.is_null and not isinstance(self.yaml, yaml.MappingNode):
            self.refuse("must be a mapping (`key: value` lines)")
        for key_node, node in self.yaml.value if not self.is_null else ():
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._error(f"{self.what} has a key that is no plain word", Place(self.file, line))
            key = str(key_node.value)
            if known and key not in known:
                raise self._error(f"{self.what} has the unknown key `{key}`{_hint(key, known)}", Place(self.file, line))
            found[key] = Node(node, self.file, self._error, f"`{key}` of {self.what}", line)
        for key in needed:
            if key not in found:
                self.refuse(f"has no `{key}`: add it")
        return found

    def items(self, *, needed: bool = False) -> "Iterator[Node]":
        """A list's values, none for null. `needed`: refuse an empty one."""
        if not self.is_null and not isinstance(self.yaml, yaml.SequenceNode):
            self.refuse("must be a list (`- …` lines)")
        if needed and (self.is_null or not self.yaml.value):
            self.refuse("is an empty list: add to it, or remove it")
        for node in self.yaml.value if not self.is_null else ():
            yield Node(node, self.file, self._error, f"an entry of {self.what}")

    def scalar(self) -> str:
        """A single value as it was written, empty for null."""
        if not isinstance(self.yaml, yaml.ScalarNode):
            self.refuse("must be a single value")
        return "" if self.is_null else str(self.yaml.value)

    def text(self) -> str:
        """A string; nothing, a number or a boolean is refused, since it was hardly meant."""
        written = self.scalar()
        if not written.strip():
            self.refuse("is empty: fill it in")
        if self.yaml.tag != f"{_TAG}str":
            self.refuse(f"must be a text: put {written} in quotes")
        return written

    def number(self) -> float:
        """A finite number."""
        if self.yaml.tag not in (f"{_TAG}int", f"{_TAG}float"):
            self.refuse("must be a finite number")
        return float(self.yaml.value)

    def flag(self) -> bool:
        """True or false, as YAML 1.1 writes them. Refuses anything else."""
        if self.yaml.tag != f"{_TAG}bool":
            self.refuse("must be true or false")
        return str(self.yaml.value).lower() in ("true", "yes", "on")


def similar(key: str, known: Collection[str]) -> str:
    """The known key for which this one may be a mistake; "" where none is like it."""
    return next(iter(difflib.get_close_matches(key, known, n=1)), "")


def _hint(key: str, known: Collection[str]) -> str:
    if near := similar(key, known):
        return f": did you mean {near}?"
    return f"; known are {', '.join(sorted(known))}" if len(known) < 20 else ": it would be refused, so remove it"


@collector.paused()
def read(text: str, file: str, error: type[FormatError], *, plain: bool = False) -> Node | None:
    """The root of a text that is one YAML document; None for an empty one. Raises `error`.

    No mapping has a key twice. `plain`: whatever Go's YAML and Python's might understand differently is refused, so
    tabs, anchors, explicit types and invisible characters.
    """
    if plain:
        _check_characters(text, file, error)
    try:
        return _root(text, file, error, plain, _Fast)
    except FormatError:
        raise
    except (yaml.YAMLError, ValueError, OverflowError):
        pass  # the slow one says what is wrong
    try:
        return _root(text, file, error, plain, _Slow)
    except FormatError:
        raise
    except yaml.MarkedYAMLError as failure:
        mark = failure.problem_mark or failure.context_mark
        words = failure.problem or failure.context or "something is wrong"
        raise error(f"is not YAML: {words}", Place(file, mark.line + 1 if mark else 1)) from None
    except yaml.reader.ReaderError as failure:
        line = text.count("\n", 0, failure.position) + 1
        raise error(f"is not YAML: the character {failure.character!r} is not allowed", Place(file, line)) from None
    except (yaml.YAMLError, ValueError, OverflowError) as failure:  # of the scanner, on escapes such as "\\UFFFFFFFF"
        raise error(f"is not YAML: {failure}", Place(file, 1)) from None


def _root(text: str, file: str, error: type[FormatError], plain: bool, loader: Any) -> Node | None:
    if plain or _may_be_deep(text):
        _check_events(text, file, error, loader, plain)
    node = yaml.compose(text, Loader=loader)
    if node is None:
        return None
    _check_keys(node, file, error)
    return Node(node, file, error, "the file")


def _check_keys(root: yaml.Node, file: str, error: type[FormatError]) -> None:
    """Refuse a key that stands in one mapping twice."""
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
        lines: dict[Hashable, int] = {}
        for key, value in node.value:
            name, line = key.value if isinstance(key, yaml.ScalarNode) else id(key), key.start_mark.line + 1
            if name in lines:
                raise error(
                    f"`{name}` stands here a second time (first in line {lines[name]}): keep one", Place(file, line)
                )
            lines[name] = line
            waiting += [key, value]


def _check_characters(text: str, file: str, error: type[FormatError]) -> None:
    for number, line in enumerate(text.split("\n"), start=1):
        if "\t" in line:
            raise error("there is a tab: indent with spaces", Place(file, number))
        if "\r" in line:
            raise error("there is a carriage return: save the file with Unix line ends (LF)", Place(file, number))
        if found := re.search("[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u2028\u2029\ufeff\ufffe\uffff]", line):
            code = f"U+{ord(found.group()):04X}"
            raise error(f"there is an invisible character ({code}): remove it", Place(file, number))


def _may_be_deep(text: str) -> bool:
    """Whether collections may stand in each other deeper than `_DEEPEST`, by a look that costs next to nothing."""
    brackets = text.count("[") + text.count("{")
    return brackets > _DEEPEST or re.search(rf"(?m)^[ ?-]{{{_DEEPEST},}}", text) is not None


def _check_events(text: str, file: str, error: type[FormatError], loader: Any, plain: bool) -> None:
    depth = documents = 0
    deepest = MAX_DEPTH if plain else _DEEPEST
    for event in yaml.parse(text, Loader=loader):
        place = Place(file, event.start_mark.line + 1 if event.start_mark else 1)
        if plain and isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise error("a second document starts here, and only the first is read: make it a file", place)
        if plain and (isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None)):
            raise error("there is an anchor or alias (& or *): write the value out", place)
        if plain and getattr(event, "tag", None):
            raise error("there is an explicit type (!…): remove it", place)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > deepest:
                raise error(f"the nesting is deeper than {deepest}: no such file needs that", place)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
