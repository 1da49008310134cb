"""Inserts our items, as marked lines, at the start of lists in a YAML text that others wrote.

No other line changes. Each edit is checked before it is returned: the new text is parsed again and its tree compared
with what is expected, and a trial removal must give the old text back, byte for byte. What cannot be placed safely is
refused, with the lines to paste. The text is parsed once, and once more with all that was inserted.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from components.live.text.edit_errors import EditRefused
from components.live.text.items import Lists, Path, block, digests, indented, nodes, snippets
from components.live.text.list_at_path import check_only_lists_changed, items, key_line, read
from components.live.text.marks import Memory, begin, end
from components.live.text.remove import EMPTY_VALUE, remove_marked
from components.live.text.splice import Splice, splice
from components.live.text.yaml_tree import Document, Node

_BARE_KEY = re.compile(r"[ \t]*:(?:[ \t]*|[ \t]+#.*)$")
_UP_TO_BRACKET = re.compile(r"[ \t]*:(?:\s|#[^\n]*\n)*\Z")
_NOTHING = Memory()
_REST_IS_BLANK = re.compile(r"[ \t]*(?:[ \t]#.*)?$")


@dataclass(frozen=True)
class _Place:
    """Where the marked lines of one list go, and in which form. `at`: a position in the text, whose line end is used.

    `head` and `tail` stand before and behind them; `appended`: with the list's key, at the end of the text.
    """

    start: int
    end: int
    at: int
    column: int
    content: Sequence[str]
    memory: Memory = _NOTHING
    head: str = ""
    tail: str = ""
    appended: bool = False


def insert_items(text: str, ours: Lists, where: str) -> str:
    """The text with our items first in each list. Raises EditRefused where that is not safe."""
    ours = {path: wanted for path, wanted in ours.items() if wanted}
    if not ours:
        return text
    document = read(text, where, ours)
    try:
        places = {path: _place(document, path, wanted, where) for path, wanted in ours.items()}
    except EditRefused as refusal:
        raise EditRefused(refusal.sentence, snippets(ours)) from None
    new = splice(text, _changes(document, places, ours))
    expected = {
        path: [node.shape for node in (*nodes(wanted), *items(document, path))] for path, wanted in ours.items()
    }
    check_only_lists_changed(document, new, expected, where, ours)
    if remove_marked(new, where) != text:
        raise EditRefused(
            f"{where}: our lines could not be removed again without a trace: paste them by hand", snippets(ours)
        )
    return new


def _changes(document: Document, places: dict[Path, _Place], ours: Lists) -> list[Splice]:
    """The marked lines of each list; the first of those at the end of a text adds the line end that it lacks."""
    text, found = document.text, []
    bare = text != "" and text[-1] != "\n"
    for path, place in sorted(places.items(), key=lambda entry: (entry[1].start, entry[1].appended)):
        mine = digests(ours[path])
        twins = tuple(node.digest() for node in items(document, path) if node.digest() in mine)
        last = bare and place.end == len(text)
        bare = bare and not last
        nl, part = _newline(text, place.at), ".".join(path)
        memory = replace(place.memory, items=mine, twins=twins, newline=last)
        indent = " " * place.column
        lines = "".join(line + nl for line in (begin(part, indent, memory), *place.content, end(part, indent)))
        head = place.head + nl if place.head else nl if last else ""
        found.append(Splice(place.start, place.end, head + lines + place.tail))
    return found


def _place(document: Document, path: Path, wanted: Sequence[object], where: str) -> _Place:
    part = ".".join(path)

    def refuse(what: str, node: Node | None) -> EditRefused:
        place = f"{where}:{document.line(node.start)}" if node else where
        return EditRefused(f"{place}: {what}, which is not edited safely: paste these lines by hand")

    mapping, parent = document.root, None
    if mapping is None or mapping.is_null():
        if len(path) > 1:
            raise refuse(f"there is no {path[0]}", None)
        return _append(document, 0, path, wanted)
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
            return _append(document, mapping.column, path, wanted)
        place = _below(document, parent[0], mapping.column, _with_key(path, wanted, mapping.column), Memory(key=True))
    else:
        key, value = found
        if value.kind == "alias" or value.anchor or value.tag:
            raise refuse(f"{part} is an alias or carries an anchor or a tag", value)
        if value.is_null() and value.start == value.end:
            place = _below(document, key, key.column + 2, _content(wanted, key.column + 2))
        elif value.is_null() or (value.kind == "sequence" and value.flow):
            place = _instead(document, key, wanted) or _in_brackets(document, key, value, wanted)
        elif value.kind == "sequence":
            place = _below(document, key, value.column, _content(wanted, value.column))
        else:
            raise refuse(f"{part} is not a list", value)
        parent = found
    if place is None:
        raise refuse(f"the line of {'.'.join(path) if found else path[0]} has an unusual form", parent[0])
    return place


def _content(wanted: Sequence[object], column: int) -> list[str]:
    return indented(block(wanted).split("\n")[:-1], " " * column)


def _with_key(path: Path, wanted: Sequence[object], column: int) -> list[str]:
    return [" " * column + path[-1] + ":", *_content(wanted, column + 2)]


def _newline(text: str, position: int) -> str:
    """The line ending in use at a position: that of its line, else of the line before."""
    at = text.find("\n", position)
    at = at if at >= 0 else text.rfind("\n", 0, position)
    return "\r\n" if at > 0 and text[at - 1] == "\r" else "\n"


def _append(document: Document, column: int, path: Path, wanted: Sequence[object]) -> _Place:
    """A missing top-level key goes to the end of the text: there it cannot part a comment from its lines."""
    at = document.body_end
    return _Place(at, at, at, column, _with_key(path, wanted, column), Memory(key=True), appended=True)


def _below(
    document: Document, key: Node, column: int, content: Sequence[str], memory: Memory = _NOTHING
) -> _Place | None:
    line = key_line(document, key)
    if line is None or not _BARE_KEY.match(document.text[key.end : line[1]]):
        return None
    return _Place(line[2], line[2], key.start, column, content, memory)


def _instead(document: Document, key: Node, wanted: Sequence[object]) -> _Place | None:
    """`key: []` and `key: null` become `key:` with our lines below; the mark remembers the line."""
    line = key_line(document, key)
    empty = EMPTY_VALUE.match(document.text[line[0] : line[1]]) if line else None
    if line is None or empty is None:
        return None
    column, memory = key.column + 2, Memory(was=empty[0])
    return _Place(line[0], line[2], key.start, column, _content(wanted, column), memory, head=empty[1] + empty[2])


def _in_brackets(document: Document, key: Node, value: Node, wanted: Sequence[object]) -> _Place | None:
    text, at = document.text, value.start + 1
    if value.is_null() or not _UP_TO_BRACKET.match(text[key.end : value.start]):
        return None
    indent = " " * (key.column + 2)
    content = [indent + json.dumps(item, ensure_ascii=False) + "," for item in wanted]
    stop = text.find("\n", at)
    if _REST_IS_BLANK.match(text[at : max(stop, at)].rstrip("\r")) and stop >= 0:
        return _Place(stop + 1, stop + 1, at, len(indent), content)
    # The rest of the line goes below ours.
    head, memory = text[at - 1], Memory(joined=True)
    return _Place(at - 1, at, at, len(indent), content, memory, head=head, tail=indent)
