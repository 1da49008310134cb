"""When Prometheus had data: an empty answer may mean that nothing crossed a limit, or that there was no data."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import promql_parser as promql

from formats.promql import parse
from ops.replay.fetch import Answer, Question

COARSE = 5 * 60_000  # ms
Span = tuple[int, int]  # ms, both ends included


@dataclass(frozen=True)
class Coverage:
    """When there was data, in spans of ms: of `anything` at all (`up` included), and of each metric."""

    anything: Sequence[Span]
    metrics: Mapping[str, Sequence[Span]]


def question(names: Iterable[str], start: int, end: int) -> Question:
    """The query for `coverage`: which metrics have samples, between two moments (ms).

    A sample counts for five minutes, as in Prometheus.
    """
    step = min(COARSE, max(1000, (end - start) // 300))
    wanted = "|".join(sorted({_cheap(name) for name in names} | {"up"}))
    query = f'group by (__name__) (last_over_time({{__name__=~"{wanted}"}}[{COARSE // 1000}s]))'
    return Question(query, range(start, end + step, step))


def coverage(names: Iterable[str], asked: Question, answer: Answer) -> Coverage:
    """Read the answer to `question` for the same names."""
    present = {dict(labels).get("__name__", ""): points for labels, points in answer.series.items()}
    everything = {at for points in present.values() for at in points}
    return Coverage(
        _spans(sorted(everything), asked.at.step),
        {name: _spans(sorted(present.get(_cheap(name), {})), asked.at.step) for name in names},
    )


def metrics_read(expression: str) -> set[str]:
    """The metrics that an expression reads, by name."""
    found: set[str] = set()

    def visit(node: object) -> None:
        if isinstance(node, promql.VectorSelector) and node.name:
            found.add(node.name)

    promql.walk(parse(expression), visit)
    return found


def lookback(expression: str) -> float:
    """How many seconds an expression looks back: its longest sum of ranges and offsets."""
    return max(reaches(expression).values(), default=0.0)


def reaches(expression: str) -> dict[str, float]:
    """How many seconds an expression looks back at each metric that it reads, by name."""
    nested = [0.0]
    found: dict[str, float] = {}

    def enter(node: object) -> None:
        if isinstance(node, promql.SubqueryExpr | promql.MatrixSelector):
            nested.append(nested[-1] + _seconds(node.range) + _offset(node))
        elif isinstance(node, promql.VectorSelector):
            name = node.name or ""
            found[name] = max(found.get(name, 0.0), nested[-1] + _offset(node))

    def leave(node: object) -> None:
        if isinstance(node, promql.SubqueryExpr | promql.MatrixSelector):
            nested.pop()

    promql.walk(parse(expression), enter, leave)
    return found


def overlap(spans: Iterable[Span], start: int, end: int) -> float:
    """How many seconds of the stretch from `start` to `end` (ms) the spans cover."""
    return sum(max(0, min(last, end) - max(first, start)) for first, last in spans) / 1000


def _offset(node: object) -> float:
    return max(0.0, _seconds(getattr(node, "offset", None)))


def _seconds(duration: timedelta | None) -> float:
    return duration.total_seconds() if duration is not None else 0.0


def _cheap(name: str) -> str:
    """The `_count` instead of the `_bucket`: one series instead of many, at the same times."""
    return f"{name.removesuffix('_bucket')}_count" if name.endswith("_bucket") else name


def _spans(moments: Sequence[int], step: int) -> list[Span]:
    """Neighbouring moments as spans."""
    found: list[Span] = []
    for at in moments:
        if found and at - found[-1][1] <= step:
            found[-1] = (found[-1][0], at)
        else:
            found.append((at, at))
    return found
