"""By the real Prometheus Operator: what it makes of ours is what both servers run."""

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

import routing
import rules
from components.alert_routing import alertmanager_config
from components.settings import Heartbeat, OnCall, WorkingHours
from formats.json_types import JsonObject, JsonValue
from routing import tree
from routing.heartbeat import RECEIVER
from routing.on_call import with_on_call
from tests.e2e.operated import FILES, OURS, Operated, configure, manifest, reached
from tests.e2e.rig import Rig
from tests.support.checkout import ROOT
from tests.support.limits import other
from tests.support.our_routes import receiver_of
from tests.support.waiting import PATIENCE, until

LABELS = [alert.label_set for alert in rules.alerts().values()]
DRILL = {"alertname": "TestAPIAlert", "severity": "warning", "component": "api"}
THEIRS = {"PlatformTargetDown", "StripeWebhooksStopped"}


def ours(operator: Operated) -> set[str]:
    """Our objects for the operator."""
    every = operator.names("prometheusrules") | operator.names("alertmanagerconfigs")
    return {name for name in every if name.startswith("api-monitoring")}


def expression(rig: Rig, name: str) -> str:
    return next(rule.query for group in rig.sandbox.prometheus.rules() for rule in group.rules if rule.name == name)


def test_from_preview_to_destroy(operator: Operated) -> None:
    rig = operator.rig
    receivers = {f"{OURS}{receiver['name']}" for receiver in routing.load().parts().receivers}
    planned = rig.preview()
    assert rig.objects() == rig.before and not ours(operator), "a preview writes nothing"

    assert rig.up() == planned
    assert {*rules.alerts(), *rules.recordings(), *THEIRS} <= rig.rules()
    assert receivers | {"default", "billing"} == rig.receivers()
    assert rig.objects().keys() - rig.before.keys() == {
        "configmap/dashboard-api-performance-baseline",
        "secret/api-monitoring-smtp",
    }
    assert rig.preview() == {}
    assert rig.preview(refresh=True) == {}, "".join(rig.said)

    rig.destroy()
    assert rig.objects() == rig.before and not ours(operator)
    assert rig.rules() >= THEIRS and not {*rules.alerts()} & rig.rules()
    assert rig.receivers() == {"default", "billing"}


def test_a_changed_limit_is_one_update_of_one_object_and_drift_of_it_is_put_right(operator: Operated) -> None:
    rig = operator.rig
    rig.up()
    alert = rules.alerts()["APIP95LatencyHigh"]
    rig.edit(f"rules/{alert.file.name}", alert.limit.text, other(alert))
    planned = rig.preview()
    shown = "".join(rig.said)
    assert set(planned) == {"update"}
    assert shown.count("~ kubernetes:monitoring.coreos.com") == 1, "the dashboard's line changes too"
    assert other(alert) in shown
    rig.up()
    assert expression(rig, alert.name).endswith(other(alert))
    assert rig.preview(refresh=True) == {}

    name = f"api-monitoring-{alert.file.name.removesuffix('.yml')}"
    spec = operator.get("prometheusrules", name)["spec"]
    for rule in spec["groups"][0]["rules"]:
        if rule.get("alert") == alert.name:
            rule["expr"] = rule["expr"].replace(other(alert), "> 9000")
    operator.patch("prometheusrules", name, {"spec": spec})
    until(lambda: expression(rig, alert.name).endswith("> 9000"))
    assert rig.preview(refresh=True).get("update", 0) >= 1
    rig.up(refresh=True)
    assert expression(rig, alert.name).endswith(other(alert))
    assert rig.preview(refresh=True) == {}


def test_an_alert_reaches_our_receiver_and_its_mail_the_mailbox(operator: Operated) -> None:
    rig = operator.rig
    rig.up()
    until(
        lambda: f"{OURS}{receiver_of('APIPerformanceWatchdog')}" in reached(rig, 'alertname="APIPerformanceWatchdog"')
    )
    done = subprocess.run(
        [sys.executable, "-m", "ops", "test-alert", "--target", "sandbox"],
        cwd=ROOT,
        env={**os.environ, "SANDBOX_HOME": str(rig.sandbox.home)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# ── the AlertmanagerConfig, by the operator's own validation and translation ────────────────────────

HOURS = WorkingHours(("monday", "tuesday", "friday"), (("08:00", "12:00"), ("13:00", "24:00")), "UTC")
ON_CALL = OnCall(FILES[0], "#alerts", FILES[1], FILES[2], HOURS, Heartbeat(FILES[2], "1m"))


@pytest.mark.parametrize("on_call", [OnCall(None, None, None, None, None), ON_CALL], ids=["plain", "on call"])
def test_what_the_operator_generates_does_what_our_routing_says(operator: Operated, on_call: OnCall) -> None:
    written = with_on_call(routing.load(), on_call)
    parts = alertmanager_config.below_one_route(written.parts(), LABELS)
    secrets = {
        "on-call": {"slack": "http://127.0.0.1:9/s", "pagerduty": "key-of-32", "webhook": "http://127.0.0.1:9/w"},
        "mail": {"password": "hunter2"},
    }
    try:
        for name, data in secrets.items():
            operator.secret(name, data)
        operator.make("alertmanagerconfigs", manifest(alertmanager_config.spec(parts, "mail")))
        until(lambda: OURS in str(operator.generated()))
        config = tree.parse(str(operator.generated()))
    finally:
        operator.delete("alertmanagerconfigs", "api-monitoring")
        for name in secrets:
            operator.rig.delete("secrets", name)

    for labels in [*LABELS, DRILL]:
        wanted, found = tree.matches(written.config, labels), tree.matches(config, labels)
        assert [does(match) for match in found] == [does(match) for match in wanted], labels
    assert {*tree.inhibitions(written.config)} <= {*tree.inhibitions(config)}
    generated = {receiver["name"]: receiver for receiver in config["receivers"]}
    for receiver in parts.receivers:
        assert said(generated[f"{OURS}{receiver['name']}"]) == {**said(receiver), "name": f"{OURS}{receiver['name']}"}
    if on_call.working_hours:
        (interval,) = config["mute_time_intervals"]
        assert interval["name"] == f"{OURS}api-performance-working-hours"
        (entry,) = interval["time_intervals"]
        assert entry["times"] == [
            {"start_time": "08:00", "end_time": "12:00"},
            {"start_time": "13:00", "end_time": "24:00"},
        ]
        assert entry["weekdays"] == ["monday", "tuesday", "friday"]
        assert entry.get("location", "UTC") == "UTC"


def does(match: tree.Match) -> tuple[object, ...]:
    intervals = [
        tuple(name.removeprefix(OURS) for name in names)
        for names in (match.mute_time_intervals, match.active_time_intervals)
    ]
    timing = (match.group_by, match.group_wait, match.group_interval, match.repeat_interval)
    return (match.receiver.removeprefix(OURS), *timing, *intervals)


SECRETS = {
    **{"auth_password": "auth_password_file", "api_url": "api_url_file", "routing_key": "routing_key_file"},
    "url": "url_file",
}


def said(receiver: Mapping[str, JsonValue]) -> JsonObject:
    """A receiver with each secret as the bare fact that there is one."""
    found: JsonObject = {}
    for kind, entries in receiver.items():
        found[kind] = entries
        if isinstance(entries, list):
            found[kind] = [
                {
                    SECRETS.get(key, key): ("a secret" if key in {*SECRETS, *SECRETS.values()} else value)
                    for key, value in entry.items()
                }
                for entry in entries
            ]
    return found


def test_working_hours_senders_and_heartbeat_are_proved_live(operator: Operated) -> None:
    rig = operator.rig
    urls = {key: f"http://127.0.0.1:9/{key}" for key in ("slack", "webhook", "heartbeat")}
    operator.secret("on-call", urls)
    try:
        configure(
            rig,
            **{"slackWebhookFile": FILES[0], "webhookUrlFile": FILES[2], "workingHours": "Mon-Fri 08:00-18:00 UTC"},
            heartbeatUrlFile=FILES[2].replace("webhook", "heartbeat"),
        )
        rig.up()
        assert f"{OURS}{RECEIVER}" in rig.receivers()
        assert not {url for url in urls.values() if url in "".join(rig.said)}
        assert rig.preview(refresh=True) == {}, "".join(rig.said)
        rig.destroy()
    finally:
        rig.delete("secrets", "on-call")
