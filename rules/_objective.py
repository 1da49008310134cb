"""The objective: the share of requests that must succeed. It stands in one recording, as what it leaves to fail."""

import re
from collections.abc import Iterable

from rules import _promql, _reader
from rules._errors import refuse
from rules._model import Alert, Recording, RuleFile

RECORD = "api:http_request_errors:budget"  # its expression is `vector(1 - 0.99)`
LOWEST = 0.5

_FORM = re.compile(r"^\s*vector\(\s*1\s*-\s*(?P<share>\d*\.?\d+)\s*\)\s*$")


def problem(share: float) -> str:
    """What is wrong with an objective, as the rest of a sentence about it; "" where it can be used."""
    if share == 1:
        return "is 1, which leaves no request that may fail: take a share below it, such as 0.999"
    if 1 < share < 100:
        return f"is {share:g}, and it is a share of 1: for {share:g} % write {_written(share / 100)}"
    if 0 < share < LOWEST:
        return (
            f"is {share:g}: it is the share that must succeed, not the one that may fail, such as {_written(1 - share)}"
        )
    return "" if LOWEST <= share < 1 else "must be the share of requests that must succeed, such as 0.995"


def recording(files: Iterable[RuleFile]) -> tuple[RuleFile, Recording] | None:
    """The recording that has the objective, with its file; None where these files have none."""
    for file in files:
        for one in file.recordings:
            if one.name == RECORD and one.is_house:
                return file, one
    return None


def share(files: Iterable[RuleFile]) -> float | None:
    """The share of requests that must succeed; None where these files have no objective. Raises RulesError."""
    found = recording(files)
    return None if found is None else share_in(found[1])


def share_in(one: Recording) -> float | None:
    """The objective that a recording has; None for any other recording. Raises RulesError."""
    if one.name != RECORD or not one.is_house:
        return None
    match = _FORM.match(one.expr)
    if match is None:
        refuse(one.file, one.line, f"the recording {RECORD} must be `vector(1 - SHARE)`, such as vector(1 - 0.99)")
    value = float(match["share"])
    if wrong := problem(value):
        refuse(one.file, one.line, f"the objective in {RECORD} {wrong}")
    return value


def with_share(file: RuleFile, value: float) -> RuleFile:
    """The file with another objective: one number in one line is replaced, everything else stays."""
    found = recording([file])
    assert found is not None
    lines = file.text.split("\n")
    at = next(row for row in range(found[1].line - 1, len(lines)) if "vector(" in lines[row])
    lines[at] = re.sub(r"(vector\(\s*1\s*-\s*)\d*\.?\d+", rf"\g<1>{value!r}", lines[at], count=1)
    changed = _reader.parse("\n".join(lines), file.path)
    if share([changed]) != value:
        refuse(file.path, at + 1, "the objective cannot be rewritten: write it as `vector(1 - 0.99)` in one line")
    return changed


def unreachable(files: Iterable[RuleFile]) -> tuple[Alert, str] | None:
    """An alert that cannot fire with the objective, whatever fails, and why; None where there is none."""
    every = list(files)
    value = share(every)
    if value is None:
        return None
    most = 1 / (1 - value)
    for alert in readers(alert for file in every for alert in file.alerts):
        if not alert.limit.fires_below and alert.limit.value >= most:
            return alert, (
                f"with an objective of {_written(value)}, {alert.name} cannot fire: its limit is {alert.limit.text}, "
                f"and if every request fails, the budget is used up {most:.3g} times as fast as allowed; take an "
                f"objective above {1 - 1 / alert.limit.value:.4g}, or another limit"
            )
    return None


def readers(alerts: Iterable[Alert]) -> list[Alert]:
    """The alerts that compare with the budget: those that follow from the objective."""
    return [alert for alert in alerts if RECORD in _promql.names(alert.signal)]


def _written(value: float) -> str:
    """A share with no more digits than were meant."""
    return f"{value:.10g}"
