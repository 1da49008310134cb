"""What the Prometheus of a drill has when it starts: traffic without faults, and what our rules record of it.

By a clock that runs faster: the moments are real, and as many times closer.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import promql_parser as promql

import rules
from formats.promql import parse
from ops.faults import scaled_config
from ops.faults.instances import Traffic
from ops.faults.replayed import RHYTHM
from ops.faults.scaled_clock import Clock
from ops.replay.coverage import metrics_read
from ops.replay.fetch import Question, ask
from ops.replay.recordings import expand
from ops.sandbox.blocks import Floats, selector_of, write_series
from ops.sandbox.evaluation import evaluating
from rules import Recording

_HOUR, _DAY = 3600.0, 86400.0
_REACH = 7 * _DAY  # how far our rules look back, and an hour more or less
_WEEKLY_STEP, _DAILY_STEP = 60.0, 120.0  # seconds of the clock between samples that only long windows read


def write(database: Path, clock: Clock, lasts: float) -> None:
    """Write it, up to what the clock is set to, for a scenario that lasts so many seconds of the clock.

    That is around this time a week ago, a day with few samples, and two hours. Raises SandboxError or ToolError.
    """
    end = clock.shown
    week_ago = np.arange(end - _REACH - 2 * _HOUR, end - _REACH + lasts + 2 * _HOUR, _WEEKLY_STEP)
    day = np.arange(end - _DAY - 2 * _HOUR, end - 2 * _HOUR, _DAILY_STEP)
    near = np.arange(end - 2 * _HOUR, end, scaled_config.SCRAPE_INTERVAL)
    times: Floats = np.unique(np.concatenate([week_ago, day, near]))
    traffic = Traffic(times=times, pace=RHYTHM.pace, seed=math.floor(clock.real))
    write_series(database, traffic.series(), np.array([clock.moment(at) for at in times]))
    _record(database, clock, [(week_ago[0], week_ago[-1]), (day[0], end)])


def _record(database: Path, clock: Clock, spans: Sequence[tuple[float, float]]) -> None:
    """Write what our rules record between two moments of the clock, each, of that which they read over ranges."""
    known = rules.recordings()
    wanted = [known[name] for name in sorted(_over_ranges(known))]
    with evaluating(database, _DAILY_STEP) as prometheus:
        for first, last in spans:
            for one in wanted:
                step = _ms(one.interval / clock.speed)
                moments = range(_ms(clock.moment(first)), _ms(clock.moment(last)), step)
                question = Question(clock.expression(expand(one.expr, known, one.interval)), moments)
                found = ask(prometheus, [question])[question]
                lines = [
                    (selector_of(one.name, {**dict(labels), **one.labels}), [_text(points.get(at)) for at in moments])
                    for labels, points in found.series.items()
                ]
                write_series(database, lines, np.array(moments) / 1000)


def _over_ranges(known: Mapping[str, Recording]) -> set[str]:
    """The recordings that a rule reads over a range: these need a past."""
    found: set[str] = set()

    def enter(node: object) -> None:
        if isinstance(node, promql.MatrixSelector | promql.SubqueryExpr):
            inner = node.vector_selector if isinstance(node, promql.MatrixSelector) else node.expr
            found.update(metrics_read(inner.prettify()) & known.keys())

    for rule in (rule for file in rules.load() for group in file.groups for rule in group.rules):
        promql.walk(parse(rule.expr), enter)
    return found


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _text(value: float | None) -> str:
    return "" if value is None else repr(value)
