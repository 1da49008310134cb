"""One list in a YAML text, by the path of its keys; and the check that an edit changes nothing else."""

from typing import TypeAlias

from components.live.text.edit_errors import EditRefused
from components.live.text.marks import Region
from components.live.text.yaml_tree import Document, Node, NotPlain, Shape, parse

Path: TypeAlias = tuple[str, ...]


def read(text: str, where: str, snippet: str = "") -> Document:
    """The text's nodes. Raises EditRefused, with `snippet` to paste, for a text that cannot be edited by position."""
    try:
        return parse(text)
    except NotPlain as problem:
        place = f"{where}:{problem.line}" if problem.line else where
        hint = ": paste these lines by hand, or mend it first" if snippet else ""
        raise EditRefused(f"{place}: the text {problem}, so it is not edited{hint}", snippet) from None


def find(document: Document, path: Path) -> tuple[Node, Node] | None:
    """The key and the value at the path."""
    node = document.root
    found: tuple[Node, Node] | None = None
    for name in path:
        found = node.get(name) if node and node.kind == "mapping" else None
        if found is None:
            return None
        node = found[1]
    return found


def items(document: Document, path: Path) -> tuple[Node, ...]:
    """The items of the list at the path; none where there is no list."""
    found = find(document, path)
    return found[1].children if found and found[1].kind == "sequence" else ()


def marked(document: Document, path: Path, region: Region) -> tuple[Node, ...]:
    """The items that stand between our marks."""
    return tuple(item for item in items(document, path) if region.start <= item.start < region.end)


def without_list(document: Document, path: Path) -> Shape:
    """The shape of everything but the list."""

    def without(node: Node, path: Path) -> Shape:
        kept: list[object] = [node.kind, node.anchor, node.tag]
        for key, value in node.pairs():
            if key.value == path[0] and key.kind == "scalar":
                if len(path) > 1 and value.kind == "mapping":
                    kept += [key.shape(), without(value, path[1:])]
            else:
                kept += [key.shape(), value.shape()]
        return tuple(kept)

    root = document.root
    if root is None or root.is_null():
        return ("mapping", None, None)
    return without(root, path) if root.kind == "mapping" else root.shape()


def check_only_list_changed(old: Document, new: str, path: Path, expected: list[Shape], where: str, paste: str) -> None:
    """Raises EditRefused where the new text differs outside the list, or the list is not as expected."""
    name = ".".join(path)
    try:
        after = parse(new)
    except NotPlain as problem:
        raise EditRefused(f"{where}: with {name} edited the text {problem}; do it by hand", paste) from None
    if (
        without_list(after, path) != without_list(old, path)
        or [item.shape() for item in items(after, path)] != expected
    ):
        raise EditRefused(f"{where}: editing {name} would change more than our own lines; do it by hand", paste)


def key_line(document: Document, key: Node) -> tuple[int, int, int] | None:
    """Start, end without line ending, and end of a key's line; None where more than blanks stands before the key."""
    text = document.text
    start = text.rfind("\n", 0, key.start) + 1
    stop = text.find("\n", key.start)
    after = len(text) if stop < 0 else stop + 1
    bare = text[start:after].rstrip("\n")
    bare = bare[:-1] if bare.endswith("\r") else bare
    return (start, start + len(bare), after) if not text[start : key.start].strip(" \ufeff") else None
