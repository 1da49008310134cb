"""Recorded series replaced by the expressions that they record, for a past in which they were not recorded."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import promql_parser as promql

from formats.promql import parse
from ops.errors import Misconfigured
from rules import Recording

_DAY, _MINUTE = timedelta(days=1), 60.0


def expand(
    expression: str, recordings: Mapping[str, Recording], every: float | None = None, *, coarse: bool = False
) -> str:
    """`expression` with each of `recordings` (by name) that it reads replaced by what it records.

    A recorded value is valid until the group's next evaluation, so `x` becomes `last_over_time((…)[15s:15s])` with the
    group's interval: computed as often as it would be recorded. Where it is read more rarely, at moments that are
    multiples of that interval apart, the value recorded then is `(…)` itself, which costs Prometheus less. `every`: how
    many seconds there are between the moments at which `expression` is evaluated; None: any. `coarse`: a day or more is
    read as if it were recorded each minute, which is a quarter of the samples. Raises Misconfigured for what cannot be
    replaced: a recorded series with matchers, a recording that reads itself.
    """
    known = _Known(recordings, coarse)
    return str(_expand(parse(expression), known, every, ()).prettify())


@dataclass(frozen=True)
class _Known:
    """What is replaced, and how: arguments of `expand`."""

    recordings: Mapping[str, Recording]
    coarse: bool

    def step(self, recording: Recording, over: timedelta) -> float:
        """How many seconds there are between values of a recording in so long a range."""
        return max(recording.interval, _MINUTE if self.coarse and over >= _DAY else 0.0)


def _expand(tree: promql.Expr, known: _Known, every: float | None, within: tuple[str, ...]) -> promql.Expr:
    def visit(node: promql.Expr) -> promql.Expr | None:
        if isinstance(node, promql.SubqueryExpr):
            return _subquery(node, known, within)
        over = node.range if isinstance(node, promql.MatrixSelector) else None
        selector = node.vector_selector if isinstance(node, promql.MatrixSelector) else node
        if not isinstance(selector, promql.VectorSelector) or selector.name not in known.recordings:
            return None
        recording = known.recordings[str(selector.name)]
        if recording.name in within:
            raise Misconfigured(f"{recording.name} reads itself, through {' and '.join(within)}; remove one of these")
        matchers = selector.matchers
        if matchers.matchers or matchers.or_matchers:
            raise Misconfigured(
                f"{selector.prettify()} has no data from before it was recorded, and its matchers cannot be moved "
                "into its expression; write the expression itself in the alert"
            )
        when = selector.prettify().removeprefix(recording.name).removeprefix("{}")  # its offset and @
        if over is None and not when and every is not None and every % recording.interval == 0:
            return parse(f"({_recorded(recording, known, every, within)})")
        seconds = recording.interval if over is None else known.step(recording, over)
        inner = _recorded(recording, known, seconds, within)
        step = promql.display_duration(timedelta(seconds=seconds))
        if over is not None:
            return parse(f"({inner})[{promql.display_duration(over)}:{step}]{when}")
        return parse(f"last_over_time(({inner})[{step}:{step}]{when})")

    return promql.transform(tree, visit)


def _recorded(recording: Recording, known: _Known, every: float, within: tuple[str, ...]) -> str:
    """What a recording records, each of `every` seconds."""
    inner = str(_expand(parse(recording.expr), known, every, (*within, recording.name)).prettify())
    for label, value in recording.labels.items():
        inner = f'label_replace({inner}, "{label}", "{_quoted(value)}", "", "")'
    return inner


def _subquery(node: promql.SubqueryExpr, known: _Known, within: tuple[str, ...]) -> promql.Expr | None:
    """A subquery with its recordings replaced; Prometheus evaluates it at multiples of its step. None: it has none."""
    every = node.step.total_seconds() if node.step is not None else None
    before = node.expr.prettify()
    after = _expand(node.expr, known, every, within).prettify()
    return parse(f"{after}{node.prettify().removeprefix(before)}") if after != before else None


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
