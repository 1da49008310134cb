"""`verify` against a sandbox in which one thing after the other is really broken: each is one line, with what to do."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import dashboards
import rules
from formats.quantities import percent
from ops import targets
from ops.checks import (
    active_alerts,
    every_check,
    failed,
    findings,
    live_dashboard,
    passed,
    skipped,
    success_criteria,
)
from ops.sandbox.lifecycle import Sandbox
from tests.support.breaking import RULE_FILE, rewritten
from tests.support.checkout import ROOT
from tests.support.limits import changed, other
from tests.support.our_routes import FALLBACK, ROUTING, receiver_of
from tests.support.waiting import PATIENCE
from tests.verbs.looking import found

COUNT = sum(alert.group == "api_performance" for alert in rules.alerts().values())
CRITICAL = rules.alerts()["APIErrorRateCritical"]


@pytest.mark.usefixtures("green")
def test_all_is_in_order_and_said_so_to_programs_and_people(sandbox: Sandbox) -> None:
    environment = {**os.environ, "SANDBOX_HOME": str(sandbox.home)}
    command = [sys.executable, "-m", "ops", "verify", "--target", "sandbox"]
    done = subprocess.run(
        [*command, "--format", "json"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert list(answer) == ["target", "checks", "passed", "failed", "skipped"]
    assert answer["target"] == "sandbox"
    assert {tuple(check) for check in answer["checks"]} == {("name", "status", "detail")}
    assert {check["status"] for check in answer["checks"]} <= {"pass", "skip"}
    assert answer["failed"] == 0
    assert answer["passed"] + answer["skipped"] == len(answer["checks"])
    details = {check["name"]: check["detail"] for check in answer["checks"]}
    assert details["rules/api_performance"] == f"{COUNT} alerts as in rules/{RULE_FILE}, all healthy"
    assert len([name for name in details if name.startswith("query/")]) == 4
    objective = f"at an objective of {percent(rules.objective(rules.load()) or 0)}; "
    assert re.search(
        rf"the error budget of 30 days is .*, {objective}.* of 30 days (is|are) kept$", details["error-budget"]
    )
    assert {f"panel/{panel.title}" for panel in dashboards.load().panels if panel.queries} <= set(details)

    text = subprocess.run([*command, "--all"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    *lines, last = text.stdout.splitlines()
    assert len(lines) == len(answer["checks"])
    signs = [line[0] for line in lines]  # another look than the one above: what was skipped may have happened since
    assert {*signs} <= {"✓", "–"}
    assert last == f"sandbox: {signs.count('✓')} passed, 0 failed, {signs.count('–')} skipped"

    text = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert len(text.stdout.splitlines()) <= 12
    assert "checks in order" in text.stdout


def test_what_is_wrong_comes_first_and_the_rest_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    checks = (
        passed("rules/one", "as written"),
        passed("rules/two", "as written"),
        passed("buckets", "below the last"),
        skipped("grafana", "no Grafana is installed here"),
        skipped("dashboard", "no Grafana is installed here"),
        skipped("panel/A", "no Grafana is installed here"),
        failed("rules/three", "is missing; deploy with `pulumi up`"),
    )
    findings.show(findings.Report("prod", checks), every=False)
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["✗", "rules/three", "is", "missing;", "deploy", "with", "`pulumi", "up`"],
        ["–", "grafana", "no", "Grafana", "is", "installed", "here"],
        ["–", "dashboard", "2", "not", "looked", "at:", "no", "Grafana", "is", "installed", "here"],
        ["✓", "rules", "2", "checks", "in", "order"],
        ["✓", "buckets", "below", "the", "last"],
        ["prod:", "3", "passed,", "1", "failed,", "3", "skipped", "(--all:", "each", "of", "them)"],
    ]


def test_a_prometheus_that_is_gone_cannot_be_looked_at(green: targets.Target, sandbox: Sandbox) -> None:
    sandbox.stop("prometheus", kill=True)
    try:
        report = every_check.run_checks(green)
    finally:
        sandbox.start("prometheus")
    assert report.exit_code == 2
    assert [check.name for check in report.failures] == ["prometheus"]
    assert report.failures[0].detail == (
        f"Prometheus at {green.prometheus.url} cannot be reached (Connection refused); "
        "is the sandbox running? make sandbox starts it"
    )
    assert {check.detail for check in report.checks if check.name in ("rules", "panels")} == {
        "not checked, as prometheus did not answer"
    }


def test_an_application_that_is_gone_is_a_finding(green: targets.Target, sandbox: Sandbox) -> None:
    sandbox.stop("application", kill=True)
    try:
        down = found(green, "scrape-target")
        report = every_check.run_checks(green)
    finally:
        sandbox.start("application")
    assert report.exit_code == 1
    assert "connection refused" in down.detail
    assert "try `curl -v http" in down.detail
    assert "metrics-endpoint" in [check.name for check in report.failures]


def test_a_rule_file_that_is_gone(green: targets.Target, sandbox: Sandbox) -> None:
    path = sandbox.mounts.rules / RULE_FILE
    text = path.read_text("utf-8")
    path.unlink()
    try:
        green.prometheus.reload()
        report = every_check.run_checks(green)
    finally:
        path.write_text(text, "utf-8")
        green.prometheus.reload()
    assert report.exit_code == 1
    assert [(check.name, check.detail) for check in report.failures] == [
        (
            "rules/api_performance",
            f"Prometheus at {green.prometheus.url} runs no group api_performance (rules/{RULE_FILE}); "
            "deploy with `pulumi up`",
        )
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            changed(CRITICAL, other(CRITICAL)),
            f"{CRITICAL.name}: runs `{other(CRITICAL)}`, here `{CRITICAL.limit.text}`",
        ),
        (
            lambda text: text.replace("for: 2m", "for: 3m", 1),
            "APIErrorRateCritical: runs with `for: 180s`, here 120s",
        ),
        (
            lambda text: text.replace("severity: warning", "severity: Warning", 1),
            "APIErrorRateHigh: its label severity runs as 'Warning', here 'warning'",
        ),
        (
            lambda text: text.replace("summary: The API answers", "summary: An API answers", 1),
            "APIErrorRateHigh: its annotation summary runs as 'An API answers",
        ),
        (
            lambda text: text.replace("interval: 30s", "interval: 10s", 1),
            "group api_performance runs every 10 s instead of 30 s",
        ),
        (
            lambda text: text.replace("alert: APIErrorRateHigh", "alert: Other", 1),
            "APIErrorRateHigh is missing, Other runs but",
        ),
    ],
    ids=["limit", "for", "label", "annotation", "interval", "name"],
)
def test_rules_that_differ(change: Callable[[str], str], said: str, green: targets.Target, sandbox: Sandbox) -> None:
    with rewritten(sandbox.mounts.rules / RULE_FILE, change, green.prometheus.reload):
        assert said in found(green, "rules/api_performance").detail


def test_other_layout_is_no_difference(green: targets.Target, sandbox: Sandbox) -> None:
    with rewritten(
        sandbox.mounts.rules / RULE_FILE,
        lambda text: text.replace(f"\n          {CRITICAL.limit.text}\n", f"   {CRITICAL.limit.text}\n"),
        green.prometheus.reload,
    ):
        assert found(green, "rules/api_performance", "pass")


def test_rules_that_do_not_load_and_rules_that_run_twice(green: targets.Target, sandbox: Sandbox) -> None:
    path = sandbox.mounts.rules / RULE_FILE
    with rewritten(path, changed(CRITICAL, f"> {CRITICAL.limit.text}"), green.prometheus.reload):
        assert "could not read its configuration last time" in found(green, "rules/reload").detail
    twin = path.with_name("twin.yml")
    twin.write_bytes(path.read_bytes())
    try:
        green.prometheus.reload()
        detail = found(green, "rules/api_performance").detail
    finally:
        twin.unlink()
        green.prometheus.reload()
    assert "group api_performance runs twice, from " in detail
    assert "twin.yml" in detail


@pytest.mark.parametrize(
    ("change", "name", "said"),
    [
        (
            lambda text: text.replace("admin@rsolv.dev, alerts@rsolv.dev", "admin@rsolv.dev"),
            "routing/receivers",
            f"receiver {ROUTING.config['receivers'][0]['name']} runs with another to",
        ),
        (
            lambda text: text.replace('severity="critical", signal!=""', 'severity="critical"'),
            "routing/inhibitions",
            "does not run; deploy with `pulumi up`",
        ),
        (
            lambda text: text.replace('[component="api", severity="warning"]', '[component="api", severity="Warning"]'),
            "routing/paths",
            f"APIErrorRateHigh goes to {FALLBACK} instead of {receiver_of('APIErrorRateHigh')}",
        ),
        (
            lambda text: text.replace("group_wait: 10s", "group_wait: 11s"),
            "routing/paths",
            f"goes to {receiver_of(CRITICAL.name)} with other timing or grouping",
        ),
    ],
    ids=["recipients", "inhibition", "route", "timing"],
)
def test_routing_that_differs(
    change: Callable[[str], str], name: str, said: str, green: targets.Target, sandbox: Sandbox
) -> None:
    with rewritten(sandbox.mounts.alertmanager_config, change, green.alertmanager.reload):
        assert said in found(green, name).detail


def test_routing_that_does_not_load(green: targets.Target, sandbox: Sandbox) -> None:
    with rewritten(
        sandbox.mounts.alertmanager_config, lambda text: text + "\nno_such_key: 1\n", green.alertmanager.reload
    ):
        detail = found(green, "routing/reload").detail
    assert "its next restart will fail: find `Loading configuration file failed` in its log" in detail


def test_waiting_ends_when_all_is_in_order_or_the_time_is_up(green: targets.Target, sandbox: Sandbox) -> None:
    told: list[str] = []
    path = sandbox.mounts.rules / RULE_FILE
    with rewritten(path, lambda text: text.replace("for: 2m", "for: 3m", 1), green.prometheus.reload):
        assert every_check.check_until_passed(green, 3, told.append).exit_code == 1
    assert told[0].startswith("waiting for rules/api_performance, up to ")
    assert every_check.check_until_passed(green, PATIENCE, told.append).exit_code == 0


def test_the_success_criteria_are_the_guides(green: targets.Target) -> None:
    judged = success_criteria.judge(green, every_check.run_checks(green).checks)
    assert [check.name for check in judged] == [
        f"All alert rules are loaded in Prometheus ({COUNT} in api_performance)",
        "Alertmanager shows the updated routing",
        "The Grafana dashboard is accessible and shows data",
        "The test alert was received by mail",
        "No false-positive alerts in the first 6 hours",
        "Baseline metrics are documented",
    ]
    status = {check.name: check.status for check in judged}
    assert list(status.values())[:3] == ["pass"] * 3
    quiet = judged[4]
    assert quiet.status == "pass" or "the rules run for" in quiet.detail or "fired in the last 6 hours" in quiet.detail


def test_a_runbooks_first_step(tmp_path: Path) -> None:
    (tmp_path / "A.md").write_text(
        "# A\n\n## Meaning\n\n1. no\n\n## Diagnosis\n\n1. Look at\n   the log:\n\n   ```\n   x\n   ```\n2. Then\n"
    )
    (tmp_path / "B.md").write_text("## Diagnosis\n\nRead the graph.\nTwice.\n\n## Mitigation\n\n- no\n")
    (tmp_path / "C.md").write_text("## Meaning\n\nnothing\n")
    assert active_alerts.first_step("A", tmp_path) == "Look at the log (docs/runbooks/A.md)"
    assert active_alerts.first_step("B", tmp_path) == "Read the graph. Twice (docs/runbooks/B.md)"
    assert active_alerts.first_step("C", tmp_path) == "read docs/runbooks/C.md"
    assert active_alerts.first_step("D", tmp_path) == "write its runbook, docs/runbooks/D.md does not exist"


def test_grafanas_variables_are_filled_in_as_grafana_would() -> None:
    values = {"__rate_interval": "5m", "path": ".*", "repo": "a|b"}
    query = 'sum(rate(x{path=~"$path",repo=~"${repo:regex}",z="[[repo]]"}[$__rate_interval])) # $none'
    assert live_dashboard.substitute(query, values) == 'sum(rate(x{path=~".*",repo=~"a|b",z="a|b"}[5m])) # $none'


def test_how_two_dashboards_differ() -> None:
    ours = {"uid": "u", "title": "T", "panels": [{"id": 1, "title": "A", "type": "stat"}, {"id": 2, "title": "B"}]}
    same = ours | {"id": 7, "version": 3, "panels": [{"id": 9, "title": "A", "type": "stat"}, {"id": 2, "title": "B"}]}
    other = ours | {"title": "Mine", "panels": [{"id": 1, "title": "A", "type": "gauge"}, {"id": 3, "title": "C"}]}
    assert live_dashboard.differing(ours, same) == []
    assert live_dashboard.differing(ours, other) == ["title", "panel 'A'", "panel 'B'", "panel 'C'"]
