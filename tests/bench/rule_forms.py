"""The same 15 alerts in several forms: as they are, naively, and as a burn-rate generator has them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import rules
from rules import Alert, Recording

FORMS = Path(__file__).with_name("forms")
_OURS = "api_performance"


@dataclass(frozen=True)
class Written:
    """A rule: `expr` of an alert without its limit, so that it has a value. `labels`: that a recording adds."""

    name: str
    recording: bool
    expr: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class WrittenGroup:
    """A group of rules; `interval` in seconds."""

    name: str
    interval: float
    rules: tuple[Written, ...]


@dataclass(frozen=True)
class Form:
    """One way to write all the alerts."""

    name: str
    groups: tuple[WrittenGroup, ...]

    def recordings(self) -> Iterable[tuple[Written, float]]:
        """Each recording, and how often it is made (seconds)."""
        return ((rule, group.interval) for group in self.groups for rule in group.rules if rule.recording)


def every() -> list[Form]:
    """The forms, ours first."""
    return [ours(), naive(), generator()]


def ours() -> Form:
    """As they are in rules/. An alert is its signal: without its limit, so that it has a value."""
    ours = (group for file in rules.load() for group in file.groups if group.name.startswith(_OURS))
    return Form("as in `rules/`", tuple(map(_written, ours)))


def naive() -> Form:
    """Each alert by itself, from the raw series alone."""
    return Form("naive", _read("naive.yml"))


def generator() -> Form:
    """The alerts on the error budget as a generator writes them, the others naively."""
    theirs = _read("generator.yml")
    written = {rule.name for group in theirs for rule in group.rules}
    left = [
        WrittenGroup(group.name, group.interval, tuple(rule for rule in group.rules if rule.name not in written))
        for group in naive().groups
    ]
    return Form("by a generator", (*theirs, *left))


def _read(name: str) -> tuple[WrittenGroup, ...]:
    path = FORMS / name
    return tuple(map(_written, rules.parse(path.read_text("utf-8"), path).groups))


def _written(group: rules.Group) -> WrittenGroup:
    def expression(rule: rules.Rule) -> str:
        return rule.signal if isinstance(rule, Alert) and rule.is_house else rule.expr

    found = (Written(rule.name, isinstance(rule, Recording), expression(rule), rule.labels) for rule in group.rules)
    return WrittenGroup(group.name, group.interval or 60.0, tuple(found))
