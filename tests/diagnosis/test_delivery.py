"""`diagnose alerts` from Prometheus to the mailbox, each link really broken: it is named, with what to do."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from werkzeug import Request, Response

import rules
from components.settings import WorkingHours
from formats.json_types import JsonObject
from ops import targets
from ops.checks import every_check
from ops.clients.alertmanager import DEPLOY_COMMENT
from ops.sandbox.lifecycle import Sandbox
from routing.on_call import INTERVAL
from tests.diagnosis.walked import detail, of_alerts, said, soon
from tests.support.breaking import edited, extra_rules, firing, relay, rewritten, silence
from tests.support.our_routes import receiver_of
from tests.support.stand_in import stand_in
from tests.support.waiting import until

LATENCY, CRITICAL = "APIP95LatencyHigh", "APIP95LatencyCritical"
WARNING = next(name for name, alert in rules.alerts().items() if alert.severity == "warning")


def test_prometheus_sends_nowhere_or_to_nobody(target: targets.Target, sandbox: Sandbox) -> None:
    def nowhere(config: JsonObject) -> None:
        config["alerting"]["alertmanagers"] = []

    def nobody(config: JsonObject) -> None:
        config["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": ["127.0.0.1:9"]}]}]

    def drill(name: str) -> JsonObject:
        return {"name": name, "interval": "1s", "rules": [{"alert": name, "expr": "vector(1)"}]}

    def discovered(url: str) -> None:
        until(lambda: target.prometheus.alertmanagers() == [url], f"Prometheus has not found {url}")

    with rewritten(sandbox.mounts.prometheus_config, edited(nowhere), target.prometheus.reload):
        found = soon(lambda: of_alerts(target), "sent by prometheus")
        assert "has no Alertmanager to send alerts to" in said(found)
    with rewritten(sandbox.mounts.prometheus_config, edited(nobody), target.prometheus.reload):
        discovered("http://127.0.0.1:9/api/v2/alerts")
        with extra_rules(sandbox, target, drill("First")):
            found = soon(lambda: of_alerts(target), "sent by prometheus", "Prometheus could not send alerts")
        assert "127.0.0.1:9" in said(found)
    discovered(f"{target.alertmanager.url}/api/v2/alerts")
    with extra_rules(sandbox, target, drill("Second")):  # one that arrives ends it
        soon(lambda: of_alerts(target), None)


def test_alertmanager_is_down(target: targets.Target, sandbox: Sandbox) -> None:
    sandbox.stop("alertmanager", kill=True)
    try:
        found = soon(lambda: of_alerts(target, LATENCY), "alertmanager")
    finally:
        sandbox.start("alertmanager")
    assert "Alertmanager at " in said(found, code=2)
    assert "cannot be reached" in said(found, code=2)


def test_the_route_leads_elsewhere_or_tells_others(target: targets.Target, sandbox: Sandbox) -> None:
    path, reload = sandbox.mounts.alertmanager_config, target.alertmanager.reload
    with rewritten(path, lambda text: text.replace('severity="warning"]', 'severity="Warning"]', 1), reload):
        found = soon(lambda: of_alerts(target), "route")
        assert " goes to " in said(found)
        assert " instead of " in said(found)
    with rewritten(path, lambda text: text.replace("admin@rsolv.dev, alerts@rsolv.dev", "admin@rsolv.dev"), reload):
        assert "runs with another to" in said(soon(lambda: of_alerts(target, LATENCY), "receiver"))


def kept_back(until_day: datetime) -> Callable[[JsonObject], None]:
    """No warning is sent but on one day of the week."""

    def change(config: JsonObject) -> None:
        day = f"{until_day:%A}".lower()
        config["time_intervals"] = [{"name": INTERVAL, "time_intervals": [{"weekdays": [day]}]}]
        for route in config["route"]["routes"]:
            if 'severity="warning"' in route.get("matchers", ()):
                route["active_time_intervals"] = [INTERVAL]

    return change


def test_quiet_hours_that_somebody_else_made(target: targets.Target, sandbox: Sandbox) -> None:
    path, reload = sandbox.mounts.alertmanager_config, target.alertmanager.reload
    with rewritten(path, edited(kept_back(datetime.now(UTC) + timedelta(days=3))), reload):
        found = soon(lambda: of_alerts(target, LATENCY), "quiet hours")
        (check,) = (one for one in every_check.run_checks(target).checks if one.name == "routing/hours")
    assert f"to {receiver_of(LATENCY)} is muted now (outside of active_time_intervals: {INTERVAL})" in said(found)
    assert check.status == "fail"
    assert check.detail.startswith(f"{WARNING} to {receiver_of(WARNING)}")


def test_the_stack_s_own_working_hours_are_no_fault(target: targets.Target, sandbox: Sandbox) -> None:
    """Why no mail comes is the answer, and all behind it is still looked at."""
    away = datetime.now(UTC) + timedelta(days=3)
    hours = WorkingHours((f"{away:%A}".lower(),), (("00:00", "24:00"),), "UTC")
    settings = replace(target.settings, on_call=replace(target.settings.on_call, working_hours=hours))
    meant = replace(target, settings=settings)
    with rewritten(sandbox.mounts.alertmanager_config, edited(kept_back(away)), target.alertmanager.reload):
        found = soon(lambda: of_alerts(meant, LATENCY), None)
        everything = soon(lambda: of_alerts(meant), None)
        (check,) = (one for one in every_check.run_checks(meant).checks if one.name == "routing/hours")
    assert found.exit_code == 0
    assert found.as_intended == (
        f" As intended, nothing about {LATENCY} is sent to {receiver_of(LATENCY)} now "
        f"(outside of active_time_intervals: {INTERVAL}), until {away:%Y-%m-%d} 00:00 UTC."
    )
    assert "login of api-performance-alerts" in detail(found, "mail relay")
    assert "nor about " in everything.as_intended
    assert check.status == "pass"
    assert not soon(lambda: of_alerts(target, LATENCY), None).as_intended


def test_a_critical_alert_mutes_a_warning(target: targets.Target) -> None:
    critical = rules.alerts()[CRITICAL]
    with firing(target, alertname=CRITICAL, **critical.labels):
        found = soon(lambda: of_alerts(target, LATENCY), "inhibition")
        assert f"{LATENCY} is muted as long as {CRITICAL} fires" in said(found)
        assert found.next == f"bin/ops diagnose alerts {CRITICAL} --target sandbox"
        everything = soon(lambda: of_alerts(target), None)  # and among all alerts, that is as intended
        assert f"{LATENCY} by {CRITICAL}" in everything.as_intended


@pytest.mark.parametrize("label", [("component", "api"), ("path", "/slow")], ids=["alert", "series"])
def test_a_silence(label: tuple[str, str], target: targets.Target, sandbox: Sandbox) -> None:
    name = LATENCY if label[0] == "component" else "APIEndpointLatencyHigh"
    # an alert of ours that fires with the labels of a series, which a silence may be about
    ours = rules.alerts()["APIEndpointLatencyHigh"]
    expression = 'label_replace(vector(1), "path", "/slow", "", "")'
    alert = {"alert": ours.name, "expr": expression, "labels": dict(ours.labels)}
    with (
        extra_rules(sandbox, target, {"name": "extra", "interval": "1s", "rules": [alert]}),
        silence(target, dict([label])) as number,
    ):
        found = soon(lambda: of_alerts(target, name), "silences")
        other = soon(lambda: of_alerts(target, "DatabaseQueryLatencyHigh"), None)
    assert said(found).startswith(f"{name} is silenced until ")
    assert "by eve (maintenance)" in said(found)
    assert found.next == f"amtool silence expire {number} --alertmanager.url={target.alertmanager.url}"
    assert detail(other, "silences") == "the only active silence does not match"


def test_a_silence_that_an_up_holds_is_as_intended(target: targets.Target) -> None:
    with silence(target, {"alertname": LATENCY}, by="api-monitoring/prod", comment=f"{DEPLOY_COMMENT} for as long"):
        found = soon(lambda: of_alerts(target, LATENCY), None)
        assert f"{LATENCY} is silenced while `pulumi up` of api-monitoring/prod runs" in detail(found, "silences")
        with silence(target, {"component": "api"}):  # one of somebody is named before it
            other = soon(lambda: of_alerts(target, LATENCY), "silences")
    assert said(other).startswith(f"{LATENCY} is silenced until ")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"refuse_login": True}, "refused the login of api-performance-alerts (535"),
        ({"no_tls": True}, "offers no STARTTLS, which smtp_require_tls needs"),
        ({"hang_up": True}, "cannot be reached"),
    ],
    ids=["login", "tls", "hangs-up"],
)
def test_the_relay_refuses(wrong: dict[str, object], words: str, target: targets.Target, sandbox: Sandbox) -> None:
    with relay(sandbox, **wrong):
        found = soon(lambda: of_alerts(target), "mail relay")
    assert words in said(found)


def test_the_relay_is_down_or_its_password_is_gone(target: targets.Target, sandbox: Sandbox) -> None:
    sandbox.stop("mail-sink", kill=True)
    try:
        found = soon(lambda: of_alerts(target), "mail relay")
    finally:
        sandbox.start("mail-sink")
    assert "cannot be reached" in said(found)
    assert "Connection refused" in said(found)
    password = sandbox.mounts.smtp_password
    aside = password.rename(password.with_name("aside"))
    try:
        found = soon(lambda: of_alerts(target), "mail relay")
    finally:
        aside.rename(password)
    assert "cannot read the relay's password" in said(found)


def test_the_relay_takes_the_login_and_refuses_the_mail(target: targets.Target, sandbox: Sandbox) -> None:
    drill = {"alertname": "TestAPIAlert", "component": "api", "severity": "warning"}
    with relay(sandbox, refuse_recipients=True), firing(target, **drill, signal="diagnose-a"):
        found = soon(lambda: of_alerts(target), "last notifications")
        assert "Alertmanager failed to send a notification" in said(found)
        assert "grep -i notify" in str(found.next)
    with firing(target, **drill, signal="diagnose-b"):
        soon(lambda: of_alerts(target), None)


def test_heartbeats_that_are_taken_hide_no_mails_that_are_refused(target: targets.Target, sandbox: Sandbox) -> None:
    """A webhook a second, so that at any moment something was sent after the last refusal."""
    beats: list[Request] = []

    def beating(config: JsonObject) -> None:
        heartbeat = {"receiver": "beats", "group_wait": "0s", "group_interval": "1s", "repeat_interval": "1ms"}
        always = {"matchers": ['severity="none"'], "continue": True}
        config["route"]["routes"].insert(0, {**heartbeat, **always})
        config["receivers"].append({"name": "beats", "webhook_configs": [{"url": f"{url}/beat"}]})

    def hear(request: Request) -> Response:
        beats.append(request)
        return Response("ok")

    drill = {"alertname": "TestAPIAlert", "component": "api", "severity": "warning"}
    path, reload = sandbox.mounts.alertmanager_config, target.alertmanager.reload
    with stand_in(hear) as url, rewritten(path, edited(beating), reload):
        until(lambda: len(beats) > 2, "no heartbeat came")
        with relay(sandbox, refuse_recipients=True), firing(target, **drill, signal="diagnose-c"):
            found = soon(lambda: of_alerts(target), "last notifications")
            count = len(beats)
            until(lambda: len(beats) > count + 2, "the heartbeats ended")
            found = soon(lambda: of_alerts(target), "last notifications")
            assert " by email since its start" in said(found)
    with firing(target, **drill, signal="diagnose-d"):
        soon(lambda: of_alerts(target), None)
