"""The contract: read strictly, and asked for nothing that it does not have, by rules and panels alike."""

import math
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

import dashboards
import metrics
import rules
from metrics import Contract, ContractError
from tests.support.checkout import ROOT

CONTRACT = metrics.load().reading(rules.recordings())
ALERTS = {name: alert for name, alert in rules.alerts().items() if alert.is_house or alert.is_watchdog}
RECORDINGS = {name: recording for name, recording in rules.recordings().items() if recording.is_house}
RUNBOOKS = ROOT / "docs" / "runbooks"
HTTP = "phoenix_http_request_duration_milliseconds"

ONE = """\
metrics:
  x_milliseconds:
    type: histogram
    help: How long it takes.
    unit: ms
    labels:
      path: [/a]
    buckets: [10, 100]
    source: somewhere
    aliases: [y_milliseconds]
  n_total:
    type: counter
    help: How many.
    unit: things
    source: somewhere
  level:
    type: gauge
    help: How full.
    unit: things
    source: somewhere
"""


@dataclass(frozen=True)
class Limit:
    operator: str
    value: float


@dataclass(frozen=True)
class Alert:
    name: str
    quantity: str
    limit: Limit


def load(tmp_path: Path, text: str) -> Contract:
    path = tmp_path / "contract.yml"
    path.write_text(text)
    return metrics.load(path)


# ── the contract as it stands ────────────────────────────────────────────────────────────────────────────────────────


def test_has_the_metrics_that_were_agreed() -> None:
    assert {name: (metric.type, set(metric.labels)) for name, metric in CONTRACT.metrics.items()} == {
        HTTP: ("histogram", {"action", "controller", "method", "path", "status"}),
        "rsolv_prom_ex_ecto_query_duration_milliseconds": ("histogram", {"repo", "source", "command"}),
        "rsolv_prom_ex_ecto_repo_query_queue_time_milliseconds": ("histogram", {"repo"}),
        "rsolv_prom_ex_ecto_connection_pool_used_connections": ("gauge", {"repo"}),
        "rsolv_prom_ex_ecto_connection_pool_size": ("gauge", {"repo"}),
        "rsolv_billing_stripe_webhook_received_total": ("counter", {"event_type", "status"}),
        "rsolv_billing_stripe_webhook_received_duration_milliseconds": ("histogram", {"event_type", "status"}),
    }
    assert all(math.isfinite(bound) for metric in CONTRACT.metrics.values() for bound in metric.buckets)


@pytest.mark.parametrize("alert", ALERTS.values(), ids=lambda alert: alert.name)
def test_alerts_ask_for_nothing_else(alert: rules.Alert) -> None:
    assert CONTRACT.problems(alert.expr, RECORDINGS) == []


@pytest.mark.parametrize("recording", RECORDINGS.values(), ids=lambda recording: recording.name)
def test_recordings_ask_for_nothing_else(recording: rules.Recording) -> None:
    assert CONTRACT.problems(recording.expr, RECORDINGS) == []


@pytest.mark.parametrize("panel", dashboards.load().panels, ids=lambda panel: panel.title)
def test_panels_ask_for_nothing_else(panel: dashboards.Panel) -> None:
    for query in panel.queries:
        assert CONTRACT.problems(query, RECORDINGS) == []


def test_every_metric_and_recording_is_used() -> None:
    queries = [
        *(alert.expr for alert in ALERTS.values()),
        *(recording.expr for recording in RECORDINGS.values()),
        *(query for panel in dashboards.load().panels for query in panel.queries),
    ]
    asked = {selector.name for query in queries for selector in metrics.selectors(query)}
    assert {CONTRACT.series[name].name for name in asked if name in CONTRACT.series} == set(CONTRACT.metrics)
    assert set(RECORDINGS) <= asked


def test_every_limit_can_be_crossed() -> None:
    assert CONTRACT.limit_problems(ALERTS.values()) == []


def test_what_cannot_work_is_refused_with_its_place(tmp_path: Path) -> None:
    CONTRACT.hold(ALERTS.values(), RECORDINGS)
    source = next(file for file in rules.load() if any(alert.is_house for alert in file.alerts))
    alert = ALERTS["APIP95LatencyCritical"]

    def refused(text: str, place: int, words: str) -> None:
        (tmp_path / source.name).write_text(text)
        with pytest.raises(ContractError) as caught:
            CONTRACT.hold(rules.alerts(tmp_path).values(), RECORDINGS)
        assert f"{source.name}:{place}: {alert.name}" in str(caught.value)
        assert words in str(caught.value)

    last = CONTRACT.metrics[HTTP].buckets[-1]
    refused(rules.with_limit(source.text, alert, last), alert.limit_line, "can never fire")
    lines = source.text.split("\n")
    lines[alert.line + 1] = lines[alert.line + 1].replace("api:http", "api:htpt")
    refused("\n".join(lines), alert.line, "is not in the contract")


def test_limits_between_two_buckets_are_flagged() -> None:
    between = {
        alert.name
        for alert in ALERTS.values()
        if alert.quantity.lstrip().startswith("histogram_quantile")
        for name in CONTRACT.raw(alert.quantity)
        if alert.limit.value not in CONTRACT.series[name].buckets
    }
    assert {warning.partition(":")[0] for warning in CONTRACT.limit_warnings(ALERTS.values())} == between


@pytest.mark.parametrize("runbook", sorted(RUNBOOKS.glob("*.md")), ids=lambda path: path.stem)
def test_runbooks_ask_for_nothing_else(runbook: Path) -> None:
    for query in re.findall(r"```promql\n(.*?)```", runbook.read_text(), flags=re.DOTALL):
        assert CONTRACT.problems(query, RECORDINGS) == []


def test_every_value_that_a_rule_selects_by_is_known() -> None:
    """`status="failed"` matches nothing if the application says "error": the values stand in the contract."""
    for alert in ALERTS.values():
        for selector in metrics.selectors(alert.expr):
            metric = CONTRACT.series.get(selector.name)
            for label, (operator, value) in selector.matchers.items():
                if metric is not None and operator == "=":
                    assert value in metric.labels[label], f"{alert.name}: {label}={value}"


# ── limits against buckets ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("operator", "value", "problems", "warnings"),
    [(">", 10, 0, 0), (">", 50, 0, 1), (">", 5, 0, 1), (">", 100, 1, 0), (">=", 101, 1, 0), ("<", 100, 0, 0)],
)
def test_limits_and_buckets(tmp_path: Path, operator: str, value: float, problems: int, warnings: int) -> None:
    contract = load(tmp_path, ONE)
    quantity = "histogram_quantile(0.95, sum by (le) (rate(x_milliseconds_bucket[5m])))"
    alert = Alert("Slow", quantity, Limit(operator, value))
    assert len(contract.limit_problems([alert])) == problems
    assert len(contract.limit_warnings([alert])) == warnings
    share = Alert("Share", "rate(x_milliseconds_bucket[5m]) / rate(n_total[5m])", Limit(">", 0.5))
    assert contract.limit_problems([share]) == contract.limit_warnings([share]) == []


# ── expressions against the contract ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("expr", "words"),
    [
        ("sum(rate(z_total[5m]))", "z_total is not in the contract: add it there"),
        ("x_milliseconds", "it is a histogram, so ask for x_milliseconds_bucket, _count or _sum"),
        ("rate(y_milliseconds_count[5m])", "which calls it x_milliseconds_count"),
        ('n_total{status="failed"}', "n_total has no label status (it has none)"),
        ("sum by (route) (rate(x_milliseconds_count[5m]))", "has no label route (it has path)"),
        ("sum by (le) (rate(x_milliseconds_count[5m]))", "has no label le"),
        ("sum by (path) (n_total)", "n_total has no label path"),
        ("rate(level[5m])", "level is a gauge, and rate() is for counters"),
        ("histogram_quantile(0.9, x_milliseconds_bucket)", "take its rate() before a quantile"),
        ('{path="/a"}', "a selector without a name is not in the contract"),
    ],
)
def test_says_what_is_asked_for_in_vain(tmp_path: Path, expr: str, words: str) -> None:
    problems = load(tmp_path, ONE).problems(expr)
    assert len(problems) == 1
    assert words in problems[0]


@pytest.mark.parametrize(
    "expr",
    [
        'sum by (path, instance) (rate(x_milliseconds_bucket{le="10",path=~"/a.*",job="j"}[5m]))',
        'up{job="rsolv-platform"} == 0',
        "rate(n_total[5m] offset 1w) > on () group_left () a:b:c",
        "max_over_time(level[1h])",
        "vector(1) > 0",
        'ALERTS{alertname="X"}',
    ],
)
def test_lets_pass_what_is_there(tmp_path: Path, expr: str) -> None:
    assert load(tmp_path, ONE).problems(expr, {"a:b:c"}) == []


def test_selectors_say_what_is_read_and_by_what() -> None:
    first, second = metrics.selectors('sum by (a) (rate(x{b!~"c"}[5m])) / on (d) y')
    assert (first.name, first.matchers, first.grouping, first.functions) == (
        "x",
        {"b": ("!~", "c")},
        ("d", "a"),
        ("rate",),
    )
    assert (second.name, second.matchers, second.grouping) == ("y", {}, ("d",))
    with pytest.raises(ContractError, match="is not PromQL"):
        metrics.selectors("sum(")


# ── the reader ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("metrics:", "metric:", 1, "unknown key `metric`: did you mean metrics?"),
        ("type: histogram", "type: summary", 2, "has the type summary"),
        ("    unit: ms\n", "", 2, "has no `unit`"),
        ("    help: How many.", "    halp: How many.", 13, "unknown key `halp`: did you mean help?"),
        ("buckets: [10, 100]", "buckets: [100, 10]", 8, "ascending"),
        ("buckets: [10, 100]", "buckets: [10, .inf]", 8, "finite"),
        ("    buckets: [10, 100]\n", "", 2, "needs `buckets`"),
        ("    unit: things\n", "    unit: things\n    buckets: [1]\n", 11, "needs `buckets` if it is a histogram"),
        ("path: [/a]", "path: /a", 7, "`path` of `labels` of x_milliseconds must be a list"),
        ("path: [/a]", "path: [1]", 7, "in quotes"),
        ("aliases: [y_milliseconds]", "aliases: y", 10, "must be a list"),
        ("  n_total:", "  x_milliseconds:", 11, "a second time"),
        ("  n_total:", "  x_milliseconds_count:", 11, "has the series x_milliseconds_count, as has x_milliseconds"),
        ("  n_total:", "  n-total:", 11, "is no metric name"),
        ("path: [/a]", "path: [/a", 8, "is not YAML"),
        ("[/a]", "&a [/a]\n      more: *a", 7, "alias"),
    ],
)
def test_refuses_in_one_sentence_with_its_place(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    assert old in ONE
    with pytest.raises(ContractError) as caught:
        load(tmp_path, ONE.replace(old, new, 1))
    message = str(caught.value)
    assert "\n" not in message
    assert f"contract.yml:{line}: " in message, message
    assert words in message, message


def test_refuses_what_is_no_file_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="cannot be read"):
        metrics.load(tmp_path / "none.yml")
    (tmp_path / "bytes.yml").write_bytes(b"\xff")
    with pytest.raises(ContractError, match="is not UTF-8"):
        metrics.load(tmp_path / "bytes.yml")
    for text in (
        "",
        "[]",
        "metrics:\n  - a\n",
        "!!python/object:x {}",
        "metrics: {a: 1}",
        "metrics: {1: {}}",
        "? [a]\n: b",
    ):
        with pytest.raises(ContractError):
            load(tmp_path, text)
