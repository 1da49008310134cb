"""Several lists of one text at once: insert our items, remove them, tell whether they are there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import yaml

from components.live.text.edit_errors import EditRefused
from components.live.text.insert import insert_items
from components.live.text.items import shapes, snippet
from components.live.text.list_at_path import Path, items, marked, read
from components.live.text.marks import Region, regions
from components.live.text.remove import remove_items, remove_unmarked_items
from components.live.text.yaml_tree import PARSER, Document, Shape
from formats.json_types import JsonValue

Lists: TypeAlias = Mapping[Path, Sequence[object]]


@dataclass(frozen=True)
class LastEdit:
    """What an edit of ours did: the text before it and after it (equal where nothing had to be done)."""

    before: str
    after: str


def insert(text: str, parts: Lists, where: str, last_edit: LastEdit | None = None) -> str:
    """The text with our items in it, each part marked; the same text where they are in already. Raises EditRefused."""
    if has(text, parts, where):
        return text
    new = remove(text, where, last_edit)
    for path, wanted in parts.items():
        try:
            new = insert_items(new, path, wanted, where)
        except EditRefused as refusal:
            raise EditRefused(refusal.sentence, snippets(parts)) from None
    return new


def remove(text: str, where: str, last_edit: LastEdit | None = None) -> str:
    """The text without what is ours. Raises EditRefused, when a mark was damaged for example."""
    if last_edit and (text == last_edit.after or last_edit.before == last_edit.after):
        return last_edit.before if text == last_edit.after else text
    ours = _written_items(last_edit, where)
    present = regions(text, where)
    for part in reversed(present):
        text = remove_items(text, tuple(part.split(".")), where, ours.get(part))
    for part, left in ours.items():
        if (
            part not in present and last_edit
        ):  # somebody rewrote the file without comments: our marks are gone, our items may be there
            path = tuple(part.split("."))
            text = remove_unmarked_items(text, path, left, items(read(last_edit.before, where), path), where)
    return text


def _written_items(last_edit: LastEdit | None, where: str) -> dict[str, list[Shape]]:
    if last_edit is None:
        return {}
    document = read(last_edit.after, where)
    return {
        part: [item.shape() for item in marked(document, tuple(part.split(".")), region)]
        for part, region in regions(last_edit.after, where).items()
    }


def has(text: str, parts: Lists, where: str) -> bool:
    """Whether every item is in: exactly between our marks, or without marks."""
    if is_there_unmarked(text, parts):
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


def is_there_unmarked(text: str, parts: Lists) -> bool:
    """Whether all of it stands in the text without our marks, in any layout: then we never change or remove it."""
    try:
        data = None if "# >>> " in text and regions(text, "") else yaml.load(text, Loader=PARSER)  # noqa: S506 - a safe one
    except (yaml.YAMLError, EditRefused, RecursionError, ValueError):
        return False
    return all(item in _list_at(data, path) for path, wanted in parts.items() for item in wanted)


def _list_at(data: JsonValue, path: Path) -> list[JsonValue]:
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    return data if isinstance(data, list) else []


def snippets(parts: Lists) -> str:
    """The lines that a person would paste, for all lists."""
    return "\n".join(snippet(path, wanted) for path, wanted in parts.items() if wanted)
