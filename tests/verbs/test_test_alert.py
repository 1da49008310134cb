"""`test-alert` through a real Alertmanager to a real relay: delivered, resolved; and each way in which it is not."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from ops import drill as drills
from ops import evidence, targets
from ops.checks import Check
from ops.clients.http import Http
from ops.errors import Misconfigured
from ops.replay import alert_path
from ops.sandbox.lifecycle import Sandbox
from tests.support.checkout import ROOT
from tests.support.our_routes import receiver_of
from tests.support.waiting import PATIENCE, until


@pytest.fixture
def relay(target: targets.Target) -> Iterator[Http]:
    """The relay's controls; in order again afterwards."""
    assert target.mail is not None
    yield target.mail.http
    target.mail.http.post("/control", json={})


def drilled(target: targets.Target, drill: drills.Drill, timeout: float | None = None) -> dict[str, Check]:
    path = alert_path.find_path(target.alertmanager, drill.labels, drill.annotations, [])
    return {check.name: check for check in drills.prove(target, drill, path, timeout, lambda _: None)}


def drilled_until(target: targets.Target, words: str) -> dict[str, Check] | None:
    """A drill of which no mail comes, if this is said of it; None where Alertmanager has not even tried in the time."""
    checks = drilled(target, drills.prepare("TestAPIAlert", [], harmless=True), timeout=7)
    return checks if words in checks["mail"].detail else None


def test_the_guides_test_alert_arrives_and_is_resolved(sandbox: Sandbox, target: targets.Target) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ops", "test-alert", "--target", "sandbox", "--format", "json"],
        cwd=ROOT,
        env={**os.environ, "SANDBOX_HOME": str(sandbox.home)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    details = {check["name"]: check["detail"] for check in answer["checks"]}
    assert list(details) == ["route", "mail", "recipients", "subject", "content", "resolved-mail"]
    assert details["subject"] == "⚠️  API Performance Warning: TestAPIAlert"
    assert details["recipients"] == "admin@rsolv.dev, alerts@rsolv.dev"
    assert "Resolved: API Performance Warning: TestAPIAlert" in details["resolved-mail"]
    assert answer["passed"] == 6
    assert target.alertmanager.alerts(['alertname="TestAPIAlert"']) == []
    assert evidence.read("sandbox")["test-alert"]["delivered"] is True

    again = drilled(target, drills.prepare("TestAPIAlert", [], harmless=True))  # waits for mails of its own
    assert {check.status for check in again.values()} == {"pass"}, again


def test_an_alert_of_the_rules_goes_where_it_would_and_at_once(target: targets.Target) -> None:
    """Its route waits a minute before the first mail; the drill, dated back, does not."""
    drill = drills.prepare("DatabaseQueryLatencyHigh", [], harmless=True)
    assert drill.labels["signal"] == "drill"
    checks = drilled(target, drill, timeout=20)
    assert checks["subject"].detail == "⚠️  Database Performance Warning: DatabaseQueryLatencyHigh"
    assert checks["mail"].status == "pass"
    assert checks["resolved-mail"].status == "fail"  # that takes the route's five minutes, and we waited for 20 s


def test_a_relay_that_refuses_the_login(target: targets.Target, relay: Http) -> None:
    relay.post("/control", json={"refuse_login": True})
    says = "refusals by the relay; run `bin/ops diagnose alerts --target sandbox`, which tries the relay"
    checks = until(lambda: drilled_until(target, says), "the relay's refusals are not told")
    assert checks["mail"].status == "fail"
    assert checks["resolved-mail"].status == "skip"
    assert target.alertmanager.alerts(['alertname="TestAPIAlert"']) == []


def test_a_relay_that_drops_a_recipient(target: targets.Target, relay: Http) -> None:
    relay.post("/control", json={"refuse_recipients": ["alerts@rsolv.dev"]})
    checks = drilled(target, drills.prepare("TestAPIAlert", [], harmless=True), timeout=3)
    assert "fail" in {check.status for check in checks.values()}


def test_where_nobody_reads_the_mailbox_the_counters_are_the_proof(target: targets.Target, relay: Http) -> None:
    blind = targets.Target(**{**target.__dict__, "mail": None})
    checks = drilled(blind, drills.prepare("TestAPIAlert", [], harmless=True))
    assert [check.status for check in checks.values()] == ["pass"] * 3, checks
    assert "mail(s) for admin@rsolv.dev, alerts@rsolv.dev" in checks["mail"].detail
    relay.post("/control", json={"refuse_login": True})
    until(lambda: drilled_until(blind, "the relay refused it; "), "the relay's refusals are not told")


def test_a_silence_is_named_before_anything_is_sent(target: targets.Target) -> None:
    now = datetime.now(UTC)
    silence = {
        "matchers": [{"name": "alertname", "value": "Test.*", "isRegex": True, "isEqual": True}],
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(minutes=5)).isoformat(),
        "createdBy": "somebody",
        "comment": "a test",
    }
    made = target.alertmanager.http.decode(target.alertmanager.http.post("/api/v2/silences", json=silence))
    try:
        checks = drilled(target, drills.prepare("TestAPIAlert", [], harmless=True))
    finally:
        target.alertmanager.http.request("DELETE", f"/api/v2/silence/{made['silenceID']}")
    assert list(checks) == ["route"]
    assert f"a silence matches it ({made['silenceID']} until " in checks["route"].detail
    assert " by somebody); expire the silence" in checks["route"].detail


def test_the_dry_run_shows_the_way_and_sends_nothing(sandbox: Sandbox, target: targets.Target) -> None:
    command = [sys.executable, "-m", "ops", "test-alert", "APIErrorRateHigh", "--target", "sandbox", "--dry-run"]
    environment = {**os.environ, "SANDBOX_HOME": str(sandbox.home)}
    done = subprocess.run(
        [*command, "--format", "json"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["labels"]["signal"] == "errors"
    assert answer["routes"][0]["receiver"] == receiver_of("APIErrorRateHigh")
    assert answer["routes"][0]["group_wait_seconds"] == 60
    assert answer["muted_by"] == ["APIErrorRateCritical"]
    (mail,) = answer["mails"]
    assert mail["to"] == ["admin@rsolv.dev", "alerts@rsolv.dev"]
    assert mail["subject"] == "⚠️  API Performance Warning: APIErrorRateHigh"
    assert "Summary:     Test of APIErrorRateHigh" in mail["text"]
    text = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False).stdout
    assert "muted by  APIErrorRateCritical while firing" in text
    assert target.alertmanager.alerts(['drill!=""']) == []


def test_labels_by_hand() -> None:
    drill = drills.prepare("TestAPIAlert", ["component=database", "team=a=b"], harmless=True)
    assert {**drill.labels, "drill": ""} == {
        "alertname": "TestAPIAlert",
        "severity": "warning",
        "component": "database",
        "team": "a=b",
        "drill": "",
    }
    assert drills.prepare("Mine", ["severity=critical"], harmless=True).labels["alertname"] == "Mine"
    with pytest.raises(Misconfigured, match=r"there is no alert 'Nope' in rules/; there are API"):
        drills.prepare("Nope", [], harmless=True)
    with pytest.raises(Misconfigured, match=r"--label severity is not k=v; write for example --label component=api"):
        drills.prepare("TestAPIAlert", ["severity"], harmless=True)
