"""Several lists of one text at once: insert our items, remove them, tell whether they are there."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.live.text.edit_errors import EditRefused
from components.live.text.items import Lists, digests, nodes
from components.live.text.list_at_path import items_by_any_name, read, value_of
from components.live.text.marks import Memory, find_marks
from components.live.text.our_parts import find_parts, memories
from components.live.text.remove import remove_marked
from components.live.text.shorten import shorten
from components.live.text.yaml_tree import Node, NotPlain, parse


@dataclass(frozen=True)
class LastEdit:
    """What an edit of ours did: the text before it and after it (equal where nothing had to be done)."""

    before: str
    after: str


def remove(text: str, where: str, last_edit: LastEdit | None = None) -> str:
    """The text without what is ours. Raises EditRefused, when a mark was damaged for example."""
    if last_edit and text == last_edit.after:
        return last_edit.before
    return remove_marked(text, where, _written(last_edit, where))


def _written(last_edit: LastEdit | None, where: str) -> Mapping[str, Memory]:
    """What we remember; nothing where all of it was there already, and is not ours."""
    return memories(last_edit.after, where) if last_edit and last_edit.before != last_edit.after else {}


def has(text: str, ours: Lists, where: str) -> bool:
    """Whether every item is in its list, and none of those that our marks remember and that are not wanted any more."""
    try:
        document = parse(text)
        parts = find_parts(document, where, {})
    except (NotPlain, EditRefused):
        return False
    wanted = {path: Counter(digests(items)) for path, items in ours.items()}
    there = {path: _count(items_by_any_name(document, path)) for path, count in wanted.items() if count}
    missing = any(wanted[path] - count for path, count in there.items())
    return not missing and not any(_count(part.ours) - wanted.get(part.path, Counter()) for part in parts)


def _count(items: Sequence[Node]) -> Counter[str]:
    return Counter(item.digest() for item in items)


def is_there_unmarked(text: str, ours: Lists, where: str) -> bool:
    """Whether all of it stands in the text without our marks: then we never change or remove it."""
    return not find_marks(text) and has(text, ours, where)


def left(text: str, ours: Lists, where: str, last_edit: LastEdit | None = None) -> list[str]:
    """A sentence for what stays in the text without ours, and looks like ours; or why that cannot be said."""
    try:
        document, bare = read(text, where), read(remove(text, where, last_edit), where)
        parts = find_parts(document, where, _written(last_edit, where))
    except EditRefused as refusal:
        return [f"it cannot be said what stays of ours: {refusal.sentence}"]
    found = []
    for path, wanted in ours.items():
        known = {mark for node in nodes(wanted) for mark in (node.digest(), _label(node)) if mark}
        if alike := [item for item in items_by_any_name(bare, path) if known & {item.digest(), _label(item)}]:
            names = _names(alike)
            found.append(
                f"{where}: what looks like ours stays in {'.'.join(path)}: {names}; take out what is not meant to stay"
            )
    for part in parts:
        if part.missing:
            name, between = ".".join(part.path), part.strangers()
            stays = f"; between our marks stays {_names(between)}" if between else ""
            found.append(
                f"{where}: somebody else has taken out or changed {part.missing} of our items in {name}{stays}"
            )
    return found


def _names(items: Sequence[Node]) -> str:
    return shorten([_label(item) or "an item without a name" for item in items], 4)


def _label(item: Node) -> str:
    """By what an item is known: its own text, its name, or the receiver of a route."""
    if item.kind == "scalar":
        return item.value
    named = (value_of(item, key) for key in ("name", "receiver"))
    return next((value.value for value in named if value and value.kind == "scalar"), "")
