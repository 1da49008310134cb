"""Recorded series replaced by the expressions that they record, for a past in which they were not recorded."""

from collections.abc import Mapping
from datetime import timedelta

import promql_parser as promql

from formats.promql import parse
from ops.errors import Misconfigured
from rules import Recording


def expand(expression: str, recordings: Mapping[str, Recording], every: float | None = None) -> str:
    """`expression` with each of `recordings` (by name) that it reads replaced by what it records.

    A recorded value is valid until the group's next evaluation, so `x` becomes `last_over_time((…)[15s:15s])` with the
    group's interval: computed as often as it would be recorded. Where it is read more rarely, at moments that are
    multiples of that interval apart, the value recorded then is `(…)` itself, which costs Prometheus less. `every`: how
    many seconds there are between the moments at which `expression` is evaluated; None: any. Raises Misconfigured for
    what cannot be replaced: a recorded series with matchers, a recording that reads itself.
    """
    return str(_expand(parse(expression), recordings, every, ()).prettify())


def _expand(
    tree: promql.Expr, recordings: Mapping[str, Recording], every: float | None, within: tuple[str, ...]
) -> promql.Expr:
    def visit(node: promql.Expr) -> promql.Expr | None:
        if isinstance(node, promql.SubqueryExpr):
            return _subquery(node, recordings, within)
        selector = node.vector_selector if isinstance(node, promql.MatrixSelector) else node
        if not isinstance(selector, promql.VectorSelector) or selector.name not in recordings:
            return None
        recording = recordings[str(selector.name)]
        if recording.name in within:
            raise Misconfigured(f"{recording.name} reads itself, through {' and '.join(within)}; remove one of these")
        matchers = selector.matchers
        if matchers.matchers or matchers.or_matchers:
            raise Misconfigured(
                f"{selector.prettify()} has no data from before it was recorded, and its matchers cannot be moved "
                "into its expression; write the expression itself in the alert"
            )
        when = selector.prettify().removeprefix(recording.name).removeprefix("{}")  # its offset and @
        instant = not isinstance(node, promql.MatrixSelector)
        if instant and not when and every is not None and every % recording.interval == 0:
            return parse(f"({_recorded(recording, recordings, every, within)})")
        inner = _recorded(recording, recordings, recording.interval, within)
        step = promql.display_duration(timedelta(seconds=recording.interval))
        if isinstance(node, promql.MatrixSelector):
            return parse(f"({inner})[{promql.display_duration(node.range)}:{step}]{when}")
        return parse(f"last_over_time(({inner})[{step}:{step}]{when})")

    return promql.transform(tree, visit)


def _recorded(recording: Recording, recordings: Mapping[str, Recording], every: float, within: tuple[str, ...]) -> str:
    """What a recording records, each of `every` seconds."""
    inner = str(_expand(parse(recording.expr), recordings, every, (*within, recording.name)).prettify())
    for label, value in recording.labels.items():
        inner = f'label_replace({inner}, "{label}", "{_quoted(value)}", "", "")'
    return inner


def _subquery(
    node: promql.SubqueryExpr, recordings: Mapping[str, Recording], within: tuple[str, ...]
) -> promql.Expr | None:
    """A subquery with its recordings replaced; Prometheus evaluates it at multiples of its step. None: it has none."""
    every = node.step.total_seconds() if node.step is not None else None
    before = node.expr.prettify()
    after = _expand(node.expr, recordings, every, within).prettify()
    return parse(f"{after}{node.prettify().removeprefix(before)}") if after != before else None


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
