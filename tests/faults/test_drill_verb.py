"""A drill on real servers, and the verb: what it lists, refuses, and leaves behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from ops import cli
from ops.faults import live_drill, scenario_files
from ops.faults.expectations import Happened
from ops.faults.stages import Stage
from tests.support.checkout import ROOT
from tests.support.waiting import PATIENCE, until

SCENARIOS = scenario_files.load()


def drill(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ops", "drill", *arguments],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def running_in(folder: Path) -> list[str]:
    """The command lines that name the folder."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = " ".join(process.info["cmdline"] or ())
        if str(folder) in words and process.pid != os.getpid():
            found.append(words)
    return found


def test_a_drill_says_what_fired_who_was_told_and_what_did_not_fire(tmp_path: Path) -> None:
    """How soon is not asked here: a loaded machine loses minutes of a clock that runs sixty times as fast."""
    lasts = 1500.0
    pool, absent = "DatabaseConnectionPoolUtilizationHigh", "APIMetricsAbsent"
    stages = (Stage(0.0, lasts, {"pool_exhausted": 0.97}),)
    scenario = replace(SCENARIOS["pool_exhaustion"], lasts=lasts, stages=stages, fires={pool: lasts, absent: lasts})
    said: list[str] = []
    done = live_drill.run(scenario, tmp_path, 60.0, said.append)
    assert done.happened.fired[pool] > 500, "its `for` is ten minutes of the clock"
    assert done.happened.mailed[pool] > done.happened.fired[pool]
    assert done.happened.receivers == {pool: ("database-warnings",)}
    assert done.wrong == (f"{absent} did not fire, though it should within 25 min",)
    assert any(line.startswith(f"  {pool} fires after ") for line in said)
    assert running_in(tmp_path) == []


@pytest.mark.parametrize("wrong", [(), ("APIErrorRateHigh did not fire, though it should within 6 min",)])
def test_the_exit_code_says_whether_all_was_as_it_should_be(
    wrong: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    happened = Happened({"APIErrorRateCritical": 180.0}, {"APIErrorRateCritical": ("api-critical",)})
    speeds = []

    def run(
        scenario: scenario_files.Scenario, home: Path, speed: float, say: Callable[[str], None]
    ) -> live_drill.Drill:
        assert home.is_dir()
        say("begins")
        speeds.append(speed)
        return live_drill.Drill(scenario, speed, happened, {}, wrong)

    monkeypatch.setattr(live_drill, "run", run)
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert cli.run(["drill", "error_burst", "--speed", "30", "--format", "json"]) == len(wrong)
        document = json.loads(capsys.readouterr().out)
        assert cli.run(["drill", "error_burst"]) == len(wrong)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (document["scenario"], document["speed"], document["wrong"]) == ("error_burst", 30.0, list(wrong))
    assert document["alerts"][0]["receivers"] == ["api-critical"]
    assert speeds == [30.0, live_drill.SPEED]
    said = capsys.readouterr().out
    assert said.startswith(
        "error_burst: two of five requests end in a server error, for 30 min at 60 times the speed\n"
    )
    assert ("All of it is as it should be." in said) == (not wrong)


def test_without_a_name_the_scenarios_are_listed(tmp_path: Path) -> None:
    done = drill(folder=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(SCENARIOS)
    assert next(line for line in lines if "one_of_three_dead" in line).endswith("; wakes nobody")
    listed = json.loads(drill("--format", "json", folder=tmp_path).stdout)
    assert listed["error_burst"] == {"what": SCENARIOS["error_burst"].what, "lasts_seconds": 1800.0}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("eror_burst",), "there is no scenario 'eror_burst' in ops/faults/scenarios/; did you mean error_burst?\n"),
        (("zzz",), "there is no scenario 'zzz' in ops/faults/scenarios/; there are all_instances_down, clock_skew, "),
        (("error_burst", "--speed", "1000"), "--speed is 1000; give a number from 1 to 120\n"),
    ],
)
def test_what_is_wrong_is_one_sentence(tmp_path: Path, arguments: tuple[str, ...], sentence: str) -> None:
    done = drill(*arguments, folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "ops", "drill", "error_burst"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        begin = time.monotonic()
        while "starting Prometheus" not in process.stderr.readline():
            assert process.poll() is None
            assert time.monotonic() - begin < PATIENCE
        until(
            lambda: [one for one in running_in(tmp_path) if "--storage.tsdb.path" in one], "Prometheus is not started"
        )
        process.send_signal(number)
        printed, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[number], said
    assert printed == ""
    assert "Traceback" not in said
    assert running_in(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
