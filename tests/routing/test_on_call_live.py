"""For those on call: what a real Alertmanager sends, and when, to servers that stand in for Slack and others."""

import email
import email.policy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from werkzeug import Request, Response

from components.live.running import compare
from components.live.running.wanted import wanted_routing
from components.settings import OnCall, WorkingHours
from formats.json_types import JsonObject
from ops.checks import live_routing as routing_checks
from ops.clients.alertmanager import Alertmanager
from ops.replay import alert_path
from ops.sandbox import ports
from routing import Routing, Smtp, tree
from routing.on_call import INTERVAL, with_on_call
from tests.support import real_servers
from tests.support.our_routes import ROUTING
from tests.support.stand_in import stand_in
from tests.support.waiting import until


@dataclass
class Ear:
    """A server that takes whatever is posted to it, in place of Slack, PagerDuty and a webhook; and a mail relay."""

    url: str = ""
    smarthost: str = ""
    mails: list[str] = field(default_factory=list)
    heard: dict[str, list[JsonObject]] = field(default_factory=dict)

    def wait(self, path: str, count: int = 1) -> list[JsonObject]:
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


def posted(name: str, severity: str, *, over: bool = False) -> JsonObject:
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
