"""A test run that is ended leaves no sandbox running: by SIGTERM or by force, alone or with workers."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import leftovers
from tests.support.checkout import ROOT
from tests.support.leftovers import running
from tests.support.waiting import until

# Tests that bring up their worker's sandbox, say what runs in it, and do not end by themselves.
HOLDS = """
import json, os, pathlib, time

def holds(sandbox):
    said = {name: process["pid"] for name, process in sandbox.state.processes.items()} | {"test process": os.getpid()}
    new = pathlib.Path(__file__).with_name(f"{os.getpid()}.new")
    new.write_text(json.dumps(said))
    new.rename(new.with_suffix(".json"))
    time.sleep(3600)

def test_one(sandbox): holds(sandbox)
def test_other(sandbox): holds(sandbox)
"""


@pytest.mark.parametrize(
    ("number", "workers"), [(signal.SIGTERM, 0), (signal.SIGTERM, 2), (signal.SIGKILL, 2)], ids=str
)
def test_a_run_that_is_ended_leaves_nothing_running(number: signal.Signals, workers: int, tmp_path: Path) -> None:
    (tmp_path / "test_holds.py").write_text(HOLDS)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.conftest",
        "-p",
        "no:cacheprovider",
        "--import-mode=importlib",
    ]
    with (tmp_path / "words").open("wb") as words:
        run = subprocess.Popen(
            [
                *command,
                "--rootdir",
                str(tmp_path),
                "--basetemp",
                str(tmp_path / "temporary"),
                "-n",
                str(workers),
                tmp_path,
            ],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=words,
            stderr=words,
        )

    def up() -> bool:
        assert run.poll() is None, (tmp_path / "words").read_text()
        return len(list(tmp_path.glob("*.json"))) == max(workers, 1)

    try:
        until(up, lambda: (tmp_path / "words").read_text())
        started = [pid for file in tmp_path.glob("*.json") for pid in json.loads(file.read_text()).values()]
        assert len(started) == 5 * max(workers, 1)
        assert all(map(running, started))
        run.send_signal(number)
        until(lambda: run.poll() is not None, "pytest goes on")
        assert run.returncode == (-number if number == signal.SIGKILL else pytest.ExitCode.INTERRUPTED)
        until(lambda: not any(map(running, started)), lambda: f"still running: {[*filter(running, started)]}")
    finally:
        run.kill()
        run.wait()


def test_only_what_has_the_mark_is_ended() -> None:
    """Also what ignores SIGTERM; a process whose mark only begins alike is left alone."""
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(3600)"

    def started(mark: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-c", deaf], env={**os.environ, leftovers.MARK: mark}, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
        return process

    with started("a") as ours, started("ab") as other:
        try:
            assert [process.pid for process in leftovers.marked(f"{leftovers.MARK}=a")] == [ours.pid]
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(leftovers, "GRACE", 0.5)
                leftovers.end(f"{leftovers.MARK}=a")
            assert ours.wait() == -signal.SIGKILL
            assert other.poll() is None
        finally:
            ours.kill()
            other.kill()
