"""`test-alert` through a real Alertmanager to a real relay: delivered, resolved; and each way in which it is not."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from werkzeug import Response

import rules
from ops import drill as drills
from ops import evidence, targets
from ops.checks import Check
from ops.clients.alertmanager import Alertmanager
from ops.clients.http import Http
from ops.errors import Misconfigured
from ops.replay import alert_path
from ops.sandbox.lifecycle import Sandbox
from tests.support.breaking import silence
from tests.support.checkout import ROOT
from tests.support.our_routes import receiver_of
from tests.support.stand_in import stand_in
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
    checks = drilled(target, drills.prepare("TestAPIAlert", []), timeout=7)
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

    again = drilled(target, drills.prepare("TestAPIAlert", []))  # waits for mails of its own
    assert {check.status for check in again.values()} == {"pass"}, again


def test_an_alert_of_the_rules_goes_where_it_would_and_at_once(target: targets.Target) -> None:
    """Its route waits a minute before the first mail; the drill, dated back, does not."""
    drill = drills.prepare("DatabaseQueryLatencyHigh", [])
    assert drill.labels["signal"] == "drill"
    checks = drilled(target, drill, timeout=20)
    assert checks["subject"].detail == "⚠️  Database Performance Warning: DatabaseQueryLatencyHigh"
    assert checks["mail"].status == "pass"
    # That takes the route's five minutes, and we waited for 20 s.
    assert checks["resolved-mail"].status == "fail"
    assert "within 5 min (group_interval): repeat it with --timeout 330" in checks["resolved-mail"].detail


def test_a_relay_that_refuses_the_login(target: targets.Target, relay: Http) -> None:
    relay.post("/control", json={"refuse_login": True})
    says = "refusals by the relay; run `bin/ops diagnose alerts --target sandbox`, which tries the relay"
    checks = until(lambda: drilled_until(target, says), "the relay's refusals are not told")
    assert checks["mail"].status == "fail"
    assert checks["resolved-mail"].status == "skip"
    assert target.alertmanager.alerts(['alertname="TestAPIAlert"']) == []


def test_a_relay_that_drops_a_recipient(target: targets.Target, relay: Http) -> None:
    relay.post("/control", json={"refuse_recipients": ["alerts@rsolv.dev"]})
    checks = drilled(target, drills.prepare("TestAPIAlert", []), timeout=3)
    assert "fail" in {check.status for check in checks.values()}


def test_where_nobody_reads_the_mailbox_the_counters_are_the_proof(target: targets.Target, relay: Http) -> None:
    blind = targets.Target(**{**target.__dict__, "mail": None})
    checks = drilled(blind, drills.prepare("TestAPIAlert", []))
    assert [check.status for check in checks.values()] == ["pass"] * 3, checks
    assert "for admin@rsolv.dev, alerts@rsolv.dev" in checks["mail"].detail
    relay.post("/control", json={"refuse_login": True})
    until(lambda: drilled_until(blind, "the relay refused it; "), "the relay's refusals are not told")


def test_a_silence_is_named_before_anything_is_sent(target: targets.Target) -> None:
    with silence(target, {"alertname": "Test.*"}, by="somebody", regex=True) as made:
        checks = drilled(target, drills.prepare("TestAPIAlert", []))
    assert list(checks) == ["route"]
    assert f"a silence matches it ({made} until " in checks["route"].detail
    assert " by somebody); expire the silence" in checks["route"].detail


def test_the_dry_run_shows_what_is_sent_and_sends_nothing(sandbox: Sandbox, target: targets.Target) -> None:
    command = [sys.executable, "-m", "ops", "test-alert", "APIErrorRateHigh", "--target", "sandbox", "--dry-run"]
    environment = {**os.environ, "SANDBOX_HOME": str(sandbox.home)}
    done = subprocess.run(
        [*command, "--format", "json"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    sent = dict(drills.prepare("APIErrorRateHigh", [], target.prometheus.sender()).labels)
    assert {**answer["labels"], "drill": ""} == {**sent, "drill": ""}
    assert answer["instead_of"] == {"signal": "errors"}
    assert answer["routes"][0]["receiver"] == receiver_of("APIErrorRateHigh")
    assert answer["routes"][0]["group_wait_seconds"] == 60
    assert answer["muted_by"] == []
    assert answer["real_alert_muted_by"] == ["APIErrorRateCritical"]
    (mail,) = answer["mails"]
    assert mail["to"] == ["admin@rsolv.dev", "alerts@rsolv.dev"]
    assert mail["subject"] == "⚠️  API Performance Warning: APIErrorRateHigh"
    assert "Summary:     Test of APIErrorRateHigh" in mail["text"]
    assert "signal=drill" in mail["text"]
    assert mail["text"].endswith(f"{target.alertmanager.url}/#/alerts?receiver=api-warnings")
    text = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False).stdout
    assert "signal=drill" in text.splitlines()[0]
    said = "drill, not errors as in rules/, so that it mutes no real warning; the real alert is muted by"
    assert said in " ".join(text.split())
    assert target.alertmanager.alerts(['drill!=""']) == []


def test_a_label_that_is_not_changed_is_not_mentioned() -> None:
    assert drills.prepare("APIErrorRateHigh", []).instead_of == {"signal": "errors"}
    assert drills.prepare("APIErrorRateHigh", ["signal=errors"]).instead_of == {}
    assert drills.prepare("APIErrorRateHigh", ["signal=mine"]).instead_of == {"signal": "errors"}
    assert drills.prepare("TestAPIAlert", []).instead_of == {}
    assert drills.prepare("Theirs", ["signal=x"]).instead_of == {}


@pytest.mark.parametrize(
    ("words", "url"),
    [
        (["--web.external-url=https://am.test/x/", "--log.level=debug"], "https://am.test/x"),
        (["--log.level=debug", "--web.external-url", "https://am.test"], "https://am.test"),
        (["--web.external-url="], None),
        (["--web.external-url"], None),
        ([], None),
    ],
)
def test_links_begin_with_the_address_that_alertmanager_was_started_with(words: list[str], url: str | None) -> None:
    with stand_in(lambda _: Response("\0".join(["alertmanager", *words]))) as address:
        assert Alertmanager(Http(address, name="Alertmanager")).external_url() == url
    with stand_in(lambda _: Response("404 page not found", status=404)) as address:
        assert Alertmanager(Http(address, name="Alertmanager")).external_url() is None


def test_the_sandboxs_alertmanager_tells_its_address(target: targets.Target) -> None:
    assert target.alertmanager.external_url() == target.alertmanager.url


def test_after_an_alert_of_the_same_group_it_says_for_how_long_no_mail_comes(target: targets.Target) -> None:
    """Its group was told of a moment ago: the drill is mailed when the group's interval is over, and not before."""
    name = "WebhookProcessingLatencyHigh"
    mail = target.mail
    assert mail is not None

    def path() -> alert_path.AlertPath:
        drill = drills.prepare(name, [])
        return alert_path.find_path(target.alertmanager, drill.labels, drill.annotations, [])

    assert path().same_group == ()
    now = datetime.now(UTC)
    first = {
        "labels": {**rules.alerts()[name].label_set, "marked": "first"},
        "annotations": {"summary": "first of its group"},
        "startsAt": (now - timedelta(minutes=5)).isoformat(),
    }
    target.alertmanager.post_alerts([{**first, "endsAt": (now + timedelta(minutes=10)).isoformat()}])
    try:
        until(lambda: [one for one in mail.messages() if one.mentions("first of its group")])
        assert path().same_group == (name,)
        assert f"group     has {name}, so its mail comes within 5 min" in alert_path.describe(path())
        checks = drilled(target, drills.prepare(name, []), timeout=1)
    finally:
        target.alertmanager.post_alerts([{**first, "endsAt": datetime.now(UTC).isoformat()}])
    assert checks["mail"].status == "fail"
    assert checks["mail"].detail == (
        f"no mail within 1 s; {name} is in its group already, so the next mail comes within 5 min (group_interval): "
        "repeat it with --timeout 330"
    )


def test_alerts_of_other_groups_are_no_reason_to_wait(target: targets.Target) -> None:
    now = datetime.now(UTC)
    other = {"labels": {**rules.alerts()["APIErrorRateHigh"].label_set, "marked": "other"}, "startsAt": now.isoformat()}
    target.alertmanager.post_alerts([{**other, "endsAt": (now + timedelta(minutes=10)).isoformat()}])
    try:
        for alert in "APIErrorRateCritical", "APIP95LatencyHigh", "TestAPIAlert":
            drill = drills.prepare(alert, [])
            path = alert_path.find_path(target.alertmanager, drill.labels, drill.annotations, [], render=False)
            assert path.same_group == (), alert
    finally:
        target.alertmanager.post_alerts([{**other, "endsAt": datetime.now(UTC).isoformat()}])


def test_labels_by_hand() -> None:
    drill = drills.prepare("TestAPIAlert", ["component=database", "team=a=b"])
    assert {**drill.labels, "drill": ""} == {
        "alertname": "TestAPIAlert",
        "severity": "warning",
        "component": "database",
        "team": "a=b",
        "drill": "",
    }
    assert drills.prepare("Mine", ["severity=critical"]).labels["alertname"] == "Mine"
    with pytest.raises(Misconfigured, match=r"there is no alert 'Nope' in rules/; there are API"):
        drills.prepare("Nope", [])
    with pytest.raises(Misconfigured, match=r"--label severity is not k=v; write for example --label component=api"):
        drills.prepare("TestAPIAlert", ["severity"])
