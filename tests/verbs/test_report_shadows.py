"""What `report` says of alerts that are only tried, over a past that is known by the number."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

import rules
from ops import cli
from tests.support import past
from tests.support.our_routes import receiver_of

END = int(time.time()) // 60 * 60 - 120


def run(out: Path, *more: str) -> int:
    return cli.run(["report", "--target", "sandbox", "--out", str(out), "--end", str(END), "--window", "2h", *more])


def test_it_says_what_a_shadow_would_have_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path / "home"))
    with past.prometheus(tmp_path, hours=3, end=END) as url:
        past.target(tmp_path / "home", url)
        reported(tmp_path / "report.html", capsys, monkeypatch)


def reported(out: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    known, told = rules.alerts, receiver_of("APIP95LatencyHigh")

    def with_shadow(*more: object, **named: str) -> dict[str, rules.Alert]:
        found = known(*more, **named)  # type: ignore[arg-type]
        alert = found["APIP95LatencyHigh"]
        return {**found, alert.name: replace(alert, labels={**alert.labels, "stage": "shadow"})}

    assert run(out, "--format", "json", "--dry-run") == 0
    before = json.loads(capsys.readouterr().out)
    assert before["shadows"] == []
    monkeypatch.setattr(rules, "alerts", with_shadow)
    assert run(out, "--format", "json", "--dry-run") == 0
    [shadow] = json.loads(capsys.readouterr().out)["shadows"]
    assert (shadow["name"], shadow["fired"]) == ("APIP95LatencyHigh", 1)
    assert shadow["messages"] == f"1 mail to {told}"
    assert run(out) == 0
    text = out.read_text("utf-8")
    assert "What shadows would have sent in the week" in text and f"1 mail to {told}" in text
    assert ", a shadow: " in text
    assert run(out.with_suffix(".md")) == 0
    assert (
        f"| APIP95LatencyHigh | 1 × | {shadow['duration']} | 1 mail to {told} |" in out.with_suffix(".md").read_text()
    )
