"""The labels with which an alert is sent, held to those that a real Prometheus sends."""

import random
import threading
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from werkzeug import Request, Response

from ops import build_tools
from routing import RoutingError, sent_labels
from tests.support.real_servers import prometheus
from tests.support.stand_in import stand_in
from tests.support.waiting import until

ALERTS = [
    {"alertname": "A", "severity": "critical", "component": "api", "team": "one"},
    {"alertname": "B", "severity": "warning", "component": "database", "region": "here", "instance_id": "7"},
    {"alertname": "C", "severity": "none"},
]
EXTERNAL = {"region": "eu", "environment": "production", "replica": "prometheus-0"}
ENTRIES: list[dict[str, object]] = [
    {"action": "labeldrop", "regex": "severity"},
    {"action": "labeldrop", "regex": "rep.*|te"},
    {"action": "labelkeep", "regex": "alertname|comp.*"},
    {"action": "drop", "source_labels": ["alertname"], "regex": "B"},
    {"action": "drop", "source_labels": ["alertname", "severity"], "regex": "A;.*"},
    {"action": "keep", "source_labels": ["severity"], "regex": "crit.*|none"},
    {"action": "KEEP", "source_labels": ["severity"], "regex": "crit"},
    {"action": "keepequal", "source_labels": ["region"], "target_label": "region"},
    {"action": "dropequal", "source_labels": ["team"], "target_label": "component"},
    {"target_label": "severity", "replacement": "page"},
    {"target_label": "environment", "replacement": ""},
    {"source_labels": ["severity"], "target_label": "priority"},
    {"source_labels": ["missing"], "target_label": "component"},
    {"source_labels": ["severity"], "regex": "(c)(.*)", "target_label": "x_${1}", "replacement": "$2-$1-$$-${3}-$1x"},
    {"source_labels": ["component", "severity"], "separator": "@", "target_label": "both"},
    {"source_labels": ["component"], "regex": "(?P<first>.).*", "target_label": "component", "replacement": "${first}"},
    {"action": "labelmap", "regex": "(.*)e(.*)", "replacement": "${1}E$2"},
    {"action": "labelmap", "regex": "instance_(.+)"},
    {"action": "hashmod", "source_labels": ["alertname"], "target_label": "shard", "modulus": 5},
    {"action": "uppercase", "source_labels": ["severity"], "target_label": "severity"},
    {"action": "lowercase", "source_labels": ["alertname"], "target_label": "alertname"},
]


def relabelings() -> list[list[dict[str, object]]]:
    """Each entry by itself, and some of them after each other, the same in every run."""
    choice = random.Random(14)
    return [[], *([entry] for entry in ENTRIES), *(choice.sample(ENTRIES, choice.randint(2, 4)) for _ in range(40))]


def configuration(lists: list[list[dict[str, object]]], port: str, shared: list[dict[str, object]]) -> str:
    """A Prometheus configuration with an Alertmanager for each list; /0, /1 … are the paths below `port`."""
    return yaml.safe_dump(
        {
            "global": {"evaluation_interval": "1s", "external_labels": EXTERNAL},
            "rule_files": ["rules.yml"],
            "alerting": {
                "alert_relabel_configs": shared,
                "alertmanagers": [
                    {
                        "path_prefix": f"/{number}",
                        "alert_relabel_configs": entries,
                        "static_configs": [{"targets": [port]}],
                    }
                    for number, entries in enumerate(lists)
                ],
            },
        }
    )


@pytest.mark.skipif(not build_tools.find("prometheus"), reason="`make tools` brings Prometheus")
@pytest.mark.parametrize("shared", [[], [{"action": "labeldrop", "regex": "replica"}]])
def test_prometheus_sends_these_labels(tmp_path: Path, shared: list[dict[str, object]]) -> None:
    lists = relabelings()
    received: dict[int, list[Mapping[str, str]]] = defaultdict(list)
    lock = threading.Lock()

    def take(request: Request) -> Response:
        with lock:
            for alert in request.get_json():
                if alert["labels"] not in received[int(request.path.split("/")[1])]:
                    received[int(request.path.split("/")[1])].append(alert["labels"])
        return Response("")

    rules = [
        {
            "alert": labels["alertname"],
            "expr": "vector(1)",
            "labels": {k: v for k, v in labels.items() if k != "alertname"},
        }
        for labels in ALERTS
    ]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": rules}]}), "utf-8")
    with stand_in(take) as url:
        config = configuration(lists, url.removeprefix("http://"), shared)
        sender = sent_labels.read(config)
        # Ways with the same entries are one.
        ways = [sent_labels.Sender(sender.external_labels, (way,)) for way in sender.ways]
        assert len(ways) == len({str(entries) for entries in lists})
        with prometheus(tmp_path, config, "--rules.alert.resend-delay=1s") as server:
            apart = [sent_labels.read(configuration([entries], "x", shared)) for entries in lists]
            wanted = [[labels for alert in ALERTS for labels in one.sent(alert)] for one in apart]

            def all_here() -> bool:
                with lock:
                    return all(all(labels in received[number] for labels in here) for number, here in enumerate(wanted))

            def complaint() -> str:
                with lock:
                    return "\n".join(
                        f"{lists[number]}: {received[number]} was sent, not {here}"
                        for number, here in enumerate(wanted)
                        if any(labels not in received[number] for labels in here)
                    )

            until(all_here, complaint, 30)
            running = sent_labels.read(server.config())
            assert [running.sent(alert) for alert in ALERTS] == [sender.sent(alert) for alert in ALERTS]
        for number, here in enumerate(wanted):
            assert len(received[number]) == len([labels for n, labels in enumerate(here) if labels not in here[:n]]), (
                lists[number]
            )


def test_a_label_of_the_alert_wins_over_an_external_one_and_an_empty_one_does_not() -> None:
    sender = sent_labels.read("global: {external_labels: {region: eu, zone: a}}")
    assert sender.sent({"alertname": "A", "region": "us", "zone": ""}) == [
        {"region": "us", "zone": "a", "alertname": "A"}
    ]


def test_nothing_is_changed_without_a_configuration() -> None:
    assert sent_labels.read("").sent({"alertname": "A"}) == [{"alertname": "A"}]
    assert sent_labels.read("") == sent_labels.UNCHANGED


def test_values_that_look_like_numbers_and_booleans_are_texts() -> None:
    sender = sent_labels.read("global: {external_labels: {replica: 01, on: yes, at: 17:30}}")
    assert sender.external_labels == {"replica": "01", "on": "yes", "at": "17:30"}


@pytest.mark.parametrize(
    "text",
    [
        "[1]",
        "alerting: [1]",
        "alerting: {alertmanagers: 3}",
        "a: [",
        "alerting: {alert_relabel_configs: [{regex: '('}]}",
    ],
)
def test_what_is_no_configuration_of_prometheus_is_said(text: str) -> None:
    with pytest.raises(RoutingError, match="the configuration of Prometheus cannot be read: "):
        sent_labels.read(text)
