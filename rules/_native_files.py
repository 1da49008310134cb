"""Rule files as they read where Prometheus has some histograms as native ones: see `_native`."""

from collections.abc import Collection, Iterable

from formats import yaml_nodes
from formats.places import shown
from formats.yaml_nodes import Node
from rules import _native, _reader
from rules._errors import RulesError, refuse
from rules._model import RuleFile, is_house


def native(files: Iterable[RuleFile], histograms: Collection[str]) -> tuple[RuleFile, ...]:
    """The files with the expressions of our groups for these histograms being native ones.

    Each line keeps its number. Rules of others stay as they are. Raises RulesError for what has no native form.
    """
    every = tuple(files)
    made = recorded(every, histograms)
    return tuple(_file(file, histograms, made) for file in every)


def recorded(files: Iterable[RuleFile], histograms: Collection[str]) -> frozenset[str]:
    """The recordings of our groups that record a native histogram, also from another one that does.

    `files`: as they are written, for classic histograms.
    """
    waiting = {one.name: one.expr for file in files for one in file.recordings if one.is_house}
    found: set[str] = set()
    while new := {name for name, expr in waiting.items() if _native.is_histogram(expr, histograms, found)} - found:
        found |= new
    return frozenset(found)


def _file(file: RuleFile, histograms: Collection[str], made: Collection[str]) -> RuleFile:
    lines = file.text.split("\n")
    wanted: list[str] = []
    for name, node, is_recording in _expressions(file):
        expr = node.text()
        try:
            changed = _native.native(expr, histograms, made, is_recording=is_recording)
        except ValueError as error:
            node.refuse(
                f"has no form for native histograms: {name} {error}; write it otherwise, or leave the setting "
                "`histograms` as classic"
            )
        if changed != expr:
            _put(lines, node, expr, changed)
        wanted.append(changed)
    text = "\n".join(lines)
    if text == file.text:
        return file
    found = _reader.parse(text, file.path)
    written = [node.text() for _, node, _ in _expressions(found)]
    if written != wanted:
        refuse(file.path, 1, "cannot be written for native histograms: write each expression as a block (`expr: |`)")
    return found


def _expressions(file: RuleFile) -> Iterable[tuple[str, Node, bool]]:
    """Name and expression of each rule of our groups, and whether it is a recording."""
    root = yaml_nodes.read(file.text, shown(file.path), RulesError, plain=True)
    assert root is not None  # it was read before
    for group in root.fields()["groups"].items():
        parts = group.fields()
        if is_house(parts["name"].scalar()):
            for rule in parts["rules"].items():
                found = rule.fields()
                name = (found.get("alert") or found["record"]).scalar()
                found["expr"].what = "`expr`"
                yield name, found["expr"], "record" in found


def _put(lines: list[str], node: Node, expr: str, changed: str) -> None:
    """The other expression in place of this one, line by line; where it stands in quotes or folded it is refused."""
    start, end = node.yaml.start_mark, node.yaml.end_mark
    if node.is_literal:
        first = node.line_of(0) - 1
        for at, (old, new) in enumerate(zip(expr.split("\n"), changed.split("\n"), strict=True), start=first):
            if old != new:
                lines[at] = lines[at].removesuffix(old) + new
    elif start.line == end.line and lines[start.line][start.column : end.column] == expr:
        line = lines[start.line]
        lines[start.line] = line[: start.column] + changed + line[end.column :]
    else:
        node.refuse("must be a literal block (`expr: |`), so that it can be written for native histograms")
