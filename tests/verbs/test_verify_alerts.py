"""What verify says of alerts that are pending or firing, and of metrics that have gone."""

import json
import re

import pytest

import rules
from ops import targets
from ops.checks import (
    live_dashboard,
    metric_presence,
)
from ops.sandbox.lifecycle import Sandbox
from ops.window import parse_moment, stamp
from tests.support.breaking import extra_rules
from tests.verbs.looking import found

PATHS = {"/a": 900, "/b": 950, "/c": 901}


def test_an_alert_that_fires_comes_with_the_first_step_of_its_runbook(green: targets.Target, sandbox: Sandbox) -> None:
    extra = sandbox.mounts.rules / "extra.yml"
    rule = {"alert": "DatabaseQueryLatencyHigh", "expr": "vector(123.4)"}
    extra.write_text(json.dumps({"groups": [{"name": "extra", "interval": "1s", "rules": [rule]}]}))
    try:
        green.prometheus.reload()
        check = found(green, "alert/DatabaseQueryLatencyHigh")
    finally:
        extra.unlink()
        green.prometheus.reload()
    limit = rules.alerts()["DatabaseQueryLatencyHigh"].limit.text
    assert f" UTC (123.4, limit {limit}); first: " in check.detail
    assert check.detail.endswith("(docs/runbooks/DatabaseQueryLatencyHigh.md)")


def test_the_values_of_several_series_are_told_with_what_tells_them_apart(
    green: targets.Target, sandbox: Sandbox
) -> None:
    name = "APIEndpointLatencyHigh"
    series = [f'label_replace(vector({value}), "path", "{path}", "", "")' for path, value in PATHS.items()]
    rule = {"alert": name, "expr": " or ".join(series), "labels": rules.alerts()[name].labels}
    with extra_rules(sandbox, green, {"name": "extra", "interval": "1s", "rules": [rule]}):
        check = found(green, f"alert/{name}")
    assert "(950 on /b, 901 on /c, 900 on /a, limit " in check.detail


def test_an_alert_fires_since_its_for_was_over_and_a_pending_one_is_not_in_order(
    green: targets.Target, sandbox: Sandbox
) -> None:
    """Prometheus says since when the expression is true, which is earlier by `for`."""
    rule = {"alert": "DatabaseQueryLatencyHigh", "expr": "vector(1)", "for": "2s"}
    late = {"alert": "APIErrorRateCritical", "expr": "vector(1)", "for": "1h", "labels": {"severity": "critical"}}
    with extra_rules(sandbox, green, {"name": "extra", "interval": "1s", "rules": [rule, late]}):
        firing = found(green, "alert/DatabaseQueryLatencyHigh")
        pending = found(green, "alert/APIErrorRateCritical", "skip")
        (active,) = (one for one in green.prometheus.alerts() if one.name == "DatabaseQueryLatencyHigh")
    assert firing.detail.startswith(f"firing since {stamp(parse_moment(active.active_at) + 2)} UTC (1, ")
    assert re.match(r"pending since .* UTC, fires at .* \(1, limit", pending.detail)


def test_a_metric_that_has_no_more_samples_is_gone_though_prometheus_lists_its_name(
    green: targets.Target, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (live_dashboard, metric_presence):
        monkeypatch.setattr(module, "WINDOW", 5.0)
    sandbox.control("metrics_gone")
    try:
        metric = found(green, "metric/phoenix_http_request_duration_milliseconds")
        panel = found(green, "query/API request count")
    finally:
        sandbox.control("normal")
    assert " and no sample of it for 5 s; " in metric.detail
    assert "did you mean phoenix_http_request_duration_milliseconds " not in metric.detail
    assert "the metrics are there" not in panel.detail
    assert found(green, "metric/phoenix_http_request_duration_milliseconds", "pass")
