"""Limits that one stack has instead of those in the rule files: `limits.STACK.yml`."""

import math
from dataclasses import dataclass
from pathlib import Path

from formats import yaml_nodes
from formats.places import Place, read_text, shown
from rules._errors import RulesError

PREFIX = "limits."  # of these files; the others in the folder are rule files


@dataclass(frozen=True)
class StackLimit:
    """Another number for the last line of an alert's expression, why, and where that stands."""

    value: float
    why: str
    place: Place


def file_of(folder: Path, stack: str) -> Path:
    """Where the limits of a stack stand, if it has some of its own."""
    return folder / f"{PREFIX}{stack}.yml"


def read(path: Path) -> dict[str, StackLimit]:
    """Alert → its limit; nothing where there is no such file. Raises RulesError."""
    if not path.exists():
        return {}
    root = yaml_nodes.read(read_text(path, RulesError), shown(path), RulesError, plain=True)
    found: dict[str, StackLimit] = {}
    for name, node in root.fields().items() if root else ():
        node.what = f"the limit of {name}"
        parts = node.fields({"limit", "why"}, ("limit", "why"))
        try:
            value = float(parts["limit"].scalar())
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            parts["limit"].refuse("must be a number, such as 1500")
        if not (why := parts["why"].text().strip()):
            parts["why"].refuse("is empty: say why this stack has another limit")
        found[name] = StackLimit(value, why, Place(shown(path), node.line))
    return found
