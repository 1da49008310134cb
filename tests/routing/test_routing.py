"""Our routing: every alert reaches its receiver by the mail that it should, in our configuration and in others'."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import routing
import rules
from ops import build_tools
from routing import Smtp, tree
from tests.support.waiting import PATIENCE

ROUTING = routing.load()
ALERTS = rules.alerts()
LABELS = {name: {"alertname": name, **alert.labels} for name, alert in ALERTS.items()}
DRILL = {"alertname": "TestAPIAlert", "severity": "warning", "component": "api"}
WATCHDOG = "APIPerformanceWatchdog"

# component and severity → receiver, and what its subjects say. A further alert of these needs no line here.
TABLE = {
    ("api", "critical"): ("api-critical", "🚨  API Performance Critical"),
    ("api", "warning"): ("api-warnings", "⚠️  API Performance Warning"),
    ("database", "critical"): ("database-critical", "🚨  Database Performance Critical"),
    ("database", "warning"): ("database-warnings", "⚠️  Database Performance Warning"),
    ("webhook", "critical"): ("webhook-critical", "🚨  Webhook Processing Critical"),
    ("webhook", "warning"): ("webhook-warnings", "⚠️  Webhook Processing Warning"),
    ("watchdog", "none"): ("api-performance-watchdog", ""),
}
TIMES = {"critical": (10.0, 7200.0), "warning": (60.0, 21600.0), "none": (10.0, 86400.0)}  # group_wait, repeat_interval


def amtool(*arguments: str | Path) -> str:
    command = [str(build_tools.path("amtool")), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def receiver(name: str) -> dict[str, Any]:
    (found,) = (found for found in ROUTING.config["receivers"] if found["name"] == name)
    return dict(found)


# ── routes ──


def test_amtool_accepts_the_file() -> None:
    assert "SUCCESS" in amtool("check-config", ROUTING.path)


@pytest.mark.parametrize("labels", [*LABELS.values(), DRILL], ids=lambda labels: labels["alertname"])
def test_every_alert_reaches_its_receiver(labels: dict[str, str]) -> None:
    expected, _ = TABLE[labels["component"], labels["severity"]]
    [match] = tree.matches(ROUTING.config, labels)
    assert match.receiver == expected
    given = [f"{name}={value}" for name, value in labels.items()]
    verify = ("--config.file", ROUTING.path, "--verify.receivers", expected)
    assert amtool("config", "routes", "test", *verify, *given).strip() == expected
    assert "alertname" in match.group_by  # so that a mail is about one alert, and can name it
    if labels is not DRILL:
        assert (match.group_wait, match.repeat_interval) == TIMES[labels["severity"]]


def test_the_drill_takes_the_way_of_a_warning_only_sooner() -> None:
    [drill] = tree.matches(ROUTING.config, DRILL)
    [warning] = tree.matches(ROUTING.config, {**DRILL, "alertname": "X"})
    assert (drill.receiver, drill.group_by) == (warning.receiver, warning.group_by)
    assert drill.group_wait <= 5 < warning.group_wait


@pytest.mark.parametrize(
    "labels",
    [
        {"alertname": "NodeDown", "severity": "critical"},
        {"alertname": "X", "severity": "warning", "component": "kubernetes"},
        {"alertname": "X", "severity": "Warning", "component": "api"},
        {"alertname": "X", "severity": "warning", "component": "api-gateway"},
        {},
    ],
    ids=str,
)
def test_alerts_of_others_are_not_taken(labels: dict[str, str]) -> None:
    [match] = tree.matches(ROUTING.config, labels)
    assert (match.receiver, match.position) == ("fallback", ())


def test_every_receiver_is_used_and_every_route_taken() -> None:
    taken = {tree.matches(ROUTING.config, labels)[0].position for labels in [*LABELS.values(), DRILL]}
    routes = {route.match.position for route in tree.tree(ROUTING.config).walk()}
    assert routes - taken == {()}, "a route that no alert takes, or the fallback's"
    used = {route.match.receiver for route in tree.tree(ROUTING.config).walk()}
    assert {found["name"] for found in ROUTING.config["receivers"]} == used


# ── inhibition ──


def test_critical_mutes_its_own_warning_and_nothing_else() -> None:
    for target in LABELS.values():
        muting = tree.inhibitors(ROUTING.config, target, LABELS.values())
        expected = [
            source["alertname"]
            for source in LABELS.values()
            if (source["severity"], target["severity"]) == ("critical", "warning")
            and (source["component"], source["signal"]) == (target["component"], target["signal"])
        ]
        assert [found.source["alertname"] for found in muting] == expected, target["alertname"]


def test_every_inhibition_has_both_ends_among_the_alerts() -> None:
    for rule in tree.inhibitions(ROUTING.config):
        assert any(rule.mutes(target, source) for target in LABELS.values() for source in LABELS.values()), rule


def test_alerts_of_others_mute_none_of_ours_and_no_drill() -> None:
    others = [
        {"alertname": "NodeDown", "severity": "critical"},
        {"alertname": "X", "severity": "critical", "component": "api"},
        {"alertname": "X", "severity": "critical", "component": "kubernetes", "signal": "latency"},
    ]
    for target in [*LABELS.values(), DRILL]:
        assert not tree.inhibitors(ROUTING.config, target, others)
    assert not tree.inhibitors(ROUTING.config, DRILL, LABELS.values())
    assert not any(tree.inhibitors(ROUTING.config, other, LABELS.values()) for other in others)


# ── mails ──


def alert(name: str, status: str = "firing", **more: str) -> dict[str, Any]:
    annotations = {
        "summary": f"Summary of {name} <1>",
        "description": "P95 is 1,234 ms & rising",
        "runbook_url": f"https://docs.example/runbooks/{name}",
        "dashboard_url": "https://grafana.example/d/x?from=1&to=2",
    }
    return {
        "status": status,
        "labels": {"alertname": name, **more},
        "annotations": annotations if name != "Bare" else {},
        "startsAt": "2026-11-23T09:30:00Z",
        "endsAt": "2026-11-23T09:40:00Z" if status == "resolved" else "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example/graph?g0.expr=up%20%3E%201",
    }


def render(folder: Path, text: str, *alerts: dict[str, Any], kind: str = "text") -> str:
    names = {found["labels"]["alertname"] for found in alerts}
    data = {
        "receiver": "api-warnings",
        "status": "firing" if any(found["status"] == "firing" for found in alerts) else "resolved",
        "alerts": alerts,
        "groupLabels": {},
        "commonLabels": {"alertname": names.pop()} if len(names) == 1 else {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example",
    }
    (folder / "data.json").write_text(json.dumps(data), "utf-8")
    glob = ("--template.glob", folder / "*.tmpl")
    return amtool(
        "template",
        "render",
        *glob,
        "--template.type",
        kind,
        "--template.data",
        folder / "data.json",
        f"--template.text={text}",
    )


@pytest.mark.parametrize(("name", "subject"), [pair for pair in TABLE.values() if pair[1]])
def test_subjects(tmp_path: Path, name: str, subject: str) -> None:
    [mail] = receiver(name)["email_configs"]
    written = mail["headers"]["Subject"]
    assert render(tmp_path, written, alert("SomeAlert"), alert("SomeAlert", path="/b")) == f"{subject}: SomeAlert"
    words = subject.partition("  ")[2]
    assert render(tmp_path, written, alert("SomeAlert", "resolved")) == f"✅  Resolved: {words}: SomeAlert"
    assert render(tmp_path, written, alert("A"), alert("B")) == f"{subject}: 2 alerts"  # were group_by ever changed


def test_the_guides_subject(tmp_path: Path) -> None:
    [mail] = receiver("api-warnings")["email_configs"]
    assert (
        render(tmp_path, mail["headers"]["Subject"], alert("TestAPIAlert"))
        == "⚠️  API Performance Warning: TestAPIAlert"
    )


def test_the_watchdogs_subject_alarms_when_it_falls_silent(tmp_path: Path) -> None:
    [mail] = receiver("api-performance-watchdog")["email_configs"]
    subject = mail["headers"]["Subject"]
    assert render(tmp_path, subject, alert(WATCHDOG)) == "💚  API Performance Alerting: alive"
    assert render(tmp_path, subject, alert(WATCHDOG, "resolved")).startswith("🚨  API Performance Alerting: silent")


def test_every_mail_goes_to_both_and_when_resolved() -> None:
    for found in ROUTING.config["receivers"]:
        [mail] = found["email_configs"]  # one mail to two recipients
        assert mail["to"] == "admin@rsolv.dev, alerts@rsolv.dev"
        assert mail["send_resolved"] is True
        assert mail["text"] == receiver("api-critical")["email_configs"][0]["text"]
        assert mail["html"] == receiver("api-critical")["email_configs"][0]["html"]


def test_the_text_says_what_one_needs(tmp_path: Path) -> None:
    [mail] = receiver("api-warnings")["email_configs"]
    said = render(tmp_path, mail["text"], alert("Old", "resolved"), alert("New", path="/a"), alert("Bare"))
    assert said.index("FIRING: New") < said.index("FIRING: Bare") < said.index("RESOLVED: Old")
    first = said[: said.index("FIRING: Bare")]
    assert first == (
        "FIRING: New\n\n"
        "Summary:     Summary of New <1>\n"
        "Description: P95 is 1,234 ms & rising\n"
        "Since:       2026-11-23 09:30:00 UTC\n"
        "Labels:      alertname=New, path=/a\n"
        "Runbook:     https://docs.example/runbooks/New\n"
        "Dashboard:   https://grafana.example/d/x?from=1&to=2\n"
        "Query:       http://prometheus.example/graph?g0.expr=up%20%3E%201\n\n"
    )
    assert "Until:       2026-11-23 09:40:00 UTC" in said
    assert "no value" not in said


def test_the_html_says_the_same_and_escapes(tmp_path: Path) -> None:
    [mail] = receiver("api-warnings")["email_configs"]
    said = render(
        tmp_path, mail["html"], alert("Old", "resolved"), alert("New", path="/<a>"), alert("Bare"), kind="html"
    )
    assert said.index("New") < said.index("Old")
    for wanted in (
        *("Summary of New &lt;1&gt;", "P95 is 1,234 ms &amp; rising", "path=/&lt;a&gt;", "RESOLVED"),
        *('href="https://docs.example/runbooks/New"', 'href="https://grafana.example/d/x?from=1&amp;to=2"'),
        'href="http://prometheus.example/graph?g0.expr=up%20%3E%201"',
    ):
        assert wanted in said
    assert not re.search(r"ZgotmplZ|no value|<a>", said)
    assert said.count("<div") == said.count("</div>")


# ── elsewhere ──


def test_the_password_is_in_a_file() -> None:
    assert ROUTING.smtp == Smtp(
        smarthost="smtp.postmarkapp.com:587",
        from_="monitoring@rsolv.dev",
        username="api-performance-alerts",
        password_file="/etc/alertmanager/smtp/password",
        require_tls=True,
    )
    assert not re.search(r"password:|secret:|token:", ROUTING.text)


SANDBOX = Smtp("127.0.0.1:2525", "A <a@b.test>", "", "", False)


@pytest.mark.parametrize("smtp", [None, SANDBOX], ids=["as the file says", "another relay"])
def test_our_parts_work_in_a_configuration_of_others(tmp_path: Path, smtp: Smtp | None) -> None:
    parts = ROUTING.parts(smtp)
    theirs: dict[str, Any] = {
        "route": {"receiver": "theirs", "group_by": ["namespace"], "group_wait": "9m", "routes": list(parts.routes)},
        "receivers": [{"name": "theirs"}, *parts.receivers],
        "inhibit_rules": list(parts.inhibit_rules),
        "time_intervals": list(parts.time_intervals),
    }
    file = tmp_path / "alertmanager.yml"
    file.write_text(yaml.safe_dump(theirs, allow_unicode=True), "utf-8")
    assert "SUCCESS" in amtool("check-config", file)  # no global, and nothing is missing
    for labels in [*LABELS.values(), DRILL]:
        [here], [there] = tree.matches(ROUTING.config, labels), tree.matches(theirs, labels)
        assert (here.receiver, here.group_by, here.group_wait) == (there.receiver, there.group_by, there.group_wait)
        assert (here.group_interval, here.repeat_interval) == (there.group_interval, there.repeat_interval)
    assert "fallback" not in {found["name"] for found in parts.receivers}
    for found in parts.receivers:
        [mail] = found["email_configs"]
        used = smtp or ROUTING.smtp
        assert (mail["smarthost"], mail["from"], mail["require_tls"]) == (used.smarthost, used.from_, used.require_tls)
        assert mail.get("auth_password_file", "") == used.password_file
        assert mail.get("auth_username", "") == used.username


def test_parts_share_nothing_with_the_file() -> None:
    parts = ROUTING.parts()
    parts.receivers[0]["email_configs"][0]["headers"]["Subject"] = "x"
    assert routing.load().config == ROUTING.config
    assert ROUTING.parts().receivers[0]["email_configs"][0]["headers"]["Subject"] != "x"


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=20)


@settings(deadline=None, max_examples=40)
@given(st.builds(Smtp, words, words, words, words, st.booleans()))
def test_another_relay_changes_only_its_lines(smtp: Smtp) -> None:
    text = ROUTING.with_smtp(smtp)
    settings = tree.parse(text)["global"]
    assert settings == {
        "smtp_smarthost": smtp.smarthost,
        "smtp_require_tls": smtp.require_tls,
        "smtp_from": smtp.from_,
        "smtp_auth_username": smtp.username,
        "smtp_auth_password_file": smtp.password_file,
    }
    before, after = ROUTING.text.split("\n"), text.split("\n")
    changed = [old for old, new in zip(before, after, strict=True) if old != new]
    assert all(line.startswith("  smtp_") for line in changed)


def test_the_same_relay_changes_no_byte() -> None:
    assert ROUTING.with_smtp(ROUTING.smtp) == ROUTING.text


def test_amtool_accepts_another_relay(tmp_path: Path) -> None:
    (tmp_path / "alertmanager.yml").write_text(ROUTING.with_smtp(SANDBOX), "utf-8")
    assert "SUCCESS" in amtool("check-config", tmp_path / "alertmanager.yml")
