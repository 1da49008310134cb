"""What `report` and `verify` say of the error budget, over 40 days of recorded values that are known by the number."""

import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import rules
from ops import cli
from ops.checks import error_budget
from ops.clients.prometheus import Prometheus
from ops.sandbox.blocks import selector_of, write_series
from ops.sandbox.evaluation import evaluating
from ops.window import iso
from tests.support import past

DAY = 86400.0
HOUR = 3600.0
STEP = 240.0  # seconds between recorded values
END = math.floor(time.time() / HOUR) * HOUR - HOUR
FIRST = END - 40 * DAY
REQUESTS, FEW, MANY = 600, 3, 12  # an hour; many errors in the last day
ALLOWED = 0.01


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("recorded")
    times = np.arange(FIRST, END + STEP, STEP)
    errors = np.where(times > END - DAY, MANY, FEW)
    hours = np.minimum(720, (times - FIRST) / HOUR)
    lately = np.clip((times - (END - DAY)) / HOUR, 0, None)
    used = (np.floor(hours - lately) * FEW + np.floor(lately) * MANY) / (np.maximum(1, np.floor(hours)) * REQUESTS)
    recorded = {
        error_budget.REQUESTS: np.full(len(times), REQUESTS),
        "api:http_request_errors:increase1h": errors,
        "api:http_request_errors:ratio_rate1h": errors / REQUESTS,
        rules.BUDGET: np.full(len(times), ALLOWED),
        error_budget.LEFT: 1 - used / ALLOWED,
    }
    series = [(selector_of(name, {}), [f"{value:.9g}" for value in values]) for name, values in recorded.items()]
    write_series(folder / "data", series, times)
    with evaluating(folder / "data", STEP) as prometheus:
        yield prometheus


def run(server: Prometheus, folder: Path, end: float, out: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    past.target(folder / "home", server.url)
    monkeypatch.setenv("SANDBOX_HOME", str(folder / "home"))
    path = folder / out
    arguments = ["report", "--target", "sandbox", "--out", str(path), "--end", iso(end), "--window", "24h"]
    assert cli.run([*arguments, "--format", "json"]) == 0
    return path


def test_what_is_left_and_what_the_window_used(
    server: Prometheus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = run(server, tmp_path, END, "report.html", monkeypatch).read_text("utf-8")
    found = json.loads(capsys.readouterr().out)["budget"]
    allowed = 720 * REQUESTS * ALLOWED
    assert found["objective"] == pytest.approx(0.99)
    assert found["left"] == pytest.approx(1 - (696 * FEW + 24 * MANY) / allowed)
    assert found["used"] == pytest.approx(24 * MANY / allowed)
    assert found["fastest"] == pytest.approx(MANY / REQUESTS / ALLOWED)
    assert found["kept"] == ""
    for words in ("<dd>99 % of the requests succeed</dd>", "45 %", "6.67 %", "2 times as fast as allowed"):
        assert words in text


def test_fewer_days_than_30_are_said(
    server: Prometheus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = run(server, tmp_path, FIRST + 6 * DAY, "report.md", monkeypatch).read_text("utf-8")
    assert json.loads(capsys.readouterr().out)["budget"]["left"] == pytest.approx(0.5)
    assert "- Left of 30 days: 50 % (6 of 30 days are kept)\n- Used in the window: " in text


def test_a_budget_that_is_not_recorded_is_one_sentence(
    server: Prometheus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = run(server, tmp_path, FIRST - DAY, "report.md", monkeypatch).read_text("utf-8")
    found = json.loads(capsys.readouterr().out)
    assert found["budget"] is None
    assert found["no_budget"] == f"Prometheus has no {error_budget.LEFT}: `bin/ops verify` says why."
    assert f"## Error budget\n\n{found['no_budget']}\n\n## " in text


def test_in_words(server: Prometheus) -> None:
    whole, young = error_budget.budget(server, END), error_budget.budget(server, FIRST + 90 * 60)
    assert whole and young
    words = "of the error budget of 30 days is left, at an objective of 99 %"
    assert error_budget.in_words(whole) == f"45 % {words}"
    assert error_budget.in_words(young).startswith(f"50 % {words}; ")
    assert young.kept == "2 full hours of 30 days are kept"
    overspent = error_budget.ErrorBudget(0.995, -0.64, 720)
    said = "the error budget of 30 days is overspent by 64 %, at an objective of 99.5 %"
    assert error_budget.in_words(overspent) == said
