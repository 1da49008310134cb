"""The heartbeat: what its settings make of the routing, in each way of delivery, and what is refused."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

import routing
import rules
from components.alert_routing import alertmanager_config
from components.in_words import routing_in_words
from components.live.text.routing_merge import Routing as Merge
from components.settings import Heartbeat, SettingsError, read
from formats.json_types import JsonObject
from ops import build_tools
from ops.errors import Misconfigured
from ops.stack.declared import SECRET, Declared, collect
from routing import Routing, RoutingError, tree
from routing.heartbeat import RECEIVER
from routing.on_call import with_on_call
from tests.routing.our_routing import LABELS
from tests.support.checkout import ROOT
from tests.support.our_routes import ROUTING, receiver_of
from tests.support.waiting import PATIENCE

FILE = "/etc/alertmanager/secrets/heartbeat/url"
SETTINGS: dict[str, object] = {"heartbeatUrlFile": FILE, "heartbeatInterval": "2m"}
NO_PATH = "heartbeatUrlFile is no path (it is not shown, as it may be the secret itself)"
WATCHDOG = next(name for name, alert in rules.alerts().items() if alert.is_watchdog)
HANDMADE = (
    (ROOT / "ops" / "sandbox" / "handmade" / "alertmanager.yml").read_text("utf-8").replace("@smtp@", "x.test:25")
)


def switched_on(**settings: object) -> Routing:
    return with_on_call(ROUTING, read({**SETTINGS, **settings}, where="x").on_call)


def without_heartbeat(values: JsonObject) -> JsonObject:
    """A configuration, or parts of one, without its route and receiver."""
    below = values.get("route", values)
    kept = {**below, "routes": [one for one in below["routes"] if one["receiver"] != RECEIVER]}
    receivers = [one for one in values["receivers"] if one["name"] != RECEIVER]
    return {**values, **({"route": kept} if "route" in values else kept), "receivers": receivers}


def test_the_settings_are_read() -> None:
    assert read({}, where="x").on_call.heartbeat is None
    assert read({"heartbeatInterval": "1m"}, where="x").on_call.heartbeat is None  # as the engine gives defaults
    assert read({"heartbeatUrlFile": "/a/b"}, where="x").on_call.heartbeat == Heartbeat("/a/b", "1m")
    assert read(SETTINGS, where="x").on_call.heartbeat == Heartbeat(FILE, "2m")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        *(
            ({"heartbeatUrlFile": wrong}, f"{said}; give the absolute path of a file in Alertmanager's container")
            for wrong, said in {
                "url": NO_PATH,
                "https://beat.test/x": NO_PATH,
                7: NO_PATH,
                None: "File is empty",
            }.items()
        ),
        ({"heartbeatUrlFile": "/a/b/"}, "heartbeatUrlFile is '/a/b/'; give the absolute path of a file"),
        ({"heartbeatInterval": "2m"}, "heartbeatInterval is '2m'; give heartbeatUrlFile too: it has no effect without"),
        *(
            (
                {**SETTINGS, "heartbeatInterval": wrong},
                f"heartbeatInterval is '{wrong}'; give a duration from 30s to 1d",
            )
            for wrong in ("29s", "0", "1 min", "-1m", "25h", "often")
        ),
        ({**SETTINGS, "heartbeatInterval": 60}, "heartbeatInterval is 60; give a duration from 30s to 1d"),
        ({**SETTINGS, "heartbeatInterval": None}, "heartbeatInterval is empty; give a duration from 30s to 1d"),
        (
            {**SETTINGS, "alertmanagerMode": "tenant", "tenantUrl": "https://mimir.test", "smtpPassword": "x"},
            "give no file: in alertmanagerMode tenant Alertmanager reads none",
        ),
        (
            {"alertmanagerMode": "operator", "heartbeatUrlFile": "/etc/am/beat"},
            "give /etc/alertmanager/secrets/SECRET/KEY, for the operator takes a Secret and no other file",
        ),
    ],
)
def test_a_bad_setting_gets_one_sentence(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(values, where="Pulumi.x.yaml")
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_watchdog_goes_to_both_and_nothing_else_changes() -> None:
    found = switched_on()
    lines = iter(found.text.splitlines())
    assert all(line in lines for line in ROUTING.text.splitlines())  # in their order: none is changed or gone
    assert without_heartbeat(dict(found.config)) == ROUTING.config
    for labels in LABELS.values():
        before, after = tree.matches(ROUTING.config, labels), tree.matches(found.config, labels)
        beats = [one for one in after if one.receiver == RECEIVER]
        told = [(one.receiver, one.group_wait, one.group_interval, one.repeat_interval) for one in after]
        assert told[len(beats) :] == [
            (one.receiver, one.group_wait, one.group_interval, one.repeat_interval) for one in before
        ]
        assert [(one.group_wait, one.group_interval, one.repeat_interval) for one in beats] == (
            [(0.0, 120.0, 60.0)] if labels["alertname"] == WATCHDOG else []
        )
    assert tree.receivers(found.config)[RECEIVER] == {
        "name": RECEIVER,
        "webhook_configs": [{"url_file": FILE, "send_resolved": False}],
    }


def test_alertmanager_accepts_all_of_it_and_our_part_among_that_of_others(tmp_path: Path) -> None:
    found = switched_on(slackWebhookFile="/etc/am/slack", workingHours="Mon-Fri 08:00-18:00 Europe/Berlin")
    texts = found.with_smtp(ROUTING.smtp), Merge().insert(HANDMADE, found.parts().as_json())
    assert Merge().remove(texts[1]) == HANDMADE
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.yml").write_text(text, "utf-8")
        command = [str(build_tools.path("amtool")), "check-config", str(tmp_path / f"{number}.yml")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        told = [match.receiver for match in tree.matches(tree.parse(text), LABELS[WATCHDOG])]
        assert told == [RECEIVER, receiver_of(WATCHDOG)]


@pytest.mark.parametrize("interval", ["30s", "45s", "1m", "1h", "1d"])
def test_each_interval_has_a_beat(interval: str) -> None:
    """Alertmanager looks once in a group_interval, and repeats where more than the repeat_interval has gone by."""
    (route,) = (one for one in switched_on(heartbeatInterval=interval).parts().routes if one["receiver"] == RECEIVER)
    match = tree.tree({"route": {"receiver": "x", "routes": [route]}}).routes[0].match
    assert route["group_interval"] == interval
    assert 0 < match.repeat_interval <= match.group_interval / 2


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "receivers:\n",
            f"receivers:\n  - name: {RECEIVER}\n",
            rf"routing/alertmanager\.yml:\d+: {RECEIVER} is there already; .*",
        ),
        (
            f'matchers: [alertname="{WATCHDOG}"]',
            'matchers: [alertname="Other"]',
            rf".*: no route is for {WATCHDOG}, .*",
        ),
        (
            f"    - receiver: {receiver_of(WATCHDOG)}\n",
            f"    -\n      receiver: {receiver_of(WATCHDOG)}\n",
            r"routing/alertmanager\.yml:\d+: nothing can be added before it; .*",
        ),
    ],
    ids=["a receiver of the name", "no route", "another form"],
)
def test_what_cannot_be_added_is_refused(old: str, new: str, sentence: str) -> None:
    assert old in ROUTING.text
    with pytest.raises(RoutingError, match=f"^{sentence}$"):
        with_on_call(routing.read(ROUTING.text.replace(old, new), ROUTING.path), read(SETTINGS, where="x").on_call)


# ── what the program declares ──


def edited(**settings: object) -> list[str]:
    """Our part, or the whole text, that the program writes into a text of others."""
    found = declared(**settings)
    return [str(one.inputs["ours"]) for one in found if one.inputs.get("editor") in ("routing", "replace")]


def declared(**settings: object) -> list[Declared]:
    return collect({"grafanaMode": "off", **settings})


@pytest.mark.parametrize("mode", ["configmap", "secret"])
def test_our_part_has_the_heartbeat_and_is_otherwise_the_same(mode: str) -> None:
    [usual], [found] = edited(alertmanagerMode=mode), edited(alertmanagerMode=mode, **SETTINGS)
    assert without_heartbeat(json.loads(found)) == json.loads(usual)
    (route,) = (one for one in json.loads(found)["routes"] if one["receiver"] == RECEIVER)
    assert route["continue"] is True


@pytest.mark.parametrize("mode", ["configmap", "secret"])
def test_the_whole_text_has_the_heartbeat_and_is_otherwise_the_same(mode: str) -> None:
    whole = {"alertmanagerMode": mode, "alertmanagerReplace": True}
    [usual], [found] = edited(**whole), edited(**whole, **SETTINGS)
    assert without_heartbeat(yaml.safe_load(found)) == yaml.safe_load(usual)
    assert f"url_file: '{FILE}'" in found


def test_the_operators_object_names_the_secret() -> None:
    operator = {"alertmanagerMode": "operator", "smtpPassword": "hunter2", **SETTINGS}
    (found,) = (one for one in declared(**operator) if one.type.endswith(":AlertmanagerConfig"))
    assert found.inputs["spec"] != SECRET
    spec = found.inputs["spec"]
    (receiver,) = (one for one in spec["receivers"] if one["name"] == RECEIVER)
    assert receiver["webhookConfigs"] == [{"sendResolved": False, "urlSecret": {"name": "heartbeat", "key": "url"}}]
    assert {"name": "heartbeat", "key": "url"} in alertmanager_config.secrets(spec)
    beats = [one for one in spec["route"]["routes"] if one["receiver"] in (RECEIVER, receiver_of(WATCHDOG))]
    assert [(one["receiver"], one.get("continue", False)) for one in beats] == [
        (RECEIVER, True),
        (receiver_of(WATCHDOG), False),
    ]
    assert spec["route"]["receiver"] != RECEIVER


def test_the_program_refuses_in_one_sentence() -> None:
    with pytest.raises(Misconfigured, match=r"^Pulumi\.prod\.yaml: heartbeatInterval is '9s'; give a duration from"):
        collect({**SETTINGS, "heartbeatInterval": "9s"})


def test_where_routes_of_others_are_to_be_told_too_the_mail_still_comes() -> None:
    [found] = edited(alertmanagerOtherRoutes="continue", **SETTINGS)
    config = {"route": {"receiver": "x", "routes": json.loads(found)["routes"]}}
    assert [one.receiver for one in tree.matches(config, LABELS[WATCHDOG])] == [RECEIVER, receiver_of(WATCHDOG)]


def test_a_preview_says_it_in_words_without_more() -> None:
    usual, found = (routing_in_words(one.parts(), None) for one in (ROUTING, switched_on()))
    new = [line for line in found if line not in usual]
    assert new[0] == (
        f'route alertname="{WATCHDOG}", severity="none" to {RECEIVER} and goes on: first after 0 s, '
        "again every 2 min (repeat_interval 1 min), by alertname"
    )
    assert new[1].startswith("routes in this order")
    assert new[2].startswith(f"receiver {RECEIVER}: webhook {FILE} (")
    assert len(new) == 3
