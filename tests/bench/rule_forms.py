"""The same 15 alerts in several forms: as they are, naively, as a burn-rate generator has them, and on aggregates."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import promql_parser as promql

import rules
from formats.promql import parse
from rules import Alert, Recording

GENERATOR = Path(__file__).with_name("forms") / "generator.yml"
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
    return [ours(), naive(), generator(), aggregated()]


def ours() -> Form:
    """As they are in rules/."""
    return Form("as in `rules/`", tuple(_as_written(lambda expr: expr)))


def naive() -> Form:
    """Each alert by itself, from the raw series alone: what it reads of recordings stands in it."""
    recorded = {name: one for name, one in rules.recordings().items() if one.is_house}
    groups = [group for group in _as_written(lambda expr: inlined(expr, recorded)) if group.name == _OURS]
    return Form("naive", tuple(groups))


def generator() -> Form:
    """The alerts on the error budget as a generator writes them, the others naively."""
    file = rules.parse(GENERATOR.read_text("utf-8"), GENERATOR)
    theirs = [
        WrittenGroup(
            group.name,
            group.interval or 60.0,
            tuple(Written(r.name, isinstance(r, Recording), r.expr, r.labels) for r in group.rules),
        )
        for group in file.groups
    ]
    written = {rule.name for group in theirs for rule in group.rules}
    left = [
        WrittenGroup(group.name, group.interval, tuple(rule for rule in group.rules if rule.name not in written))
        for group in naive().groups
    ]
    return Form("by a generator", (*theirs, *left))


def _as_written(changed: Callable[[str], str]) -> Iterable[WrittenGroup]:
    """Our groups, with expressions that are changed."""
    for file in rules.load():
        for group in file.groups:
            if group.name.startswith(_OURS):
                yield WrittenGroup(
                    group.name,
                    group.interval or 60.0,
                    tuple(
                        Written(
                            rule.name,
                            isinstance(rule, Recording),
                            changed(rule.signal if isinstance(rule, Alert) else rule.expr),
                            rule.labels,
                        )
                        for rule in group.rules
                    ),
                )


def inlined(expr: str, recorded: Mapping[str, Recording]) -> str:
    """An expression with each recorded series replaced by the expression that it records."""

    def visit(node: promql.Expr) -> promql.Expr | None:
        if isinstance(node, promql.VectorSelector) and node.name in recorded:
            return parse(f"({inlined(recorded[str(node.name)].expr, recorded)})")
        return None

    return str(promql.transform(parse(expr), post_visit=visit).prettify())


# ── on aggregates ────────────────────────────────────────────────────────────────────────────────────────────────────

_REQUESTS, _QUERIES = "phoenix_http_request_duration_milliseconds", "rsolv_prom_ex_ecto_query_duration_milliseconds"
_WEBHOOKS = "rsolv_billing_stripe_webhook_received_total"
_STEP = 30  # seconds between two recordings of the aggregates: as often as the alerts read them
RATE, BUCKETS = "api:http_requests:rate5m", "api:http_request_buckets:rate5m"
QUERY_BUCKETS, WEBHOOK_RATE = "database:query_buckets:rate5m", "webhook:received:rate30m"


def aggregated() -> Form:
    """Each raw series is read once, in a group evaluated first; all else reads what that records.

    Windows longer than five minutes are sums over what was recorded every 30 s.
    """
    critical = _critical_paths()
    raw = (
        (RATE, f"sum by (status) (rate({_REQUESTS}_count[5m]))"),
        (
            BUCKETS,
            f"sum by (le, path) (rate({_REQUESTS}_bucket{{path=~{critical}}}[5m])) "
            f"or sum by (le) (rate({_REQUESTS}_bucket{{path!~{critical}}}[5m]))",
        ),
        (QUERY_BUCKETS, f"sum by (le) (rate({_QUERIES}_bucket[5m]))"),
        (WEBHOOK_RATE, f"sum by (status) (rate({_WEBHOOKS}[30m]))"),
    )
    first = WrittenGroup(
        f"{_OURS}_aggregates", float(_STEP), tuple(Written(name, True, expr, {}) for name, expr in raw)
    )
    return Form("on aggregates", (first, *_as_written(on_aggregates)))


def _critical_paths() -> str:
    """The matcher's text of the alert on single endpoints, in quotes."""
    found = re.search(r'path=~("[^"]+")', rules.alerts()["APIEndpointLatencyHigh"].signal)
    assert found, "the alert on single endpoints names no paths"
    return found[1]


def on_aggregates(expr: str) -> str:
    """An expression in which sums of rates of raw series are read from the aggregates."""

    def visit(node: promql.Expr) -> promql.Expr | None:
        if not isinstance(node, promql.AggregateExpr) or not isinstance(node.expr, promql.Call):
            return None
        call = node.expr
        if call.func.name not in ("rate", "increase") or not isinstance(call.args[0], promql.MatrixSelector):
            return None
        return _aggregate(node, str(call.func.name), call.args[0])

    return str(promql.transform(parse(expr), pre_visit=visit).prettify())


def _aggregate(node: promql.AggregateExpr, function: str, matrix: promql.MatrixSelector) -> promql.Expr | None:
    """What stands for the sum of a rate or an increase; None where it is not recorded."""
    window, text = int(matrix.range.total_seconds()), str(matrix.vector_selector.prettify())
    parts = re.fullmatch(r"(?P<name>[\w:]+)(?P<matchers>\{.*\})?(?P<offset> offset \w+)?", text)
    by = re.match(r"sum(\s+by \([^)]*\))?", str(node.prettify()))
    if not parts or not by:
        return None
    name, matchers, offset = parts["name"], parts["matchers"] or "", parts["offset"] or ""
    times = window if function == "increase" else 1
    if name == f"{_REQUESTS}_count" and window != 300:
        summed = f"{by[0]} (sum_over_time({RATE}{matchers}[{window}s]{offset}))"
        return parse(f"({summed} * {_STEP * times} / {window})")
    recorded = {
        (f"{_REQUESTS}_count", 300): f"{RATE}{matchers}",
        (f"{_REQUESTS}_bucket", 300): f"{BUCKETS}{matchers}",
        (f"{_QUERIES}_bucket", 300): f"{QUERY_BUCKETS}{matchers}",
        (f"{_QUERIES}_count", 300): f'{QUERY_BUCKETS}{{le="+Inf"}}',
        (_WEBHOOKS, 1800): f"{WEBHOOK_RATE}{matchers}",
    }.get((name, window))
    if recorded is None:
        return None
    return parse(f"({by[0]} ({recorded}{offset}) * {times})" if times > 1 else f"{by[0]} ({recorded}{offset})")
