"""YAML as rule files use it, strictly: one document of mappings, lists and scalars, each with its line."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import yaml

from rules._errors import RulesError, refuse

MAX_DEPTH = 20
# libyaml, of which Go's YAML is a port, reads ten times as fast; PyYAML's own reader has the words for a refusal.
_FAST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STRING = "tag:yaml.org,2002:str"
_NULL = "tag:yaml.org,2002:null"


class Value:
    """A node of a rule file that knows where it stands, and refuses to be read as what it is not."""

    def __init__(self, path: Path, node: yaml.Node, what: str) -> None:
        self.path, self.node, self.what = path, node, what
        self.line: int = node.start_mark.line + 1

    def refuse(self, sentence: str) -> NoReturn:
        refuse(self.path, self.line, f"{self.what} {sentence}")

    def mapping(self, known: set[str], needed: tuple[str, ...] = ()) -> "dict[str, Value]":
        """The entries of a mapping. `known`: the keys that it may have (none: any)."""
        if not isinstance(self.node, yaml.MappingNode):
            refuse(self.path, self.line, f"{self.what} must be a mapping (`key: value` lines)")
        found: dict[str, Value] = {}
        for key_node, node in self.node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                refuse(self.path, line, f"{self.what} has a key that is no plain word")
            key = key_node.value
            if key in found:
                refuse(self.path, line, f"{self.what} has `{key}` twice: keep one of them")
            if known and key not in known:
                refuse(
                    self.path, line, f"{self.what} has the unknown key `{key}`; known are {', '.join(sorted(known))}"
                )
            found[key] = Value(self.path, node, f"`{key}` of {self.what}")
            found[key].line = line
        for key in needed:
            if key not in found:
                refuse(self.path, self.line, f"{self.what} has no `{key}`: add it")
        return found

    def items(self) -> "Iterator[Value]":
        if not isinstance(self.node, yaml.SequenceNode):
            refuse(self.path, self.line, f"{self.what} must be a list (`- …` lines)")
        if not self.node.value:
            refuse(self.path, self.line, f"{self.what} is an empty list: add to it, or remove it")
        for node in self.node.value:
            yield Value(self.path, node, f"an entry of {self.what}")

    def text(self) -> str:
        """A string; a number, boolean or null is refused, since it was hardly meant."""
        if not isinstance(self.node, yaml.ScalarNode):
            refuse(self.path, self.line, f"{self.what} must be a text")
        if self.node.tag == _NULL or not self.node.value.strip():
            refuse(self.path, self.line, f"{self.what} is empty: fill it in")
        if self.node.tag != _STRING:
            refuse(self.path, self.line, f"{self.what} must be a text: put {self.node.value} in quotes")
        return str(self.node.value)

    def scalar(self) -> str:
        """A number or duration, as it was written."""
        if not isinstance(self.node, yaml.ScalarNode) or self.node.tag == _NULL:
            refuse(self.path, self.line, f"{self.what} must be a single value")
        return str(self.node.value)

    def texts(self) -> Mapping[str, str]:
        """A mapping of words to strings: labels, annotations."""
        return {key: value.text() for key, value in self.mapping(set()).items()}

    @property
    def is_literal(self) -> bool:
        return isinstance(self.node, yaml.ScalarNode) and self.node.style == "|"

    @property
    def first_row(self) -> int:
        """The line in the file (from 1) of the first line of a literal block."""
        return int(self.node.start_mark.line) + 2


def read(text: str, path: Path) -> Value:
    """The document's root. Whatever Go's YAML and Python's might understand differently is refused."""
    _check_characters(text, path)
    with contextlib.suppress(yaml.YAMLError, ValueError, OverflowError):
        return _root(text, path, _FAST)
    try:
        return _root(text, path, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        words = " ".join((error.problem or error.context or "something is wrong").split())
        refuse(path, error.problem_mark.line + 1 if error.problem_mark else 1, f"is not YAML: {words}")
    except RulesError:
        raise
    except yaml.YAMLError as error:
        refuse(path, 1, f"is not YAML: {' '.join(str(error).split())}")
    except (ValueError, OverflowError) as error:  # of the scanner, on escapes such as "\\UFFFFFFFF"
        refuse(path, 1, f"is not YAML: {' '.join(str(error).split())}")


def _root(text: str, path: Path, loader: Any) -> Value:
    _check_events(text, path, loader)
    node = yaml.compose(text, Loader=loader)
    if node is None:
        refuse(path, 1, "the file is empty: give it `groups:`, or delete it")
    return Value(path, node, "the file")


def _check_characters(text: str, path: Path) -> None:
    for number, line in enumerate(text.split("\n"), start=1):
        if "\t" in line:
            refuse(path, number, "there is a tab: indent with spaces")
        if "\r" in line:
            refuse(path, number, "there is a carriage return: save the file with Unix line ends (LF)")
        if found := re.search("[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u2028\u2029\ufeff\ufffe\uffff]", line):
            refuse(path, number, f"there is an invisible character (U+{ord(found.group()):04X}): remove it")


def _check_events(text: str, path: Path, loader: Any) -> None:
    depth = documents = 0
    for event in yaml.parse(text, Loader=loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                refuse(path, line, "a second document starts here: Prometheus reads only the first, so make it a file")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            refuse(path, line, "there is an anchor or alias (& or *): write the value out")
        if getattr(event, "tag", None):
            refuse(path, line, "there is an explicit type (!…): remove it")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                refuse(path, line, f"the nesting is deeper than {MAX_DEPTH}: no rule file needs that")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
