"""Several lists of one text at once: put ours in, take ours out, is ours in?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import yaml

from components.live.text.errors import EditRefused
from components.live.text.insert import insert_items
from components.live.text.items import shapes, snippet
from components.live.text.list_at_path import Path, items, marked, read
from components.live.text.marks import Region, regions
from components.live.text.remove import remove_items, remove_unmarked_items
from components.live.text.tree import PARSER, Document, Shape
from formats.json_types import JsonValue

Parts: TypeAlias = Mapping[Path, Sequence[object]]


@dataclass(frozen=True)
class Written:
    """What an edit of ours did: the text before it and after it (equal where nothing had to be done)."""

    before: str
    after: str


def insert(text: str, parts: Parts, where: str, written: Written | None = None) -> str:
    """The text with our items in it, each part marked; the same text where they are in already. Raises Refused."""
    if has(text, parts, where):
        return text
    new = remove(text, where, written)
    for path, wanted in parts.items():
        try:
            new = insert_items(new, path, wanted, where)
        except EditRefused as refusal:
            raise EditRefused(refusal.sentence, snippets(parts)) from None
    return new


def remove(text: str, where: str, written: Written | None = None) -> str:
    """The text without what is ours. Raises Refused, when a mark was damaged for example."""
    if written and (text == written.after or written.before == written.after):
        return written.before if text == written.after else text
    ours = _left_by(written, where)
    present = regions(text, where)
    for part in reversed(present):
        text = remove_items(text, tuple(part.split(".")), where, ours.get(part))
    for part, left in ours.items():
        if (
            part not in present and written
        ):  # somebody rewrote the file without comments: our marks went, our items may not
            path = tuple(part.split("."))
            text = remove_unmarked_items(text, path, left, items(read(written.before, where), path), where)
    return text


def _left_by(written: Written | None, where: str) -> dict[str, list[Shape]]:
    if written is None:
        return {}
    document = read(written.after, where)
    return {
        part: [item.shape() for item in marked(document, tuple(part.split(".")), region)]
        for part, region in regions(written.after, where).items()
    }


def has(text: str, parts: Parts, where: str) -> bool:
    """Whether every item is in: between our marks exactly, or by somebody's hand."""
    if by_hand(text, parts):
        return True
    try:
        document, present = read(text, where), regions(text, where)
    except EditRefused:
        return False
    names = {".".join(path) for path, wanted in parts.items() if wanted}
    return present.keys() == names and all(_is_inserted(document, path, parts[path], present) for path in parts)


def _is_inserted(document: Document, path: Path, wanted: Sequence[object], present: Mapping[str, Region]) -> bool:
    region = present.get(".".join(path))
    return region is None or [item.shape() for item in marked(document, path, region)] == shapes(wanted)


def by_hand(text: str, parts: Parts) -> bool:
    """Whether all of it stands in the text without our marks, in whatever layout: then it is left, also on removal."""
    try:
        data = None if "# >>> " in text and regions(text, "") else yaml.load(text, Loader=PARSER)
    except (yaml.YAMLError, EditRefused, RecursionError, ValueError):
        return False
    return all(item in _list(data, path) for path, wanted in parts.items() for item in wanted)


def _list(data: JsonValue, path: Path) -> list[JsonValue]:
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    return data if isinstance(data, list) else []


def snippets(parts: Parts) -> str:
    return "\n".join(snippet(path, wanted) for path, wanted in parts.items() if wanted)
