"""The states of an alert over time, from the results of its expression: `for`, `keep_firing_for`, pending, firing.

It does what `AlertingRule.Eval` does (rules/alerting.go of Prometheus 3). Times are whole milliseconds, as in
Prometheus; an alert changes its state at evaluations only.

Not replayed: evaluations that Prometheus missed or that failed, `for` carried over a restart of Prometheus, and a
group's `limit` and `query_offset`.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Literal

State = Literal["pending", "firing"]


@dataclass(frozen=True, slots=True)
class Interval:
    """One label set in one state, from the evaluation that set it (`start`) to the one that ended it (`end`), in ms.

    `open`: it lasted until the last evaluation, which is `end` then.
    """

    state: State
    start: int
    end: int
    open: bool


def alert_states(
    evaluations: Iterable[int], crossing: Container[int], hold: int, keep: int, outage: int | None = None
) -> list[Interval]:
    """The states of one label set, in order.

    `crossing` holds the evaluations at which the expression has a result with these labels; `hold` is `for`, `keep` is
    `keep_firing_for`, both in ms. Where two evaluations are more than `outage` ms apart, Prometheus did not run, and
    the state begins again.
    """
    found: list[Interval] = []
    state: State | None = None
    since = active_at = previous = 0
    missing_since: int | None = None
    for now in evaluations:
        if outage is not None and state is not None and now - previous > outage:
            found.append(Interval(state, since, previous, False))
            state = None
        previous = now
        if now in crossing:
            missing_since = None
            if state is None:
                state, since, active_at = "pending", now, now
        elif state is None:
            continue
        else:
            kept = False
            if state == "firing" and keep > 0:
                missing_since = now if missing_since is None else missing_since
                kept = now - missing_since < keep
            if not kept:
                found.append(Interval(state, since, now, False))
                state, missing_since = None, None
                continue
        if state == "pending" and now - active_at >= hold:
            if now > since:
                found.append(Interval("pending", since, now, False))
            state, since = "firing", now
    if state is not None:
        found.append(Interval(state, since, previous, True))
    return found
