"""An alert with `stage: shadow` tells nobody, however the routing is delivered, and mutes no other alert."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from components.alert_routing import alertmanager_config
from components.live.text.editors import editor
from formats.json_types import JsonObject
from ops import build_tools
from ops.replay import mails
from ops.replay.mails import Firing
from routing import Parts, tree
from tests.routing.our_routing import LABELS, SHADOW_RECEIVER, amtool
from tests.support import real_servers
from tests.support.our_routes import ROUTING
from tests.support.waiting import until

SHADOW = {"stage": "shadow"}
SHADOWS = {name: {**labels, **SHADOW} for name, labels in LABELS.items() if labels["severity"] != "none"}
THEIRS = """\
route:
  receiver: theirs
  routes:
  - {receiver: theirs-critical, matchers: [severity="critical"]}
receivers:
- {name: theirs, webhook_configs: [{url: http://127.0.0.1:9/}]}
- {name: theirs-critical, webhook_configs: [{url: http://127.0.0.1:9/}]}
"""


def merged(parts: Parts) -> JsonObject:
    found: JsonObject = yaml.safe_load(editor("routing").insert(THEIRS, parts.as_json()))
    return found


OPERATED = alertmanager_config.below_one_route(ROUTING.parts(), SHADOWS.values())
WAYS: Mapping[str, JsonObject] = {
    "replaced": dict(ROUTING.config),
    "merged": merged(ROUTING.parts()),
    "merged, and routes of others too": merged(ROUTING.parts().continuing()),
    "operator, its own part": {
        "route": {"receiver": "none", "routes": [{**OPERATED.routes[0], "continue": False}]},
        "receivers": [{"name": "none"}, *OPERATED.receivers],
    },
}


@pytest.mark.parametrize("way", WAYS)
def test_nobody_is_told_of_a_shadow_and_somebody_without_the_label(way: str) -> None:
    config = WAYS[way]
    for name, labels in SHADOWS.items():
        assert tree.told(config, labels) == [], name
        assert tree.told(config, LABELS[name]), name


@pytest.mark.parametrize("way", [way for way in WAYS if not way.startswith("operator")])
def test_alertmanager_routes_a_shadow_to_the_receiver_that_sends_nothing(way: str, tmp_path: Path) -> None:
    file = tmp_path / "alertmanager.yml"
    file.write_text(yaml.safe_dump(WAYS[way], allow_unicode=True), "utf-8")
    for labels in SHADOWS.values():
        given = [f"{name}={value}" for name, value in labels.items()]
        said = amtool("config", "routes", "test", "--config.file", file, "--verify.receivers", SHADOW_RECEIVER, *given)
        assert said.strip() == SHADOW_RECEIVER


def test_what_no_route_of_the_operators_object_takes_is_told_as_before() -> None:
    """An AlertmanagerConfig has one first route: its receiver gets what those below it leave."""
    assert OPERATED.sends(OPERATED.routes[0])


def test_a_shadow_of_others_is_not_ours() -> None:
    [match] = tree.matches(
        ROUTING.config, {"alertname": "X", "severity": "critical", "component": "kubernetes", **SHADOW}
    )
    assert match.position == ()


def test_a_replay_counts_no_message_of_a_shadow_and_some_without_the_label() -> None:
    def sent(labels: Mapping[str, str]) -> int:
        return len(mails.send(ROUTING.config, [Firing(tuple(sorted(labels.items())), 0.0, 3600.0)], 7200.0))

    for name, labels in SHADOWS.items():
        assert sent(labels) == 0
        assert sent(LABELS[name]) > 0


@pytest.mark.skipif(not build_tools.find("alertmanager"), reason="run `make tools` first")
def test_a_real_alertmanager_inhibits_nothing_by_a_shadow(tmp_path: Path) -> None:
    """A critical shadow mutes no warning; the same alert without the label does."""
    text = ROUTING.with_smtp(ROUTING.smtp).replace("/etc/alertmanager/smtp/password", str(tmp_path / "password"))
    (tmp_path / "password").write_text("none")
    critical, warning = LABELS["APIP95LatencyCritical"], LABELS["APIP95LatencyHigh"]
    other = LABELS["DatabaseQueryLatencyHigh"]
    with real_servers.alertmanager(tmp_path, text.replace("smtp.postmarkapp.com:587", "127.0.0.1:9")) as server:

        def states() -> dict[str, tuple[bool, list[str]]]:
            found = server.http.get_json("/api/v2/alerts")
            return {
                one["labels"]["alertname"] + one["labels"].get("stage", ""): (
                    bool(one["status"]["inhibitedBy"]),
                    [receiver["name"] for receiver in one["receivers"]],
                )
                for one in found
            }

        def post(*alerts: Mapping[str, str]) -> None:
            now = datetime.now(UTC).isoformat()
            server.post_alerts([{"labels": dict(labels), "startsAt": now} for labels in alerts])

        post({**critical, **SHADOW}, warning, LABELS["DatabaseQueryLatencyCritical"], other)
        until(lambda: states().get(other["alertname"], (False, []))[0], "the other warning is not inhibited")
        found = states()
        assert found["APIP95LatencyCriticalshadow"] == (False, [SHADOW_RECEIVER])
        assert found["APIP95LatencyHigh"] == (False, ["api-warnings"])
