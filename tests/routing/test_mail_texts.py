"""What our mails say: subjects, the text and its HTML, as amtool writes them."""

import json
import re
from pathlib import Path

import pytest

from formats.json_types import JsonObject
from routing import tree
from tests.routing.our_routing import LABELS, amtool
from tests.support.our_routes import ROUTING, receiver, receiver_of

WATCHDOG = "APIPerformanceWatchdog"
SIGNS = {"critical": "🚨", "warning": "⚠️"}
WAYS = {(receiver_of(name), one["severity"]) for name, one in LABELS.items() if one["severity"] in SIGNS}


def alert(name: str, status: str = "firing", **more: str) -> JsonObject:
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


def render(folder: Path, text: str, *alerts: JsonObject, kind: str = "text") -> str:
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


@pytest.mark.parametrize(("name", "severity"), sorted(WAYS))
def test_subjects(tmp_path: Path, name: str, severity: str) -> None:
    """A sign of the severity, words of the receiver's own, and which alert."""
    [mail] = receiver(name)["email_configs"]
    written = mail["headers"]["Subject"]
    said = render(tmp_path, written, alert("SomeAlert"), alert("SomeAlert", path="/b"))
    found = re.fullmatch(rf"{SIGNS[severity]}  (\S.*): SomeAlert", said)
    assert found, f"begin the Subject of {name} with {SIGNS[severity]} and end it in the alert's name: {said}"
    words, subject = found[1], said.removesuffix(": SomeAlert")
    assert render(tmp_path, written, alert("SomeAlert", "resolved")) == f"✅  Resolved: {words}: SomeAlert"
    assert render(tmp_path, written, alert("A"), alert("B")) == f"{subject}: 2 alerts"  # were group_by ever changed


def test_the_guides_subject(tmp_path: Path) -> None:
    [mail] = receiver(receiver_of("TestAPIAlert"))["email_configs"]
    assert (
        render(tmp_path, mail["headers"]["Subject"], alert("TestAPIAlert"))
        == "⚠️  API Performance Warning: TestAPIAlert"
    )


def test_the_watchdogs_subject_alarms_when_it_falls_silent(tmp_path: Path) -> None:
    [mail] = receiver(receiver_of(WATCHDOG))["email_configs"]
    subject = mail["headers"]["Subject"]
    assert render(tmp_path, subject, alert(WATCHDOG)) == "💚  API Performance Alerting: alive"
    assert render(tmp_path, subject, alert(WATCHDOG, "resolved")).startswith("🚨  API Performance Alerting: silent")


def test_every_mail_has_the_same_text_and_comes_when_resolved_too() -> None:
    first, *others = (one for one in ROUTING.config["receivers"] if tree.sends(ROUTING.config, one["name"]))
    [usual] = first["email_configs"]
    for found in (first, *others):
        [mail] = found["email_configs"]  # one mail to all recipients
        assert mail["to"]
        assert mail["send_resolved"] is True, f"give {found['name']} send_resolved: true"
        for part in ("text", "html"):
            assert mail[part] == usual[part], f"give {found['name']} {part}: *{part}"


def test_the_guides_test_alert_goes_to_both() -> None:
    [mail] = receiver(receiver_of("TestAPIAlert"))["email_configs"]
    assert mail["to"] == "admin@rsolv.dev, alerts@rsolv.dev"


def test_the_text_says_what_one_needs(tmp_path: Path) -> None:
    [mail] = receiver(receiver_of("TestAPIAlert"))["email_configs"]
    said = render(tmp_path, mail["text"], alert("Old", "resolved"), alert("New", path="/a", team="sre"), alert("Bare"))
    assert said.index("FIRING: New") < said.index("FIRING: Bare") < said.index("RESOLVED: Old")
    first = said[: said.index("FIRING: Bare")]
    assert first == (
        "FIRING: New\n\n"
        "Summary:     Summary of New <1>\n"
        "Description: P95 is 1,234 ms & rising\n"
        "Since:       2026-11-23 09:30:00 UTC\n"
        "Team:        sre\n"
        "Labels:      alertname=New, path=/a, team=sre\n"
        "Runbook:     https://docs.example/runbooks/New\n"
        "Dashboard:   https://grafana.example/d/x?from=1&to=2\n"
        "Query:       http://prometheus.example/graph?g0.expr=up%20%3E%201\n\n"
    )
    assert "Until:       2026-11-23 09:40:00 UTC" in said
    assert "no value" not in said


def test_the_html_says_the_same_and_escapes(tmp_path: Path) -> None:
    [mail] = receiver(receiver_of("TestAPIAlert"))["email_configs"]
    new = alert("New", path="/<a>", team="<sre>")
    said = render(tmp_path, mail["html"], alert("Old", "resolved"), new, alert("Bare"), kind="html")
    assert said.index("New") < said.index("Old")
    for wanted in (
        *(
            "Summary of New &lt;1&gt;",
            "P95 is 1,234 ms &amp; rising",
            "path=/&lt;a&gt;",
            "RESOLVED",
            "Team: &lt;sre&gt;",
        ),
        *('href="https://docs.example/runbooks/New"', 'href="https://grafana.example/d/x?from=1&amp;to=2"'),
        'href="http://prometheus.example/graph?g0.expr=up%20%3E%201"',
        "Team: &lt;sre&gt;",
    ):
        assert wanted in said
    assert not re.search(r"ZgotmplZ|no value|<a>", said)
    assert said.count("<div") == said.count("</div>")


@pytest.mark.parametrize(
    ("severity", "status", "word", "colour"),
    [
        ("none", "firing", "ALIVE", "#2e7d32"),
        ("none", "resolved", "SILENT", "#c9302c"),
        ("warning", "firing", "FIRING", "#b58900"),
        ("critical", "firing", "FIRING", "#c9302c"),
        ("critical", "resolved", "RESOLVED", "#2e7d32"),
    ],
)
def test_good_news_is_green_and_bad_news_is_not(
    tmp_path: Path, severity: str, status: str, word: str, colour: str
) -> None:
    """The watchdog's good news is that it fires."""
    mail = receiver(receiver_of(WATCHDOG))["email_configs"][0]
    told = alert(WATCHDOG if severity == "none" else "X", status, severity=severity)
    html = render(tmp_path, mail["html"], told, kind="html")
    assert f"<b>{word}</b>" in html
    assert set(re.findall(r"#(?:[0-9a-f]{6})", html)) - {"#777777"} == {colour}
    assert render(tmp_path, mail["text"], told).lstrip().startswith(f"{word}: ")
