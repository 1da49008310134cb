"""Inserts our items, as marked lines, at the start of a list in a YAML text that others wrote.

No other line changes. Each edit is checked before it is returned: the new text is parsed again and its tree compared
with what is expected, and a trial removal must give the old text back, byte for byte. What cannot be placed safely is
refused, with the lines to paste.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from components.live.text.edit_errors import EditRefused
from components.live.text.items import block, indented, shapes, snippet
from components.live.text.list_at_path import Path, check_only_list_changed, items, key_line, read
from components.live.text.marks import Memory, begin, end
from components.live.text.remove import EMPTY_VALUE, remove_items
from components.live.text.yaml_tree import Document, Node

_BARE_KEY = re.compile(r"[ \t]*:(?:[ \t]*|[ \t]+#.*)$")
_UP_TO_BRACKET = re.compile(r"[ \t]*:(?:\s|#[^\n]*\n)*\Z")
_REST_IS_BLANK = re.compile(r"[ \t]*(?:[ \t]#.*)?$")


@dataclass(frozen=True)
class _Edit:
    start: int
    end: int
    lines: str


def insert_items(text: str, path: Path, wanted: Sequence[object], where: str) -> str:
    """The text with our items first in the list at the path. Raises EditRefused where that is not safe."""
    if not wanted:
        return text
    paste = snippet(path, wanted)
    document = read(text, where, paste)
    edit = _place(document, path, wanted, where, paste)
    new = text[: edit.start] + edit.lines + text[edit.end :]
    check_only_list_changed(
        document, new, path, [*shapes(wanted), *(item.shape() for item in items(document, path))], where, paste
    )
    if remove_items(new, path, where) != text:
        raise EditRefused(f"{where}: our lines could not be removed again without a trace: paste them by hand", paste)
    return new


def _place(document: Document, path: Path, wanted: Sequence[object], where: str, paste: str) -> _Edit:
    part = ".".join(path)

    def refuse(what: str, node: Node | None) -> EditRefused:
        place = f"{where}:{document.line(node.start)}" if node else where
        return EditRefused(f"{place}: {what}, which is not edited safely: paste these lines by hand", paste)

    mapping, parent = document.root, None
    if mapping is None or mapping.is_null():
        if len(path) > 1:
            raise refuse(f"there is no {path[0]}", None)
        return _append(document, 0, part, wanted)
    for depth, name in enumerate((*path[:-1], "")):
        holder = ".".join(path[:depth]) or "the text"
        if mapping.kind != "mapping" or mapping.flow:
            raise refuse(f"{holder} is not a mapping with one key a line", mapping)
        if mapping.anchor or mapping.tag:
            raise refuse(f"{holder} carries an anchor or a tag", mapping)
        if mapping.get("<<"):
            raise refuse(f"{holder} is merged from elsewhere (<<)", mapping)
        if name:
            parent = mapping.get(name)
            if parent is None:
                raise refuse(f"there is no {'.'.join(path[: depth + 1])}", None)
            mapping = parent[1]

    found = mapping.get(path[-1])
    if found is None:
        if parent is None:
            return _append(document, mapping.column, part, wanted)
        edit = _below(document, parent[0], mapping.column, part, wanted, with_key=True)
    else:
        key, value = found
        if value.kind == "alias" or value.anchor or value.tag:
            raise refuse(f"{part} is an alias or carries an anchor or a tag", value)
        if value.is_null() and value.start == value.end:
            edit = _below(document, key, key.column + 2, part, wanted)
        elif value.is_null() or (value.kind == "sequence" and value.flow):
            edit = _instead(document, key, part, wanted) or _in_brackets(document, key, value, part, wanted)
        elif value.kind == "sequence":
            edit = _below(document, key, value.column, part, wanted)
        else:
            raise refuse(f"{part} is not a list", value)
        parent = found
    if edit is None:
        raise refuse(f"the line of {'.'.join(path) if found else path[0]} has an unusual form", parent[0])
    return edit


def _marked(part: str, column: int, nl: str, memory: Memory, content: list[str]) -> str:
    indent = " " * column
    return "".join(line + nl for line in (begin(part, indent, memory), *content, end(part, indent)))


def _content(wanted: Sequence[object], column: int) -> list[str]:
    return indented(block(wanted).split("\n")[:-1], " " * column)


def _with_key(part: str, wanted: Sequence[object], column: int) -> list[str]:
    return [" " * column + part.rpartition(".")[2] + ":", *_content(wanted, column + 2)]


def _newline(text: str, position: int) -> str:
    """The line ending in use at a position: that of its line, else of the line before."""
    at = text.find("\n", position)
    at = at if at >= 0 else text.rfind("\n", 0, position)
    return "\r\n" if at > 0 and text[at - 1] == "\r" else "\n"


def _append(document: Document, column: int, part: str, wanted: Sequence[object]) -> _Edit:
    """A missing top-level key goes to the end of the text: there it cannot part a comment from its lines."""
    text, at = document.text, document.body_end
    bare = at > 0 and text[at - 1] != "\n"
    nl = _newline(text, at)
    lines = _marked(part, column, nl, Memory(newline=bare), _with_key(part, wanted, column))
    return _Edit(at, at, (nl if bare else "") + lines)


def _below(
    document: Document, key: Node, column: int, part: str, wanted: Sequence[object], with_key: bool = False
) -> _Edit | None:
    text, line = document.text, key_line(document, key)
    if line is None or not _BARE_KEY.match(text[key.end : line[1]]):
        return None
    nl, bare, at = _newline(text, key.start), line[1] == line[2], line[2]
    content = _with_key(part, wanted, column) if with_key else _content(wanted, column)
    return _Edit(at, at, (nl if bare else "") + _marked(part, column, nl, Memory(newline=bare), content))


def _instead(document: Document, key: Node, part: str, wanted: Sequence[object]) -> _Edit | None:
    """`key: []` and `key: null` become `key:` with our lines below; the mark remembers the line."""
    text, line = document.text, key_line(document, key)
    empty = EMPTY_VALUE.match(text[line[0] : line[1]]) if line else None
    if line is None or empty is None:
        return None
    nl, bare = _newline(text, key.start), line[1] == line[2]
    memory = Memory(was=empty[0], newline=bare)
    lines = _marked(part, key.column + 2, nl, memory, _content(wanted, key.column + 2))
    return _Edit(line[0], line[2], empty[1] + empty[2] + nl + lines)


def _in_brackets(document: Document, key: Node, value: Node, part: str, wanted: Sequence[object]) -> _Edit | None:
    text, at = document.text, value.start + 1
    if value.is_null() or not _UP_TO_BRACKET.match(text[key.end : value.start]):
        return None
    nl, column = _newline(text, at), key.column + 2
    content = [" " * column + json.dumps(item, ensure_ascii=False) + "," for item in wanted]
    stop = text.find("\n", at)
    if _REST_IS_BLANK.match(text[at : max(stop, at)].rstrip("\r")) and stop >= 0:
        return _Edit(stop + 1, stop + 1, _marked(part, column, nl, Memory(), content))
    return _Edit(at, at, nl + _marked(part, column, nl, Memory(joined=True), content) + " " * column)
