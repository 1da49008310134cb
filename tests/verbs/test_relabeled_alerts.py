"""Alerts whose labels Prometheus changes on the way: what judges routes goes by the labels that arrive."""

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

import routing
import rules
from formats.json_types import JsonObject
from ops import targets
from ops.checks import Check, live_routing
from ops.drill import prepare
from ops.errors import Findings
from ops.replay import alert_path
from ops.sandbox.lifecycle import Sandbox
from tests.diagnosis.walked import of_alerts, said, soon
from tests.support.breaking import edited, firing, rewritten
from tests.support.checkout import ROOT
from tests.support.our_routes import FALLBACK
from tests.support.waiting import until

LATENCY = "APIP95LatencyHigh"
DROP_SEVERITY = {"action": "labeldrop", "regex": "severity"}
REPLACE_COMPONENT = {"source_labels": ["component"], "regex": "api", "target_label": "component", "replacement": "web"}
DROP_ALL_OF_IT = {"source_labels": ["alertname"], "regex": LATENCY, "action": "drop"}


def relabeled(*entries: JsonObject) -> Callable[[str], str]:
    """prometheus.yml with these alert_relabel_configs."""

    def change(config: JsonObject) -> None:
        config["alerting"]["alert_relabel_configs"] = list(entries)

    return edited(change)


def at_its_alertmanagers(*entries: JsonObject) -> Callable[[str], str]:
    """prometheus.yml with these alert_relabel_configs for the Alertmanagers of each entry."""

    def change(config: JsonObject) -> None:
        for entry in config["alerting"]["alertmanagers"]:
            entry["alert_relabel_configs"] = list(entries)

    return edited(change)


def paths(target: targets.Target) -> Check:
    (check,) = [
        one for one in live_routing.live(target, routing.load(), rules.alerts().values()) if one.name == "routing/paths"
    ]
    return check


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (relabeled(DROP_SEVERITY), "as it arrives without severity"),
        (at_its_alertmanagers(DROP_SEVERITY), "as it arrives without severity"),
        (relabeled({"action": "labelkeep", "regex": "alertname"}), "as it arrives without severity, without component"),
        (relabeled(REPLACE_COMPONENT), "as it arrives with component=web"),
        (relabeled(DROP_ALL_OF_IT), f"{LATENCY} is not sent at all: alert_relabel_configs of Prometheus drops it"),
    ],
    ids=["label dropped", "label dropped for one Alertmanager", "labels kept", "label replaced", "alert dropped"],
)
def test_an_alert_that_arrives_with_other_labels_goes_astray(
    target: targets.Target, sandbox: Sandbox, change: Callable[[str], str], words: str
) -> None:
    assert paths(target).status == "pass"
    with rewritten(sandbox.mounts.prometheus_config, change, target.prometheus.reload):
        found = paths(target)
        assert found.status == "fail"
        assert words in found.detail
        assert "correct external_labels or alert_relabel_configs in prometheus.yml" in found.detail
        diagnosed = soon(lambda: of_alerts(target, LATENCY), "route")
        assert LATENCY in said(diagnosed)
    assert paths(target).status == "pass"


def test_a_label_that_routes_do_not_look_at_is_no_fault(target: targets.Target, sandbox: Sandbox) -> None:
    change = relabeled(
        {"action": "labeldrop", "regex": "signal|replica"}, {"target_label": "cluster", "replacement": "a"}
    )
    with rewritten(sandbox.mounts.prometheus_config, change, target.prometheus.reload):
        assert paths(target).status == "pass"


def test_a_route_of_others_takes_ours_by_an_external_label(target: targets.Target, sandbox: Sandbox) -> None:
    def label(config: JsonObject) -> None:
        config["global"]["external_labels"]["tier"] = "gold"

    def first(config: JsonObject) -> None:
        config["route"]["routes"].insert(0, {"matchers": ['tier="gold"'], "receiver": FALLBACK})

    with rewritten(sandbox.mounts.alertmanager_config, edited(first), target.alertmanager.reload):
        assert paths(target).status == "pass"  # no alert of ours has that label yet
        with rewritten(sandbox.mounts.prometheus_config, edited(label), target.prometheus.reload):
            found = paths(target)
            assert found.status == "fail"
            assert f"to {FALLBACK} instead of " in found.detail
            assert "tier=gold" in found.detail
            drill = prepare(LATENCY, [], target.prometheus.sender())
            path = alert_path.find_path(target.alertmanager, drill.labels, drill.annotations, [], render=False)
            assert path.receivers == (FALLBACK,)


def test_an_alert_that_is_there_is_judged_by_its_own_labels(target: targets.Target) -> None:
    """The watchdog always fires, so Alertmanager holds it; with former labels too, for minutes after a relabeling."""
    (watchdog,) = [alert for alert in rules.alerts().values() if alert.is_watchdog]
    sent = target.prometheus.sender().sent(watchdog.label_set)
    until(lambda: all(labels in [one.labels for one in target.alertmanager.alerts()] for labels in sent))
    assert live_routing.labels_there(target, [watchdog]) == {watchdog.name: sent}


def test_a_test_alert_has_the_labels_that_prometheus_would_send(target: targets.Target, sandbox: Sandbox) -> None:
    environment = {**os.environ, "SANDBOX_HOME": str(sandbox.home)}
    command = [
        sys.executable,
        "-m",
        "ops",
        "test-alert",
        LATENCY,
        "--target",
        "sandbox",
        "--dry-run",
        "--format",
        "json",
    ]

    def tried() -> JsonObject:
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        answer: JsonObject = json.loads(done.stdout)
        return answer

    assert tried()["labels"]["severity"] == rules.alerts()[LATENCY].severity
    with rewritten(sandbox.mounts.prometheus_config, relabeled(DROP_SEVERITY), target.prometheus.reload):
        answer = tried()
        assert "severity" not in answer["labels"]
        assert [route["receiver"] for route in answer["routes"]] == [FALLBACK]
    gone = relabeled(DROP_ALL_OF_IT)
    with rewritten(sandbox.mounts.prometheus_config, gone, target.prometheus.reload):  # noqa: SIM117
        with pytest.raises(Findings, match=f"Prometheus would not send {LATENCY}: its alert_relabel_configs drop it"):
            prepare(LATENCY, [], target.prometheus.sender())


def test_what_an_earlier_rule_left_at_alertmanager_is_not_judged(target: targets.Target) -> None:
    """It holds an alert for minutes after its rule has changed or gone."""
    with firing(target, alertname=LATENCY, component="elsewhere"):
        assert paths(target).status == "pass"
