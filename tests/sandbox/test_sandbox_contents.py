"""What the sandbox that all tests share has: metrics as in the contract, healthy signals, and a past."""

import time

import metrics
import rules
from ops.sandbox.lifecycle import Sandbox
from ops.sandbox.servers import traffic
from tests.sandbox.own_sandbox import in_full


def test_the_application_exports_the_contract(sandbox: Sandbox) -> None:
    every = metrics.load().metrics
    for metric in every.values():
        family = metric.name.removesuffix("_total")  # OpenMetrics' name of a counter
        assert sandbox.prometheus.metadata(family)[family][0]["type"] == metric.type
        one = f"{metric.name}_count" if metric.type == "histogram" else metric.name
        found = sandbox.prometheus.query(one)
        assert found
        assert {*found[0].labels} - {"__name__", "job", "instance"} == {*metric.labels}
        if metric.type == "histogram":
            bounds = sandbox.prometheus.label_values("le", [f"{metric.name}_bucket"])
            assert sorted(map(float, bounds)) == [*metric.buckets, float("inf")]


def test_in_health_every_signal_is_there_and_none_crosses_its_limit(sandbox: Sandbox) -> None:
    for alert in rules.alerts().values():
        if alert.group == "api_performance":
            assert not sandbox.prometheus.query(in_full(alert.expr)), alert.name
    for name in ("APIP95LatencyHigh", "DatabaseQueryLatencyHigh", "WebhookProcessingLatencyHigh"):
        assert sandbox.prometheus.query(rules.alerts()[name].signal), f"{name} has no signal"


def test_prometheus_remembers_traffic_and_recordings_from_before_its_start(sandbox: Sandbox) -> None:
    ago = time.time() - 3600
    (rate,) = sandbox.prometheus.query("sum(rate(phoenix_http_request_duration_milliseconds_count[5m]))", at=ago)
    assert 0.5 < rate.value / (7 * traffic.pace(ago)) < 2  # nights and weekends are quiet
    (p95,) = sandbox.prometheus.query(rules.alerts()["APIP95LatencyHigh"].signal, at=ago)
    assert 50 < p95.value < 800
    for recording in rules.recordings().values():
        assert sandbox.prometheus.query(recording.name, at=ago), recording.name
