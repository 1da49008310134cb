"""The two comment lines around what is ours in a text that others wrote."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

OWNER = "api-performance"

_MARK = re.compile(
    rf"# (?:>>> {OWNER}/(?P<opened>[\w.]+):[^{{\n]*(?P<memory>\{{.*\}})?|<<< {OWNER}/(?P<closed>[\w.]+))"
    r"[ \t]*(?P<line_end>\r?(?:\n|\Z))"
)


@dataclass(frozen=True)
class Memory:
    """What removal must know of the former text, kept in the opening mark: so the text alone is enough."""

    items: tuple[str, ...] | None = None  # the digests of ours; None in a mark of an older version
    twins: tuple[str, ...] = ()  # those of items that others had already, and that are equal to ours
    key: bool = False  # the list's key is ours too
    was: str | None = None  # the key's line, which ended in [] or null
    joined: bool = False  # a one-line [a, b] was broken behind its bracket
    newline: bool = False  # the text had no final newline

    def json(self) -> str:
        """As JSON after a blank; "" where there is nothing to remember."""
        kept = {name: value for name, value in vars(self).items() if value}
        kept.update({name: " ".join(kept[name]) for name in ("items", "twins") if name in kept})
        return " " + json.dumps(kept, ensure_ascii=False) if kept else ""


@dataclass(frozen=True)
class Mark:
    """One of the two comments. It ends behind its line end if it has the line for itself, else before."""

    part: str
    opens: bool
    start: int
    end: int
    memory: Memory  # of an opening one


@dataclass(frozen=True)
class Region:
    """The marked lines of one part, both marks included."""

    start: int
    end: int
    indent: int  # of the closing mark

    def holds(self, position: int) -> bool:
        """Whether it stands between the marks."""
        return self.start <= position < self.end


def begin(part: str, indent: str, memory: Memory) -> str:
    """The opening mark, without its line end."""
    return (
        f"{indent}# >>> {OWNER}/{part}: managed by Pulumi; edits between these two marks are overwritten{memory.json()}"
    )


def end(part: str, indent: str) -> str:
    """The closing mark, without its line end."""
    return f"{indent}# <<< {OWNER}/{part}"


def find_marks(text: str) -> list[Mark]:
    """All marks, in the order of the text: tools that write a text anew may have lost or moved some."""
    found = []
    for match in _MARK.finditer(text):
        start = match.start()
        while start and text[start - 1] in " \t":
            start -= 1
        alone = not start or text[start - 1] in "\n\ufeff"
        if alone or start < match.start():  # else it is no comment
            part = match["opened"] or match["closed"]
            stop = match.end() if alone else match.start("line_end")
            found.append(Mark(part, bool(match["opened"]), start, stop, _memory(match["memory"])))
    return found


def region(text: str, pair: Sequence[Mark]) -> Region | None:
    """The lines between the marks of one part; None where there are not exactly an opening and a closing one."""
    if [mark.opens for mark in pair] != [True, False]:
        return None
    first, last = pair
    return Region(first.start, last.end, text.index("#", last.start) - last.start)


def _memory(text: str | None) -> Memory:
    try:
        kept = json.loads(text or "{}")
        kept = {name: kept[name] for name in vars(Memory()) if name in kept}
        kept.update({name: tuple(kept[name].split()) for name in ("items", "twins") if name in kept})
        return Memory(**kept)
    except (ValueError, TypeError, AttributeError):
        return Memory()
