"""Removes our marked lines from a text that others edit too, and nothing of theirs."""

import re
from collections.abc import Sequence

from components.live.text.edit_errors import EditRefused
from components.live.text.list_at_path import Path, check_only_list_changed, find, items, key_line, marked, read
from components.live.text.marks import Region, regions
from components.live.text.yaml_tree import Document, Node, Shape

EMPTY_VALUE = re.compile(
    r"""(\ufeff?[ \t]*(?:"[^"]*"|'[^']*'|[^\s"':]+)[ \t]*:)[ \t]*(?:\[[ \t]*\]|null|Null|NULL|~)([ \t]*|[ \t]+#.*)$"""
)  # `key: []  # why` → "key:", "  # why"


def remove_items(text: str, path: Path, where: str, ours: Sequence[Shape] | None = None) -> str:
    """The text without our marked lines. Items that somebody added to our list stay, also those between our marks
    (known by ``ours``, what we had written there). Raises EditRefused where that is not safe."""
    part = ".".join(path)
    region = regions(text, where).get(part)
    if region is None:
        return text
    document = read(text, where)
    inside = marked(document, path, region)
    foreign = _foreign(inside, ours)
    kept = [item.shape() for item in items(document, path) if item not in inside or item in foreign]
    new = _without(document, region, find(document, path), inside, foreign, bool(kept))
    check_only_list_changed(document, new, path, kept, where, "")
    return new


def _foreign(inside: Sequence[Node], ours: Sequence[Shape] | None) -> list[Node]:
    """The items between our marks that somebody added. An item of ours that somebody changed is still ours."""
    if ours is None or len(inside) <= len(ours):
        return []
    unknown = [item for item in inside if item.shape() not in ours]
    return unknown[-(len(inside) - len(ours)) :]


def _without(
    document: Document,
    region: Region,
    found: tuple[Node, Node] | None,
    inside: Sequence[Node],
    foreign: Sequence[Node],
    kept: bool,
) -> str:
    text = document.text
    head, tail = text[: region.start], text[region.end :]
    starts = [text.rfind("\n", 0, item.start) + 1 for item in inside]
    stops = [*starts[1:], text.rfind("\n", 0, region.end - 1) + 1]
    middle = "".join(
        text[start:stop] for item, start, stop in zip(inside, starts, stops, strict=False) if item in foreign
    )
    if found and region.start <= found[0].start and kept:  # we added the key, and by now others have items below it
        start, _, after = key_line(document, found[0]) or (found[0].start, 0, found[0].start)
        middle = text[start:after] + middle
    if middle:
        return head + middle + tail
    memory = region.memory
    if memory.joined:
        opened = head.removesuffix("\n").removesuffix("\r")
        if opened.endswith("["):
            indent = len(region.indent)
            return opened + (tail[indent:] if tail[:indent].isspace() else tail)
    if memory.was is not None and not kept:
        head = _restored(head, memory.was)
    if memory.newline and not tail:
        head = head.removesuffix("\n").removesuffix("\r")
    return head + tail


def _restored(head: str, was: str) -> str:
    """The key's line as it was, unless somebody has changed it since."""
    start = head.removesuffix("\n").rfind("\n") + 1
    line = head[start:]
    bare = line.removesuffix("\n").removesuffix("\r")
    empty = EMPTY_VALUE.match(was)
    return head[:start] + was + line[len(bare) :] if empty and bare == empty[1] + empty[2] else head


def remove_unmarked_items(text: str, path: Path, ours: Sequence[Shape], before: Sequence[Node], where: str) -> str:
    """The text without items equal to ours that were not there before us. Raises EditRefused where that is not safe."""
    document = read(text, where)
    listed = items(document, path)
    there = {item.shape() for item in before}
    gone = [item for item in listed if item.shape() in ours and item.shape() not in there]
    if not gone:
        return text
    found = find(document, path)
    if found and found[1].flow:
        line = document.line(found[1].start)
        raise EditRefused(
            f"{where}:{line}: the marks around our entries of {'.'.join(path)} are gone: take them out by hand"
        )
    kept = [item.shape() for item in listed if item not in gone]
    new = text
    for item in reversed(gone):
        start = text.rfind("\n", 0, item.start) + 1
        last = text.find("\n", max(_last(item) - 1, item.start))
        new = new[:start] + new[len(text) if last < 0 else last + 1 :]
    check_only_list_changed(document, new, path, kept, where, "")
    return new


def _last(node: Node) -> int:
    """The position of a node's last character; a block collection ends behind the comments that follow it."""
    return node.end if node.flow or not node.children else _last(node.children[-1])
