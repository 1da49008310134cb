"""A backtest as text: on a narrow and on a wide console no name, number or label is cut, and each fact is there."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from rich.console import Console

import rules
from ops.options import console
from ops.replay import as_text
from ops.replay.mails import Message
from ops.replay.run import Outcome, Version
from ops.replay.signals import Episode, Replay
from rules import Alert

START = 1_764_028_800.0
DAY = 86400.0
END = START + 7 * DAY
WIDTHS = (60, 80, 104, 120, 150)
PATH = "/api/v1/vulnerabilities/validate/all-of-the-findings-of-one-repository"
ALERTS = {name: alert for name, alert in rules.alerts().items() if alert.is_house}
FIRED = 14  # more than are shown of one alert
LONG = "DatabaseConnectionPoolUtilizationHighOnTheReadReplicaOfTheReportingDatabase"


def episodes(alert: Alert, times: int) -> Iterator[Episode]:
    """Pending for ten minutes, then firing for 25 minutes, once in every hour; and once only pending."""
    labels = {**alert.labels, "alertname": alert.name, "path": PATH}
    for hour in range(times):
        begin = START + DAY + 3600 * hour
        yield Episode(labels, "pending", begin, begin + 600, False)
        yield Episode(labels, "firing", begin + 600, begin + 2100, False)
    yield Episode(labels, "pending", END - 3600, END - 3000, False)


def version(name: str, alerts: Mapping[str, Alert], times: int = FIRED) -> Version:
    """Every other alert fired; each firing sent a mail."""
    replays = {
        one.name: Replay(one, one.limit, START, END, tuple(episodes(one, times)) if number % 2 else ())
        for number, one in enumerate(alerts.values())
    }
    mails = [
        Message(one.start, "api-warnings", "email", "firing", (tuple(one.labels.items()),), ())
        for replay in replays.values()
        for one in replay.firing
    ]
    return Version(name, replays, mails)


def outcome(*versions: Version) -> Outcome:
    note = "Prometheus has data for 6 d of the 7 d asked for (from 2025-11-26 00:00 UTC); what came before is unknown"
    return Outcome(START, END, 6 * DAY, [(START + DAY, END)], versions, [note])


ONE = outcome(version("working tree", ALERTS))
TWO = outcome(version("working tree", ALERTS), version("HEAD~3", ALERTS, FIRED + 2))


def on_terminal(found: Outcome, width: int) -> str:
    out = io.StringIO()
    as_text.show(Console(file=out, force_terminal=True, width=width, color_system=None, highlight=False), found)
    return out.getvalue()


def piped(found: Outcome, width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("NO_COLOR", "1")
    as_text.show(console(), found)
    return capsys.readouterr().out


def check(told: str, width: int) -> None:
    assert "…" not in told and "\x1b" not in told
    wide = [line for line in told.splitlines() if len(line.rstrip()) > width]
    assert {line.strip() for line in wide} <= {f"path={PATH}"}, "only what is one word may be longer than a line"
    assert f"path={PATH}" in told


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("terminal", [True, False])
def test_no_name_and_no_label_is_cut(
    width: int, terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = on_terminal(ONE, width) if terminal else piped(ONE, width, monkeypatch, capsys)
    if terminal or width < as_text.LISTED:  # elsewhere a line of a pipe stays whole, for grep
        check(told, width)
    words = {word.strip(":,") for word in told.split()}
    assert ALERTS.keys() <= words
    fired = sum(bool(replay.firing) for replay in ONE.versions[0].replays.values())
    assert f"{fired * FIRED} mails in all" in told
    for replay in ONE.versions[0].replays.values():
        assert not replay.firing or replay.limit.text in told  # a list only names those that did not fire
    assert told.count(f"and {FIRED - as_text.MOST} earlier; --format json has them all") == fired


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("terminal", [True, False])
def test_a_comparison_has_every_difference(
    width: int, terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = on_terminal(TWO, width) if terminal else piped(TWO, width, monkeypatch, capsys)
    if terminal or width < as_text.LISTED:
        check(told, width)
    fired = [name for name, replay in TWO.versions[0].replays.items() if replay.firing]
    assert told.count(f"{FIRED + 2} → {FIRED}") == 2 * len(fired), "how often it fired, and its mails"
    same = len(ALERTS) - len(fired)
    assert f"{same} alerts do the same in HEAD~3 and in the" in told


@pytest.mark.parametrize("width", WIDTHS)
def test_a_long_name_stays_whole(width: int) -> None:
    alerts = {**ALERTS, LONG: replace(next(iter(ALERTS.values())), name=LONG)}
    told = on_terminal(outcome(version("working tree", alerts)), width)
    assert "…" not in told
    assert LONG in told.split()


def test_a_further_line_is_indented() -> None:
    lines = on_terminal(ONE, 60).splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("• "))
    assert lines[at + 1].startswith("  ") and lines[at + 1].strip()
    at = next(number for number, line in enumerate(lines) if "after 10 min pending" in line)
    assert lines[at + 1] == f"    path={PATH}"


def test_the_locale_changes_nothing() -> None:
    """As a process of its own, without a terminal: a C locale writes what UTF-8 does."""
    told = []
    for locale in ("C", "C.UTF-8"):
        code = "from tests.replay.test_as_text import *; as_text.show(console(), TWO)"
        env = os.environ | {"LC_ALL": locale, "LANG": locale, "COLUMNS": "60", "NO_COLOR": "1"}
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True, timeout=60)
        told.append(done.stdout.decode("utf-8"))
    assert told[0] == told[1]
    check(told[0], 60)
