"""Takes our items and our marks out of a text that others edit too, and nothing of theirs."""

import re
from collections.abc import Mapping, Sequence

from components.live.text.items import Path
from components.live.text.list_at_path import check_only_lists_changed, find, key_line, read
from components.live.text.marks import Memory, Region, find_marks
from components.live.text.our_parts import Part, find_parts
from components.live.text.splice import Splice, splice
from components.live.text.yaml_tree import Document, Node

EMPTY_VALUE = re.compile(
    r"""(\ufeff?[ \t]*(?:"[^"]*"|'[^']*'|[^\s"':]+)[ \t]*:)[ \t]*(?:\[[ \t]*\]|null|Null|NULL|~)([ \t]*|[ \t]+#.*)$"""
)  # `key: []  # why` → "key:", "  # why"
_COMMA = re.compile(r"(?:\s|#[^\n]*\n)*,")
_NOTHING_ELSE = re.compile(r"(?:[\s,]|#[^\n]*(?:\n|\Z))*")
_BLANKS = re.compile(r"[ \t]*")


def remove_marked(text: str, where: str, written: Mapping[str, Memory] | None = None) -> str:
    """The text without ours. `written`: part → what we remember of our last edit, for marks that are gone.

    Raises EditRefused where that is not safe.
    """
    if not written and not find_marks(text):
        return text
    document = read(text, where)
    parts = find_parts(document, where, written or {})
    changes = [change for part in parts for change in _changes(document, part)]
    new = splice(text, changes)
    if any(part.memory.newline and part.region and part.region.start >= _end_of_rest(text, changes) for part in parts):
        new = new.removesuffix("\n").removesuffix("\r")
    check_only_lists_changed(document, new, {part.path: [item.shape for item in part.others] for part in parts}, where)
    return new


def _end_of_rest(text: str, changes: Sequence[Splice]) -> int:
    """Where the text ends that stays as it is, behind which all is taken out."""
    end = len(text)
    for change in sorted(changes, key=lambda change: change.start, reverse=True):
        end = change.start if change.end >= end and not change.text else end
    return end


def _changes(document: Document, part: Part) -> list[Splice]:
    found, region = find(document, part.path), part.region
    emptied = found is not None and not part.others
    key_goes = found is not None and emptied and part.memory.key and _has_own_lines(document, part.path)
    if region and _holds_only_ours(document, part, region, key_goes):
        changes = [_without_region(document.text, region, part.memory)]
    else:
        changes = [Splice(mark.start, mark.end) for mark in part.marks]
        if found and not found[1].flow:
            changes += [_without_lines(document.text, found[1], item) for item in part.ours]
        elif not key_goes:
            changes += [change for item in part.ours for change in _without_entry(document.text, item)]
    if found and key_goes:
        changes.append(_without_key(document.text, *found))
    elif found and emptied:
        changes += _with_former_value(document, found[0], part.memory)
    return changes


def _has_own_lines(document: Document, path: Path) -> bool:
    """Whether no braces are around the key of a list."""
    above = found[1] if (found := find(document, path[:-1])) else document.root
    return above is not None and not above.flow


def _holds_only_ours(document: Document, part: Part, region: Region, key_goes: bool) -> bool:
    """Whether all of ours is between the marks, and nothing else: then comments there go too, as the marks say."""
    text, found = document.text, find(document, part.path)
    known = {node.start for item in part.ours for node in item.walk()}
    if found:
        known |= {found[1].start, *([found[0].start] if key_goes else ())}
    last = max((item.last for item in part.ours), default=region.start)
    comma = _COMMA.match(text, last)
    return (
        all(region.start <= item.start and item.last <= region.end for item in part.ours)
        and known.issuperset(document.starts_between(region.start, region.end))
        # Not a dash or a bracket that belongs to what follows, and our own comma.
        and _NOTHING_ELSE.fullmatch(text, last, region.end) is not None
        and (comma is None or comma.end() <= region.end)
        and not any(region.holds(mark.start) and mark not in part.marks for mark in find_marks(text))
    )


def _without_region(text: str, region: Region, memory: Memory) -> Splice:
    opened = text[: region.start].removesuffix("\n").removesuffix("\r")
    if not memory.joined or not opened.endswith("["):
        return Splice(region.start, region.end)
    indent = text[region.end : region.end + region.indent]
    return Splice(len(opened), region.end + (len(indent) if indent.isspace() else 0))


def _without_lines(text: str, sequence: Node, item: Node) -> Splice:
    """The lines of an item, from that of its dash to that of its last character."""
    start = text.rfind("\n", 0, item.start) + 1
    while start > sequence.start and text[start : start + sequence.column + 1].strip(" ") != "-":
        start = text.rfind("\n", 0, start - 1) + 1
    last = max(item.last, item.start)
    while text[last - 1] in " \t\r\n":
        last -= 1
    stop = text.find("\n", last)
    return Splice(start, len(text) if stop < 0 else stop + 1)


def _without_entry(text: str, item: Node) -> list[Splice]:
    """An entry of a list in brackets, with its comma; and with its line, where nothing else stands there."""
    comma = _COMMA.match(text, item.end)
    cuts = [Splice(comma.end() - 1, comma.end())] if comma else []
    start, stop = item.start, comma.end() if comma and text[item.end : comma.end()].strip() == "," else item.end
    line = text.rfind("\n", 0, start) + 1
    behind = (_BLANKS.match(text, stop) or [""])[0]
    if not text[line:start].strip() and text[stop + len(behind) :].startswith(("\n", "\r\n")):
        return [Splice(line, text.index("\n", stop) + 1), *cuts]
    if not comma and (before := text[line:start].rstrip(" \t")).endswith(","):
        return [Splice(line + len(before) - 1, stop)]
    return [Splice(start, stop + len(behind) if comma else stop), *cuts]


def _without_key(text: str, key: Node, value: Node) -> Splice:
    """The key's line; with a list in brackets, up to their end."""
    stop = text.find("\n", value.end if value.flow else key.start)
    return Splice(text.rfind("\n", 0, key.start) + 1, len(text) if stop < 0 else stop + 1)


def _with_former_value(document: Document, key: Node, memory: Memory) -> list[Splice]:
    """`key: []` as it was before us, unless somebody has changed the line since."""
    line, empty = key_line(document, key), EMPTY_VALUE.match(memory.was or "")
    if line and empty and document.text[line[0] : line[1]] == empty[1] + empty[2]:
        return [Splice(line[0], line[1], empty[0])]
    return []
