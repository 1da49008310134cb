"""
The alerts and recordings of this folder, and the only reader of them.

Every `*.yml` here is a Prometheus rule file and is deployed as it stands. The expression of an alert of ours, in group
`api_performance`, ends in a line of its own that is only the comparison: that line is the limit, all above it the
signal. Other groups may have any rules that Prometheus takes.
"""

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path

from formats.places import Place, shown
from rules import _native, _native_files, _objective, _promql, _reader, _stack_limits
from rules._errors import RulesError, refuse
from rules._model import HOUSE, SHADOW, Alert, Group, OtherAlert, Recording, Rule, RuleFile
from rules._native import series_of
from rules._promql import Limit
from rules._stack_limits import StackLimit, StackObjective

__all__ = [
    "BUDGET",
    "FOLDER",
    "HOUSE",
    "SHADOW",
    "Alert",
    "Group",
    "Limit",
    "OtherAlert",
    "Recording",
    "Rule",
    "RuleFile",
    "RulesError",
    "StackLimit",
    "StackObjective",
    "alerts",
    "load",
    "native_form",
    "normalise",
    "objective",
    "objective_in",
    "on_budget",
    "other_alerts",
    "parse",
    "quantity",
    "recorded_histograms",
    "recorded_once",
    "recordings",
    "series_of",
    "stack_limits",
    "stack_objective",
    "with_limit",
    "with_objective",
]

FOLDER = Path(__file__).parent
BUDGET = _objective.RECORD  # the recording of the share of requests that may fail

_FILE_NAME = re.compile(r"[A-Za-z0-9][-._A-Za-z0-9]*\.yml")


def load(folder: Path = FOLDER, *, stack: str = "", native: Collection[str] = ()) -> tuple[RuleFile, ...]:
    """Every rule file of `folder`, in the order of their names, with the limits and the objective of `stack`'s own.

    `native`: the histograms that Prometheus has as native ones: our expressions read them so. Raises RulesError for
    the first thing that is wrong.
    """
    if not folder.is_dir():
        refuse(folder, 1, "is no folder: it should hold the rule files")
    found: list[RuleFile] = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in (".yml", ".yaml") or path.name.startswith(_stack_limits.PREFIX):
            continue
        if not _FILE_NAME.fullmatch(path.name):
            refuse(path, 1, "would not be deployed under this name: use letters, digits, . _ - and the ending .yml")
        found.append(_reader.read(path))
    if not found:
        refuse(folder, 1, "holds no rule file: put at least one *.yml there")
    _check_unique(found)
    if wrong := _objective.unreachable(found):
        refuse(wrong[0].file, wrong[0].limit_line, wrong[1])
    files = _with_stack_numbers(tuple(found), _stack_limits.file_of(folder, stack)) if stack else tuple(found)
    return _native_files.native(files, native) if native else files


def parse(text: str, path: Path) -> RuleFile:
    """A rule file from its text; `path` is only named in errors and in the result. Raises RulesError."""
    file = _reader.parse(text, path)
    _check_unique([file])
    return file


def alerts(folder: Path = FOLDER, *, stack: str = "", native: Collection[str] = ()) -> dict[str, Alert]:
    """Every alert in our form by its name; `stack` and `native` as in `load`."""
    return {alert.name: alert for file in load(folder, stack=stack, native=native) for alert in file.alerts}


def other_alerts(folder: Path = FOLDER) -> dict[str, OtherAlert]:
    """Every alert in any other form by its name; the first of those that share one."""
    every = [alert for file in load(folder) for alert in file.other_alerts]
    return {alert.name: alert for alert in reversed(every)}


def stack_limits(stack: str, folder: Path = FOLDER) -> dict[str, StackLimit]:
    """Alert → the limit that this stack has instead of the rule file's. Raises RulesError."""
    return dict(_stack_limits.read(_stack_limits.file_of(folder, stack)).limits)


def stack_objective(stack: str, folder: Path = FOLDER) -> StackObjective | None:
    """The objective that this stack has instead of the rule file's; None for none. Raises RulesError."""
    return _stack_limits.read(_stack_limits.file_of(folder, stack)).objective


def objective(files: Iterable[RuleFile]) -> float | None:
    """The share of requests that must succeed, by these files; None where they record none. Raises RulesError."""
    return _objective.share(files)


def objective_in(recording: Recording) -> float | None:
    """The objective, for the recording that has it; None for any other. Raises RulesError."""
    return _objective.share_in(recording)


def with_objective(file: RuleFile, share: float) -> RuleFile:
    """The file that records the objective, with another one: one number is replaced, everything else stays."""
    return _objective.with_share(file, share)


def on_budget(alerts: Iterable[Alert]) -> list[Alert]:
    """Those of the alerts that compare with the error budget, and so follow from the objective."""
    return _objective.readers(alerts)


def recordings(folder: Path = FOLDER, *, stack: str = "", native: Collection[str] = ()) -> dict[str, Recording]:
    """Every recording rule by the name that it records, but for names that several record; arguments as of `load`."""
    return recorded_once(load(folder, stack=stack, native=native))


def recorded_once(files: Iterable[RuleFile]) -> dict[str, Recording]:
    """Every recording rule of these files by the name that it records, but for names that several record."""
    every = [recording for file in files for recording in file.recordings]
    count = Counter(recording.name for recording in every)
    return {recording.name: recording for recording in every if count[recording.name] == 1}


def recorded_histograms(folder: Path = FOLDER, *, native: Collection[str] = ()) -> frozenset[str]:
    """The recordings that record a histogram where Prometheus has these as native ones. Raises RulesError."""
    return _native_files.recorded(load(folder), native) if native else frozenset()


def native_form(expr: str, histograms: Collection[str], recorded: Collection[str] = ()) -> str:
    """An expression as it reads where these histograms are native ones. Raises RulesError where it has no such form.

    `recorded`: the recordings that record one, as of `recorded_histograms`.
    """
    try:
        return _native.native(expr, histograms, recorded)
    except ValueError as error:
        raise RulesError(f"the expression {expr!r} has no form for native histograms: it {error}") from None


def normalise(expr: str) -> str:
    """The form in which expressions are compared: one layout, no comments or outer parentheses. Raises RulesError."""
    try:
        return _promql.normalise(expr)
    except ValueError as error:
        raise RulesError(f"the expression {expr!r} {error}") from None


def quantity(signal: str) -> str:
    """What a signal measures, without its guards (`… and on () guard`), normalised. Raises RulesError."""
    try:
        return _promql.quantity(signal)
    except ValueError as error:
        raise RulesError(f"the expression {signal!r} {error}") from None


def with_limit(text: str, alert: Alert, value: float) -> str:
    """
    The text of `alert`'s file with another limit: one number in one line is replaced, everything else stays.

    Raises RulesError if the text is not the one that the alert was read from, or the number is none.
    """
    if not math.isfinite(value):
        refuse(alert.file, alert.limit_line, f"{value} is no limit for {alert.name}: give a number")
    lines = text.split("\n")
    before = {found.name: found for found in parse(text, alert.file).alerts}.get(alert.name)
    if before is None or (before.limit_line, before.expr) != (alert.limit_line, alert.expr):
        refuse(alert.file, alert.limit_line, f"{alert.name} has changed since it was read: read the rules again")
    lines[alert.limit_line - 1] = _promql.with_number(lines[alert.limit_line - 1], float(value))
    changed = "\n".join(lines)
    after = {found.name: found for found in parse(changed, alert.file).alerts}[alert.name]
    if after.limit.value != value or after.signal != alert.signal:
        refuse(alert.file, alert.limit_line, f"the limit of {alert.name} cannot be rewritten: change it by hand")
    return changed


def _with_stack_numbers(files: tuple[RuleFile, ...], path: Path) -> tuple[RuleFile, ...]:
    """The files with other numbers in the lines of the limits, and in that of the objective. Raises RulesError."""
    found = {file.name: file for file in files}
    own = _stack_limits.read(path)
    if own.objective is not None:
        has = _objective.recording(files)
        line = own.objective.place.line
        if has is None:
            refuse(path, line, f"no rule records {BUDGET}, which would have the objective: take the entry out")
        found[has[0].name] = _objective.with_share(has[0], own.objective.share)
    for name, limit in own.limits.items():
        home = next((file for file in found.values() if any(one.name == name for one in file.alerts)), None)
        alert = next((one for one in home.alerts if one.name == name), None) if home else None
        if home is None or alert is None:
            if any(one.name == name for file in files for one in file.other_alerts):
                refuse(path, limit.place.line, f"{name} has no limit in a line of its own: take the entry out")
            refuse(path, limit.place.line, f"there is no alert {name}: correct the name, or take the entry out")
        if alert.is_watchdog:
            refuse(path, limit.place.line, f"{name} always fires and has no limit: take the entry out")
        found[home.name] = _reader.parse(with_limit(home.text, alert, limit.value), home.path)
    if wrong := _objective.unreachable(found.values()):
        place = own.limits.get(wrong[0].name) or own.objective
        refuse(path, place.place.line if place else 1, wrong[1])
    return tuple(found.values())


def _check_unique(files: Iterable[RuleFile]) -> None:
    """Groups, alerts in our form and recordings of ours have a name of their own; other rules may share theirs."""
    groups: dict[str, Place] = {}
    taken: dict[tuple[str, str], tuple[Place, bool]] = {}
    for file in files:
        for group in file.groups:
            if group.name in groups:
                there = groups[group.name]
                refuse(file.path, group.line, f"there is another group {group.name}, at {there}: rename one")
            groups[group.name] = Place(shown(file.path), group.line)
            for rule in group.rules:
                what = "recording" if isinstance(rule, Recording) else "alert"
                alone = rule.is_house if isinstance(rule, Recording) else isinstance(rule, Alert)
                place, taken_alone = taken.get((what, rule.name), (None, False))
                if place is not None and (alone or taken_alone):
                    refuse(file.path, rule.line, f"there is another {what} {rule.name}, at {place}: rename one")
                taken[what, rule.name] = place or Place(shown(file.path), rule.line), alone
