"""Lists in a YAML text, by the paths of their keys; and the check that an edit changes nothing else."""

from collections.abc import Collection, Mapping, Sequence

from components.live.text.edit_errors import EditRefused
from components.live.text.items import Lists, Path, snippets
from components.live.text.yaml_tree import Document, Node, NotPlain, Shape, parse


def read(text: str, where: str, ours: Lists | None = None) -> Document:
    """The text's nodes. Raises EditRefused, with `ours` to paste, for a text that cannot be edited by position."""
    try:
        return parse(text)
    except NotPlain as problem:
        place = f"{where}:{problem.line}" if problem.line else where
        hint = ": paste these lines by hand, or mend it first" if ours else ""
        raise EditRefused(f"{place}: the text {problem}, so it is not edited{hint}", snippets(ours or {})) from None


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


def items(document: Document, path: Path) -> Sequence[Node]:
    """The items of the list at the path; none where there is no list."""
    found = find(document, path)
    return found[1].children if found and found[1].kind == "sequence" else ()


def items_by_any_name(document: Document, path: Path) -> Sequence[Node]:
    """As `items`, but also of lists and mappings that stand elsewhere and are named or merged here (`*x`, `<<: *x`)."""
    node = document.root
    for name in path:
        node = value_of(node, name) if node else None
    return entries(node)


def entries(node: Node | None) -> Sequence[Node]:
    """The items of a list, also of one that an alias stands for; none of anything else."""
    node = node and _meant(node)
    return node.children if node and node.kind == "sequence" else ()


def _meant(node: Node) -> Node:
    return node.children[0] if node.kind == "alias" and node.children else node


def value_of(node: Node, name: str) -> Node | None:
    """The value of a key, also where the mapping or the key is an alias or is merged; None without one."""
    node = _meant(node)
    if node.kind != "mapping":
        return None
    if found := node.get(name):
        return found[1]
    merged = node.get("<<")
    sources = (merged[1].children if _meant(merged[1]).kind == "sequence" else [merged[1]]) if merged else ()
    return next((value for source in sources if (value := value_of(source, name))), None)


def _without(node: Node, paths: Collection[Path]) -> Shape:
    kept: list[object] = [node.kind, node.anchor, node.tag]
    for key, value in node.pairs():
        below = [path[1:] for path in paths if key.kind == "scalar" and key.value == path[0]]
        if () not in below:
            kept += [key.shape, _without(value, below) if below and value.kind == "mapping" else value.shape]
    return tuple(kept)


def without_lists(document: Document, paths: Collection[Path]) -> Shape:
    """The shape of everything but the lists."""
    root = document.root
    if root is None or root.is_null():
        return ("mapping", None, None)
    return _without(root, paths) if root.kind == "mapping" else root.shape


def check_only_lists_changed(
    old: Document, new: str, expected: Mapping[Path, Sequence[Shape]], where: str, ours: Lists | None = None
) -> None:
    """Raises EditRefused where the new text differs outside the lists, or a list is not as expected."""
    names = " and ".join(".".join(path) for path in expected)
    paste = snippets(ours or {})
    try:
        after = parse(new)
    except NotPlain as problem:
        raise EditRefused(f"{where}: with {names} edited the text {problem}; do it by hand", paste) from None
    same = without_lists(after, expected) == without_lists(old, expected)
    if not same or any(_shapes(after, path) != [*list_] for path, list_ in expected.items()):
        raise EditRefused(f"{where}: editing {names} would change more than our own lines; do it by hand", paste)


def _shapes(document: Document, path: Path) -> list[Shape] | None:
    """Those of the items; None where something else stands than a list."""
    found = find(document, path)
    is_list = found is None or found[1].kind == "sequence" or found[1].is_null()
    return [item.shape for item in items(document, path)] if is_list else None


def key_line(document: Document, key: Node) -> tuple[int, int, int] | None:
    """Start, end without line ending, and end of a key's line; None where more than blanks stands before the key."""
    text = document.text
    start = text.rfind("\n", 0, key.start) + 1
    stop = text.find("\n", key.start)
    after = len(text) if stop < 0 else stop + 1
    bare = text[start:after].rstrip("\n")
    bare = bare[:-1] if bare.endswith("\r") else bare
    return (start, start + len(bare), after) if not text[start : key.start].strip(" \ufeff") else None
