"""Limits and the objective that one stack has instead of those in the rule files: `limits.STACK.yml`."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from formats import yaml_nodes
from formats.places import Place, read_text, shown
from formats.yaml_nodes import Node
from rules import _objective
from rules._errors import RulesError

PREFIX = "limits."  # of these files; the others in the folder are rule files
OBJECTIVE = "objective"  # the one entry that is no alert


@dataclass(frozen=True)
class StackLimit:
    """Another number for the last line of an alert's expression, why, and where that stands."""

    value: float
    why: str
    place: Place


@dataclass(frozen=True)
class StackObjective:
    """Another share of requests that must succeed, why, and where that stands."""

    share: float
    why: str
    place: Place


@dataclass(frozen=True)
class StackNumbers:
    """What a file says: alert → its limit, and the objective if there is one."""

    limits: Mapping[str, StackLimit]
    objective: StackObjective | None = None


def file_of(folder: Path, stack: str) -> Path:
    """Where the numbers of a stack stand, if it has some of its own."""
    return folder / f"{PREFIX}{stack}.yml"


def read(path: Path) -> StackNumbers:
    """What the file says; nothing where there is no such file. Raises RulesError."""
    if not path.exists():
        return StackNumbers({})
    root = yaml_nodes.read(read_text(path, RulesError), shown(path), RulesError, plain=True)
    limits: dict[str, StackLimit] = {}
    objective = None
    for name, node in root.fields().items() if root else ():
        if name == OBJECTIVE:
            objective = _objective_of(node)
            continue
        if yaml_nodes.similar(name.lower(), [OBJECTIVE]):
            raise RulesError(f"{name} is no alert: did you mean {OBJECTIVE}?", Place(node.file, node.line))
        node.what = f"the limit of {name}"
        parts = node.fields({"limit", "why"}, ("limit", "why"))
        value = _number(parts["limit"])
        if not math.isfinite(value):
            parts["limit"].refuse("must be a number, such as 1500")
        why = _reason(parts["why"], "another limit")
        limits[name] = StackLimit(value, why, Place(node.file, node.line))
    return StackNumbers(limits, objective)


def _objective_of(node: Node) -> StackObjective:
    node.what = "the objective"
    if node.is_single:
        node.refuse(f"needs two lines below it, `share: {_share_of(node) or 0.995:g}` and `why: …`")
    parts = node.fields({"share", "why"}, ("share", "why"))
    value = _number(parts["share"])
    if wrong := _objective.problem(value):
        meant = _share_of(parts["share"])
        parts["share"].refuse(f"must be a number: write {meant:g}" if meant and math.isnan(value) else wrong)
    return StackObjective(value, _reason(parts["why"], "another objective"), Place(node.file, node.line))


def _share_of(node: Node) -> float | None:
    """The objective that was meant by `99.5 %`, or by one that can be used as it is; None where it cannot be told."""
    written = node.scalar().strip()
    try:
        value = float(written.removesuffix("%")) / (100 if written.endswith("%") else 1)
    except ValueError:
        return None
    return value if not _objective.problem(value) else None


def _number(node: Node) -> float:
    """What is written there; NaN where that is no number."""
    try:
        return float(node.scalar())
    except ValueError:
        return math.nan


def _reason(node: Node, what: str) -> str:
    why = node.text().strip()
    if not why:
        node.refuse(f"is empty: say why this stack has {what}")
    return why
