"""The two comment lines around what is ours in a text that others wrote."""

import json
import re
from dataclasses import dataclass

from components.live.text.edit_errors import EditRefused

OWNER = "api-performance"

_BEGIN = re.compile(rf"^[ \t]*# >>> {OWNER}/([\w.]+):[^{{\n]*(\{{.*\}})?[ \t]*\r?$", re.MULTILINE)
_END = re.compile(rf"^([ \t]*)# <<< {OWNER}/([\w.]+)[ \t]*\r?(?:\n|\Z)", re.MULTILINE)


@dataclass(frozen=True)
class Memory:
    """What removal must know of the former text, kept in the opening mark: so the text alone is enough."""

    was: str | None = None  # the key's line, which ended in [] or null
    joined: bool = False  # a one-line [a, b] was broken behind its bracket
    newline: bool = False  # the text had no final newline

    def json(self) -> str:
        """As JSON after a blank; "" where there is nothing to remember."""
        kept = {name: value for name, value in vars(self).items() if value}
        return " " + json.dumps(kept, ensure_ascii=False) if kept else ""


@dataclass(frozen=True)
class Region:
    """The marked lines of one part: character positions, both marks and the closing one's line end included."""

    part: str
    start: int
    end: int
    indent: str
    memory: Memory


def begin(part: str, indent: str, memory: Memory) -> str:
    """The opening mark, without its line end."""
    return (
        f"{indent}# >>> {OWNER}/{part}: managed by Pulumi; edits between these two marks are overwritten{memory.json()}"
    )


def end(part: str, indent: str) -> str:
    """The closing mark, without its line end."""
    return f"{indent}# <<< {OWNER}/{part}"


def regions(text: str, where: str) -> dict[str, Region]:
    """Part → its marked lines, in the order of the text. Raises EditRefused where marks are damaged."""
    marks = sorted([*_BEGIN.finditer(text), *_END.finditer(text)], key=lambda found: found.start())
    found: dict[str, Region] = {}
    for opening, closing in zip(marks[::2], [*marks[1::2], None], strict=False):
        part = opening[1]
        pair = opening.re is _BEGIN and closing is not None and closing.re is _END and closing[2] == part
        if not pair or closing is None or part in found:
            line = text.count("\n", 0, opening.start()) + 1
            raise EditRefused(
                f"{where}:{line}: the marks around the lines of {OWNER} are damaged (each '# >>>' needs its '# <<<', "
                "once): put the missing one back, or take out what stands between them together with both"
            )
        found[part] = Region(part, opening.start(), closing.end(), closing[1], _memory(opening[2]))
    return found


def _memory(text: str | None) -> Memory:
    try:
        kept = json.loads(text or "{}")
        return Memory(**{name: kept[name] for name in ("was", "joined", "newline") if name in kept})
    except (ValueError, TypeError):
        return Memory()
