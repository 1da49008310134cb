"""`diagnose alerts` from the rules to Prometheus' Alertmanager, each link really broken: it is named, and no other."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import routing
import rules
from formats.json_types import JsonObject
from ops import targets
from ops.diagnosis import silent_alerts
from ops.diagnosis.case import Case, load_case
from ops.errors import Misconfigured
from ops.sandbox.lifecycle import Sandbox
from tests.diagnosis.walked import of_alerts, of_panels, said, soon
from tests.support.breaking import RULE_FILE, edited, extra_rules, job, relay, rewritten
from tests.support.checkout import ROOT
from tests.support.limits import changed
from tests.support.our_panels import panel_of
from tests.support.our_routes import receiver_of

# Two series for each one: a sound expression, but for the data that it meets.
TROUBLE = """
groups:
  - name: trouble
    interval: 1s
    rules:
      - alert: APITrouble
        expr: |
          sum by (status) (METRIC) / on () sum by (path) (METRIC)
          > 1
        labels: {severity: warning, component: api, signal: trouble}
        annotations:
          summary: Trouble.
          description: Of a kind.
          runbook_url: https://docs.rsolv.dev/runbooks/APITrouble
          dashboard_url: https://grafana.rsolv.dev/d/api-performance-baseline
"""
LATENCY = "APIP95LatencyHigh"


def test_nothing_is_broken_and_said_so_to_programs_and_people(target: targets.Target, sandbox: Sandbox) -> None:
    soon(lambda: of_alerts(target), None)
    environment = {**os.environ, "SANDBOX_HOME": str(sandbox.home)}
    command = [sys.executable, "-m", "ops", "diagnose", "alerts", LATENCY, "--target", "sandbox"]
    done = subprocess.run(
        [*command, "--format", "json"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert list(answer) == ["target", "tree", "links", "broken", "next"]
    assert (answer["tree"], answer["broken"], answer["next"]) == (f"alerts {LATENCY}", None, None)
    details = {link["name"]: link["detail"] for link in answer["links"]}
    assert details["condition"].startswith("not true: ")
    assert f", limit {rules.alerts()[LATENCY].limit.text} (" in details["condition"]
    assert details["receiver"] == f"{receiver_of(LATENCY)} to admin@rsolv.dev, alerts@rsolv.dev"
    assert "TLSv1." in details["mail relay"]
    assert "login of api-performance-alerts" in details["mail relay"]

    with relay(sandbox, refuse_login=True):
        text = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert text.returncode == 1
    lines = text.stdout.splitlines()
    assert {line[0] for line in lines[: len(details) - 2]} <= {"✓", "–"}  # –: the watchdog has only just begun to fire
    assert [line[0] for line in lines[len(details) - 2 : len(details)]] == ["✗", "–"]
    assert lines[len(details) - 1].endswith("  not reached")
    assert ", 1 failed, " in lines[-3]
    assert lines[-2:] == [
        "First broken link: mail relay",
        "Next: bin/ops test-alert --target sandbox",
    ]


def test_an_alert_that_is_not_there(target: targets.Target) -> None:
    with pytest.raises(Misconfigured, match="there is no alert 'APIP95Latency' in rules/; did you mean APIP95Latency"):
        load_case(target, "APIP95Latency")


def test_prometheus_is_down(target: targets.Target, sandbox: Sandbox) -> None:
    sandbox.stop("prometheus", kill=True)
    try:
        found = of_alerts(target)
    finally:
        sandbox.start("prometheus")
    assert found.broken == "prometheus"
    assert "cannot be reached (Connection refused)" in said(found, code=2)


def test_the_rule_file_is_gone(target: targets.Target, sandbox: Sandbox) -> None:
    path = sandbox.mounts.rules / RULE_FILE
    text = path.read_text("utf-8")
    path.unlink()
    try:
        target.prometheus.reload()
        found = of_alerts(target, LATENCY)
    finally:
        path.write_text(text, "utf-8")
        target.prometheus.reload()
    assert found.broken == "rules loaded"
    assert "runs no group api_performance" in said(found)


def test_the_rules_do_not_load(target: targets.Target, sandbox: Sandbox) -> None:
    path = sandbox.mounts.rules / RULE_FILE
    alert = rules.alerts()[LATENCY]
    with rewritten(path, changed(alert, f"> {alert.limit.text}"), target.prometheus.reload):
        found = of_alerts(target)
    assert found.broken == "rules loaded"
    assert "could not read its configuration last time" in said(found)


def test_a_rule_fails_when_it_is_evaluated(target: targets.Target, sandbox: Sandbox, tmp_path: Path) -> None:
    text = TROUBLE.replace("METRIC", "phoenix_http_request_duration_milliseconds_count")
    (tmp_path / "trouble.yml").write_text(text, "utf-8")
    (group,) = yaml.safe_load(text)["groups"]
    ours = rules.alerts(tmp_path)["APITrouble"]
    about = Case(target, [ours], rules.load(tmp_path), routing.load(), named=True)
    with extra_rules(sandbox, target, group):
        found = soon(lambda: silent_alerts.diagnose(about), "rules evaluated", "APITrouble fails (")
    assert "trouble.yml:" in said(found)


def test_the_application_is_down_or_a_metric_gone_or_renamed(target: targets.Target, sandbox: Sandbox) -> None:
    def drop(config: JsonObject) -> None:
        job(config)["metric_relabel_configs"] = [
            {"source_labels": ["__name__"], "regex": "phoenix_http_request_duration.*", "action": "drop"}
        ]

    def rename(config: JsonObject) -> None:
        job(config)["metric_relabel_configs"] = [
            {
                "source_labels": ["__name__"],
                "regex": "phoenix_http_request_duration_(milliseconds.*)",
                "target_label": "__name__",
                "replacement": "phoenix_http_requests_duration_$1",
            }
        ]

    with rewritten(sandbox.mounts.prometheus_config, edited(drop), target.prometheus.reload):
        found = soon(lambda: of_panels(target, panel_of(LATENCY)), "metrics present")
        assert "Prometheus has no phoenix_http_request_duration_milliseconds" in said(found)
    with rewritten(sandbox.mounts.prometheus_config, edited(rename), target.prometheus.reload):
        name = "did you mean phoenix_http_requests_duration_milliseconds"
        assert name in said(soon(lambda: of_panels(target), "metrics present", name))
    sandbox.stop("application", kill=True)
    try:
        found = soon(lambda: of_panels(target), "metrics endpoint")
        assert "Connection refused" in said(found)
        assert found.next == f"curl -v {target.application_url}/metrics"
        gone = soon(lambda: of_alerts(target, "DatabaseConnectionPoolUtilizationHigh"), "expression has data")
        assert "rsolv-platform is not scraped" in said(gone)
    finally:
        sandbox.start("application")
    soon(lambda: of_panels(target), None)
    soon(lambda: of_alerts(target), None)
