"""What a stack switches on for those on call: the text in every combination, and what a real Alertmanager sends."""

import email
import email.policy
import itertools
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from werkzeug import Request, Response

import routing
import rules
from components.alert_routing import alertmanager_config
from components.live.running import compare
from components.live.running.wanted import wanted_routing
from components.live.text.routing_merge import Routing as Merge
from components.settings import OnCall, SettingsError, WorkingHours, read
from ops import build_tools
from ops.checks import live_routing as routing_checks
from ops.clients.alertmanager import Alertmanager
from ops.errors import Misconfigured
from ops.replay import alert_path
from ops.sandbox import ports
from ops.stack.declared import collect
from routing import Routing, RoutingError, Smtp, tree
from routing.on_call import INTERVAL, with_on_call
from tests.support import real_servers
from tests.support.checkout import ROOT
from tests.support.stand_in import stand_in
from tests.support.waiting import PATIENCE, until

ROUTING = routing.load()
LABELS = [{"alertname": name, **alert.labels} for name, alert in rules.alerts().items()]
DRILL = {"alertname": "TestAPIAlert", "severity": "warning", "component": "api"}
HOURS = WorkingHours(("monday", "friday"), (("08:00", "12:00"), ("13:00", "24:00")), "Europe/Berlin")
NOTHING = OnCall(None, None, None, None, None)
ALL = OnCall("/etc/am/slack", "#alerts", "/etc/am/it's: {a} key", "/etc/am/webhook", HOURS)
HANDMADE_FILE = ROOT / "ops" / "sandbox" / "handmade" / "alertmanager.yml"
HANDMADE = HANDMADE_FILE.read_text("utf-8").replace("@smtp@", "smtp.test:25")
COMBINATIONS = [
    OnCall(*(value if on else None for value, on in zip(vars(ALL).values(), switched, strict=True)))
    for switched in itertools.product((False, True), repeat=5)
    if switched[0] or not switched[1]
]


def accepted(folder: Path, *texts: str) -> None:
    files = [folder / f"{number}.yml" for number in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text, "utf-8")
    command = [str(build_tools.path("amtool")), "check-config", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# ── the text ──


def test_nothing_switched_on_is_the_file_byte_for_byte() -> None:
    assert with_on_call(ROUTING, NOTHING) is ROUTING
    assert with_on_call(ROUTING, read({}, where="x").on_call) is ROUTING


@pytest.mark.parametrize(
    "on_call", COMBINATIONS, ids=lambda one: "-".join(k for k, v in vars(one).items() if v) or "none"
)
def test_every_combination_is_a_configuration_with_the_same_ways(tmp_path: Path, on_call: OnCall) -> None:
    found = with_on_call(ROUTING, on_call)
    whole = found.with_smtp(Smtp("127.0.0.1:25", "a@b.test", "", "", False))
    accepted(tmp_path, whole, Merge().insert(HANDMADE, found.parts().as_json()))
    lines = iter(found.text.splitlines())
    assert all(line in lines for line in ROUTING.text.splitlines())  # in their order: none is changed or gone
    for labels in [*LABELS, DRILL]:
        [before], [after] = tree.matches(ROUTING.config, labels), tree.matches(found.config, labels)
        waits = on_call.working_hours and labels["severity"] == "warning" and labels is not DRILL
        assert after == replace(before, active_time_intervals=(INTERVAL,) if waits else ())
    kinds = {
        *("email_configs", *(["slack_configs"] if on_call.slack_file else [])),
        *(["pagerduty_configs"] if on_call.pagerduty_file else []),
        *(["webhook_configs"] if on_call.webhook_file else []),
    }
    for parts in (found.config["receivers"], found.parts().receivers):
        for receiver in parts:
            wanted = kinds if receiver["name"].endswith("-critical") else {"email_configs"}
            assert {*receiver} - {"name"} == wanted, receiver["name"]
    assert len(found.parts().time_intervals) == bool(on_call.working_hours)


def test_the_files_and_hours_stand_there_as_given() -> None:
    parts = with_on_call(ROUTING, ALL).parts()
    critical = next(receiver for receiver in parts.receivers if receiver["name"] == "database-critical")
    assert critical["slack_configs"][0]["api_url_file"] == ALL.slack_file
    assert critical["slack_configs"][0]["channel"] == "#alerts"
    assert critical["slack_configs"][0]["title"] == critical["email_configs"][0]["headers"]["Subject"]
    assert critical["pagerduty_configs"][0]["routing_key_file"] == ALL.pagerduty_file
    assert critical["webhook_configs"] == [{"url_file": ALL.webhook_file, "send_resolved": True}]
    assert parts.time_intervals[0]["time_intervals"] == [
        {
            "weekdays": ["monday", "friday"],
            "times": [
                {"start_time": "08:00", "end_time": "12:00"},
                {"start_time": "13:00", "end_time": "24:00"},
            ],
            "location": "Europe/Berlin",
        }
    ]


def changed(old: str, new: str) -> Routing:
    assert old in ROUTING.text
    return routing.read(ROUTING.text.replace(old, new), ROUTING.path)


def test_hours_join_the_intervals_that_there_are(tmp_path: Path) -> None:
    nights = "time_intervals: [{times: [{start_time: '22:00', end_time: '24:00'}]}]"
    there = f"time_intervals:\n  # Theirs.\n  - name: nights\n    {nights}\n"
    found = with_on_call(changed("inhibit_rules:\n", there + "\ninhibit_rules:\n"), ALL)
    assert [interval["name"] for interval in found.config["time_intervals"]] == [INTERVAL, "nights"]
    accepted(tmp_path, found.text)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "  - name: api-critical\n",
            "  - name: api-critical\n    webhook_configs: [{url: http://x}]\n",
            r"routing/alertmanager\.yml:\d+: api-critical has webhook_configs already; .*",
        ),
        (
            "    - receiver: api-warnings\n      matchers",
            "    - receiver: api-warnings\n      active_time_intervals: []\n      matchers",
            r"routing/alertmanager\.yml:\d+: this route has active_time_intervals already; .*",
        ),
        (
            'severity="critical"]\n      group',
            'severity=~"critical"]\n      group',
            r'.*: no route is for severity="critical", .*',
        ),
        ("inhibit_rules:\n", "time_intervals: []\ninhibit_rules:\n", r".*: working hours cannot join these .*"),
    ],
    ids=["a sender that is there", "hours that are there", "nobody critical", "intervals in brackets"],
)
def test_what_cannot_be_added_is_refused(old: str, new: str, sentence: str) -> None:
    with pytest.raises(RoutingError, match=f"^{sentence}$"):
        with_on_call(changed(old, new), ALL)


# ── settings ──


def test_settings_are_read() -> None:
    found = read(
        {
            **{"slackWebhookFile": "/a/b", "slackChannel": "#x", "pagerdutyKeyFile": "/c", "webhookUrlFile": "/d"},
            "workingHours": "sat-mon,Wed 08:00-12:00,13:00-24:00 Europe/Berlin",
        },
        where="x",
    ).on_call
    assert (found.slack_file, found.slack_channel, found.pagerduty_file, found.webhook_file) == (
        "/a/b",
        "#x",
        "/c",
        "/d",
    )
    assert found.working_hours == WorkingHours(
        ("monday", "wednesday", "saturday", "sunday"), (("08:00", "12:00"), ("13:00", "24:00")), "Europe/Berlin"
    )


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"slackWebhookFile": "slack"}, "slackWebhookFile is 'slack'; give the absolute path of a file"),
        ({"slackChannel": "#x"}, "slackChannel is '#x'; give slackWebhookFile too: it has no effect without"),
        ({"workingHours": "always"}, "give days, hours and a time zone, such as Mon-Fri 08:00-18:00 Europe/Berlin"),
        ({"workingHours": "Mo-Fr 08:00-18:00 UTC"}, "give days as Mon-Fri or Mon,Wed,Fri"),
        ({"workingHours": "Mon-Fri 8-18 UTC"}, "give hours of one day as 08:00-18:00, the later last"),
        ({"workingHours": "Mon-Fri 22:00-06:00 UTC"}, "give hours of one day as 08:00-18:00, the later last"),
        ({"workingHours": "Mon-Fri 08:00-18:00 Europe/Berln"}, "give a time zone such as Europe/Berlin"),
        (
            {"alertmanagerMode": "operator", "pagerdutyKeyFile": "/etc/am/key"},
            "give /etc/alertmanager/secrets/SECRET/KEY, for the operator takes a Secret and no other file",
        ),
        (
            {"alertmanagerMode": "operator", "workingHours": "Mon 08:00-18:00 Europe/Berlin"},
            "give the hours in UTC, for the operator's AlertmanagerConfig has no time zones",
        ),
    ],
)
def test_a_bad_setting_gets_one_sentence(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(values, where="Pulumi.x.yaml")
    assert sentence in str(refused.value)
    assert str(refused.value).startswith("Pulumi.x.yaml: ")
    assert "\n" not in str(refused.value)


def test_the_operators_object_names_secrets() -> None:
    on_call = read(
        {
            **{"alertmanagerMode": "operator", "workingHours": "Mon-Tue 08:00-18:00 UTC"},
            **{
                key: f"/etc/alertmanager/secrets/on-call/{key}"
                for key in ("slackWebhookFile", "pagerdutyKeyFile", "webhookUrlFile")
            },
        },
        where="x",
    ).on_call
    parts = with_on_call(ROUTING, on_call).parts()
    spec = alertmanager_config.spec(alertmanager_config.below_one_route(parts, LABELS), "mail")
    critical = next(receiver for receiver in spec["receivers"] if receiver["name"] == "api-critical")
    assert critical["slackConfigs"][0]["apiURL"] == {"name": "on-call", "key": "slackWebhookFile"}
    assert critical["pagerdutyConfigs"][0]["routingKey"] == {"name": "on-call", "key": "pagerdutyKeyFile"}
    assert critical["webhookConfigs"] == [
        {"sendResolved": True, "urlSecret": {"name": "on-call", "key": "webhookUrlFile"}}
    ]
    assert {*critical["slackConfigs"][0]} == {
        *("apiURL", "sendResolved", "color", "title", "titleLink", "fallback", "text")
    }
    page = critical["pagerdutyConfigs"][0]
    assert {*page} == {
        *("routingKey", "sendResolved", "severity", "description", "class", "component", "client", "clientURL"),
        *("details", "pagerDutyLinkConfigs"),
    }
    assert {detail["key"] for detail in page["details"]} == {"firing", "resolved", "num_firing", "num_resolved"}
    assert [link["alt"] for link in page["pagerDutyLinkConfigs"]] == ["Runbook", "Dashboard"]
    assert spec["muteTimeIntervals"] == [
        {
            "name": INTERVAL,
            "timeIntervals": [
                {"weekdays": ["monday", "tuesday"], "times": [{"startTime": "08:00", "endTime": "18:00"}]}
            ],
        }
    ]
    waiting = [route["receiver"] for route in spec["route"]["routes"] if "activeTimeIntervals" in route]
    assert waiting == ["api-warnings", "database-warnings", "webhook-warnings"]


# ── what the program declares ──

SETTINGS: dict[str, object] = {
    **{"slackWebhookFile": "/etc/am/slack", "pagerdutyKeyFile": "/etc/am/key", "webhookUrlFile": "/etc/am/url"},
    "workingHours": "Mon-Fri 08:00-18:00 Europe/Berlin",
}


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "merged"])
def test_the_program_deploys_it(whole: bool) -> None:
    wanted = with_on_call(ROUTING, read(SETTINGS, where="x").on_call)
    declared = collect({**SETTINGS, "alertmanagerReplace": whole})
    (edit,) = (
        resource.inputs for resource in declared if resource.inputs.get("editor") == ("replace" if whole else "routing")
    )
    assert edit["ours"] == (wanted.text if whole else wanted.parts().as_json())


def test_the_program_refuses_in_one_sentence() -> None:
    with pytest.raises(Misconfigured, match=r"^Pulumi\.prod\.yaml: slackChannel is '#x'; give slackWebhookFile too"):
        collect({"slackChannel": "#x"})


# ── a real Alertmanager ──


@dataclass
class Ear:
    """A server that takes whatever is posted to it, in place of Slack, PagerDuty and a webhook; and a mail relay."""

    url: str = ""
    smarthost: str = ""
    mails: list[str] = field(default_factory=list)
    heard: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def wait(self, path: str, count: int = 1) -> list[dict[str, Any]]:
        until(lambda: len(self.heard.get(path, ())) >= count, f"no {count} at {path}")
        return self.heard[path]


@pytest.fixture
def ear() -> Iterator[Ear]:
    found = Ear()

    def hear(request: Request) -> Response:
        found.heard.setdefault(request.path, []).append(json.loads(request.get_data()))
        return Response(*('{"status":"success"}', 202) if request.path == "/pagerduty" else ("ok", 200))

    class Relay:
        async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
            mail = email.message_from_bytes(envelope.content or b"", policy=email.policy.default)
            found.mails.append(str(mail["Subject"]))
            return "250 OK"

    relay = Controller(Relay(), hostname="127.0.0.1", port=ports.choose(["smtp"], {})["smtp"])
    relay.start()
    found.smarthost = f"127.0.0.1:{relay.port}"
    try:
        with stand_in(hear) as found.url:
            yield found
    finally:
        relay.stop()


def away() -> WorkingHours:
    """A day that is not today, nor tomorrow should midnight come."""
    day = f"{datetime.now(UTC) + timedelta(days=3):%A}".lower()
    return WorkingHours((day,), (("00:00", "24:00"),), "UTC")


@pytest.fixture
def alertmanager(ear: Ear, tmp_path: Path) -> Iterator[tuple[Alertmanager, Routing]]:
    """A real one with all of it switched on, out of working hours; its routes wait for a second only."""
    for name, content in (("slack", f"{ear.url}/slack\n"), ("key", "a-key\n"), ("webhook", f"{ear.url}/webhook")):
        (tmp_path / name).write_text(content, "utf-8")
    files = [str(tmp_path / name) for name in ("slack", "key", "webhook")]
    written = with_on_call(ROUTING, OnCall(files[0], "#alerts", files[1], files[2], away()))
    text = written.with_smtp(Smtp(ear.smarthost, "a@b.test", "", "", False))
    text = text.replace("group_wait: 10s", "group_wait: 0s").replace("group_wait: 1m", "group_wait: 0s")
    text = text.replace("group_interval: 5m", "group_interval: 1s")
    text = text.replace("\nroute:", f"\n  pagerduty_url: {ear.url}/pagerduty\nroute:", 1)
    with real_servers.alertmanager(tmp_path, text) as server:
        yield server, replace(written, config=tree.parse(text))


def posted(name: str, severity: str, *, over: bool = False) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "labels": {"alertname": name, "severity": severity, "component": "api", "signal": name},
        "annotations": {
            **{"summary": "P95 <is> high & rising", "description": "6,100 ms, limit 5,000 ms"},
            **{"runbook_url": "https://docs.test/a?x=1&y=2", "dashboard_url": "https://grafana.test/d/x"},
        },
        "generatorURL": "http://prometheus.test/graph?g0.expr=up",
        "startsAt": (now - timedelta(minutes=1)).isoformat(),
        "endsAt": (now - timedelta(seconds=1) if over else now + timedelta(minutes=5)).isoformat(),
    }


def test_critical_alerts_are_told_everywhere_and_warnings_wait(
    ear: Ear, alertmanager: tuple[Alertmanager, Routing], tmp_path: Path
) -> None:
    server, written = alertmanager
    server.post_alerts([posted("Worst", "critical"), posted("Bad", "warning"), posted("TestAPIAlert", "warning")])

    [attachment] = ear.wait("/slack")[0]["attachments"]
    assert ear.heard["/slack"][0]["channel"] == "#alerts"
    assert attachment["title"] == "🚨  API Performance Critical: Worst"
    assert attachment["color"] == "danger"
    assert attachment["text"].strip() == (
        "*FIRING* P95 &lt;is&gt; high &amp; rising\n"
        "6,100 ms, limit 5,000 ms\n"
        "<https://docs.test/a?x=1&amp;y=2|Runbook>  <https://grafana.test/d/x|Dashboard>  "
        "<http://prometheus.test/graph?g0.expr=up|Query>"
    )
    page = ear.wait("/pagerduty")[0]
    assert (page["routing_key"], page["event_action"]) == ("a-key", "trigger")
    assert page["payload"]["summary"] == "🚨  API Performance Critical: Worst"
    assert (page["payload"]["severity"], page["payload"]["component"]) == ("critical", "api")
    assert "6,100 ms, limit 5,000 ms" in page["payload"]["custom_details"]["firing"]
    assert [link["text"] for link in page["links"]] == ["Runbook", "Dashboard"]
    hook = ear.wait("/webhook")[0]
    assert [alert["labels"]["alertname"] for alert in hook["alerts"]] == ["Worst"]

    def suppressed() -> float | None:
        return server.metrics().total("alertmanager_notifications_suppressed_total", reason="active_time_interval")

    until(lambda: (suppressed() or 0) >= 1, "no warning was kept back")
    drill = "⚠️  API Performance Warning: TestAPIAlert"
    until(lambda: {*ear.mails} >= {"🚨  API Performance Critical: Worst", drill}, "no mails at any hour")
    assert not [subject for subject in ear.mails if "Bad" in subject]

    server.post_alerts([posted("Worst", "critical", over=True)])
    assert ear.wait("/slack", 2)[1]["attachments"][0]["title"] == "✅  Resolved: API Performance Critical: Worst"
    assert ear.wait("/pagerduty", 2)[1]["event_action"] == "resolve"
    assert ear.wait("/webhook", 2)[1]["status"] == "resolved"

    # What a person is shown of it before anything is sent.
    labels = {"severity": "warning", "component": "api"}
    assert alert_path.find_path(server, labels, {}, ()).muted_now == f"outside of active_time_intervals: {INTERVAL}"
    assert not alert_path.find_path(server, {**labels, "alertname": "TestAPIAlert"}, {}, ()).muted_now
    assert {*alert_path.find_path(server, {**labels, "severity": "critical"}, {}, ()).other_channels} == {
        "slack",
        "pagerduty",
        "webhook",
    }

    # What proves a deployment finds all of it running.
    config = server.status().config
    wanted = wanted_routing(written.parts(), written.config)
    assert compare.routing_not_running(wanted, config) == []
    assert routing_checks.receivers(config, wanted).status == "pass"

    # Working hours begin: what still fires is mailed now.
    file = tmp_path / "alertmanager.yml"
    file.write_text(
        re.sub(r"weekdays: \[\w+\]", "weekdays: ['monday:saturday', sunday]", file.read_text("utf-8")), "utf-8"
    )
    server.reload()
    other = compare.routing_not_running(wanted, server.status().config)
    assert other == [f"time interval {INTERVAL} runs with other times"]
    until(lambda: "⚠️  API Performance Warning: Bad" in ear.mails, "no mail of the warning that waited")
