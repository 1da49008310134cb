"""Reads scenarios/*.yml: what goes wrong, and which alerts must fire for it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import rules
from formats import durations, yaml_nodes
from formats.durations import humanize
from formats.places import FormatError, read_text, shown
from formats.yaml_nodes import Node
from ops.errors import Misconfigured
from ops.faults.instances import COUNT
from ops.faults.stages import KINDS, Stage

FOLDER = Path(__file__).with_name("scenarios")
DEFAULT_AT = "10:00"  # UTC; within working hours

_KEYS = ("what", "at", "lasts", "faults", "fires", "may_fire", "inhibited", "wakes_nobody")
_PIECES = 40  # of a fault that rises: steps of a fortieth, at least a minute long
_LONGEST = 86400.0
_AFTERWARDS = 3600.0  # an alert may begin to fire that long after the last fault


class ScenarioError(FormatError):
    """A scenario cannot be used."""


@dataclass(frozen=True)
class Scenario:
    """A scenario, which begins on a Wednesday at `at` (seconds after midnight UTC) and lasts `lasts` seconds.

    `stages` count from its beginning. `fires`: alert → within how many seconds after the beginning it must fire.
    `may_fire`: alerts that may fire besides; all others must not. `inhibited`: those of them about which no mail is
    sent, as a critical alert tells of the same.
    """

    name: str
    what: str
    at: float
    lasts: float
    stages: tuple[Stage, ...]
    fires: Mapping[str, float]
    may_fire: tuple[str, ...] = ()
    inhibited: tuple[str, ...] = ()

    @property
    def wakes_nobody(self) -> bool:
        """Whether no alert may fire."""
        return not self.fires


def load(folder: Path = FOLDER) -> dict[str, Scenario]:
    """Every scenario by name. Raises Misconfigured, with file and line."""
    try:
        return {path.stem: read(path) for path in sorted(folder.glob("*.yml"))}
    except FormatError as error:
        raise Misconfigured(str(error)) from None


def read(path: Path) -> Scenario:
    """One scenario. Raises ScenarioError."""
    root = yaml_nodes.read(read_text(path, ScenarioError), shown(path), ScenarioError, plain=True)
    if root is None:
        raise ScenarioError(f"{shown(path)} is empty: fill it in, or delete it")
    root.what = f"the scenario {path.stem}"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", path.stem):
        root.refuse("must be named by small letters, digits and _: rename the file")
    parts = root.fields(_KEYS, ("what", "lasts", "faults"))
    lasts = _duration(parts["lasts"], _LONGEST)
    stages = tuple(stage for entry in parts["faults"].items(needed=True) for stage in _stages(entry, lasts))
    fires = {}
    for name, node in parts["fires"].fields().items() if "fires" in parts else ():
        _check_alert(node, name)
        fires[name] = _duration(node, lasts + _AFTERWARDS)
    may_fire = _alerts(parts.get("may_fire"))
    inhibited = _alerts(parts.get("inhibited"))
    for name in may_fire:
        if name in fires:
            parts["may_fire"].refuse(f"names {name}, which must fire anyway: take it out of one of the two")
    for name in inhibited:
        if name not in fires and name not in may_fire:
            parts["inhibited"].refuse(f"names {name}, which is not to fire: add it to `fires` or `may_fire`")
    nobody = "wakes_nobody" in parts and parts["wakes_nobody"].flag()
    if nobody and (fires or may_fire):
        parts["wakes_nobody"].refuse("contradicts the alerts that fire: take one of the two out")
    if not nobody and not fires:
        root.refuse("names no alert in `fires`: name those that must fire, or say `wakes_nobody: true`")
    at = _clock(parts["at"]) if "at" in parts else _seconds_of_day(DEFAULT_AT)
    return Scenario(path.stem, parts["what"].text(), at, lasts, stages, fires, may_fire, inhibited)


def _stages(entry: Node, whole: float) -> Iterator[Stage]:
    entry.what = "the fault"
    parts = entry.fields((*KINDS, "after", "lasts", "instances"))
    after = _duration(parts["after"], whole) if "after" in parts else 0.0
    lasts = _duration(parts["lasts"], whole) if "lasts" in parts else whole - after
    if lasts <= 0 or after + lasts > whole:
        entry.refuse(
            f"must begin and end within the scenario, which lasts {humanize(whole)}: correct `after` or `lasts`"
        )
    instances = None
    if "instances" in parts:
        number = parts["instances"].number()
        if number not in range(1, COUNT + 1):
            parts["instances"].refuse(f"must be a whole number from 1 to {COUNT}, as there are {COUNT} instances")
        instances = int(number)
    kinds = {name: node for name, node in parts.items() if name in KINDS}
    if not kinds:
        entry.refuse(f"says nothing that goes wrong: give it one of {', '.join(KINDS)}")
    spans = {name: _intensity(name, node) for name, node in kinds.items()}
    pieces = 1 if all(first == last for first, last in spans.values()) else max(1, min(_PIECES, int(lasts / 60)))
    for number in range(pieces):
        share = number / (pieces - 1) if pieces > 1 else 1.0
        begin, end = (after + lasts * edge / pieces for edge in (number, number + 1))
        yield Stage(begin, end, {name: a + (b - a) * share for name, (a, b) in spans.items()}, instances)


def _intensity(name: str, node: Node) -> tuple[float, float]:
    """At the beginning and at the end: a number, `{from: …, to: …}`, or true for what has none."""
    kind = KINDS[name]
    if not kind.unit:
        if not node.flag():
            node.refuse("can only be true: leave it out instead")
        return 1.0, 1.0
    try:
        ends = node.fields(("from", "to"), ("from", "to"))
    except ScenarioError:
        ends = {"from": node, "to": node}
    first, last = ends["from"].number(), ends["to"].number()
    for value in (first, last):
        if not 0 <= value <= kind.most:
            node.refuse(f"is {value:g} ({kind.unit}): give a number from 0 to {kind.most:g}")
    return first, last


def _alerts(node: Node | None) -> tuple[str, ...]:
    found = []
    for entry in node.items() if node is not None else ():
        name = entry.text()
        _check_alert(entry, name)
        found.append(name)
    return tuple(found)


def _check_alert(node: Node, name: str) -> None:
    known = rules.alerts()
    if name not in known or known[name].is_watchdog:
        near = yaml_nodes.similar(name, known)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(known)}"
        raise node.error(f"there is no alert {name} in rules/; {hint}")


def _duration(node: Node, most: float) -> float:
    try:
        seconds = durations.seconds(node.scalar())
    except ValueError as error:
        node.refuse(f"cannot be read: {error}")
    if seconds > most:
        node.refuse(f"is {node.scalar()}, longer than {humanize(most)}: shorten it")
    return seconds


def _clock(node: Node) -> float:
    text = node.text()
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text):
        node.refuse(f"is {text}: give a time of day, UTC, such as '10:00'")
    return _seconds_of_day(text)


def _seconds_of_day(text: str) -> float:
    hours, minutes = text.split(":")
    return int(hours) * 3600.0 + int(minutes) * 60.0
