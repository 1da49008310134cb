"""Writes further lines into the text of a routing, of which every other byte stays."""

import re

from formats.yaml_nodes import Node
from routing import _typed

Edit = tuple[int, str]  # where in the text, and what goes there


def after(mapping: Node, value: Node, block: str, text: str) -> Edit:
    """`block` as further keys of `mapping`, in the lines after that of its scalar `value`. Raises RoutingError."""
    if flow(mapping):
        raise mapping.error("nothing can be added to it in braces; write it in lines (key: value)")
    end = text.index("\n", value.yaml.end_mark.index)
    return end + 1, indented(block, mapping.yaml.start_mark.column)


def before(item: Node, block: str, text: str) -> Edit:
    """`block` as further items of the list that `item` is in, before it and its comment. Raises RoutingError."""
    start = item.yaml.start_mark.index
    begin = line(text, start)
    if text[begin:start].strip() != "-":
        raise item.error("nothing can be added before it; write it in lines, the first one as `- key: value`")
    column = text.index("-", begin) - begin
    while begin and text[line(text, begin - 1) : begin].lstrip().startswith("#"):
        begin = line(text, begin - 1)
    return begin, indented(block, column)


def flow(place: Node) -> bool:
    """Whether it stands in braces or brackets, or is no list or mapping at all."""
    return getattr(place.yaml, "flow_style", None) is not False


def quoted(text: str) -> str:
    """A text as a scalar of YAML."""
    return "'" + text.replace("'", "''") + "'" if text.isprintable() else _typed.scalar(text)


def line(text: str, index: int) -> int:
    """Where the line begins in which `index` is."""
    return text.rfind("\n", 0, index) + 1


def indented(block: str, columns: int) -> str:
    """Each line of `block` that is not empty, further right."""
    return "".join(" " * columns + line if line.strip() else line for line in block.splitlines(keepends=True))


def blocks(text: str) -> dict[str, str]:
    """Each key of a YAML text → the lines below it, which begin with two blanks, without these."""
    found = re.finditer(r"(?m)^(\w+):\n((?:(?:  .*)?(?:\n|$))+)", text)
    return {block[1]: re.sub(r"(?m)^  ", "", block[2]).rstrip("\n") + "\n" for block in found}
