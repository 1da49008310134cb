"""Children: started apart, watched, found again, stopped without remains, and never somebody else's."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ops.sandbox import ports, processes
from ops.sandbox.processes import Child
from ops.sandbox.sandbox_errors import PortTaken, SandboxError
from tests.support.checkout import ROOT
from tests.support.leftovers import running
from tests.support.waiting import PATIENCE, until

SLEEPER = "import time; print('here', flush=True); time.sleep(3600)"
# Says its child's pid as soon as that one ignores SIGTERM too.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(3600)"
child = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(3600)
"""

# Says its child's pid, and never waits for it; the child ends with their common stdin.
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"])
print(child.pid, flush=True)
time.sleep(3600)
"""


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "run"
    processes.stop(tmp_path / "run", grace=0.2)


def started(run: Path, code: str, name: str = "child") -> Child:
    return processes.start(run, name, [sys.executable, "-c", code])


def said(child: Child) -> str:
    return until(lambda: Path(child.log).read_text("utf-8"), f"{child.name} said nothing")


def test_a_child_lives_in_a_session_of_its_own_and_is_found_again(run: Path) -> None:
    child = started(run, SLEEPER)
    processes.wait_ready(child, lambda: "here" in said(child), seconds=PATIENCE)
    assert child.alive
    assert os.getsid(child.pid) == child.pid
    assert processes.recorded(run) == {"child": child}
    assert processes.stop(run) == ["child"]
    assert not child.alive
    assert not running(child.pid)
    assert processes.recorded(run) == {}
    assert processes.stop(run) == []


@pytest.mark.parametrize(
    ("code", "telling"),
    [
        ("print('level=error msg=\"bad config\"'); print('bye'); raise SystemExit(3)", 'level=error msg="bad config"'),
        ("raise RuntimeError('no disk')", "RuntimeError: no disk"),
        ("print('only this')", "only this"),
        ("pass", "its log is empty"),
    ],
)
def test_a_child_that_dies_names_its_log_and_its_telling_line(run: Path, code: str, telling: str) -> None:
    child = started(run, code)
    with pytest.raises(SandboxError) as error:
        processes.wait_ready(child, lambda: False, seconds=PATIENCE)
    assert str(error.value) == f"child ended right after its start: {telling} (all of it in {run / 'child.log'})"


def test_a_child_that_finds_its_port_taken_is_told_apart(run: Path) -> None:
    child = started(run, "raise OSError('listen tcp 127.0.0.1:9090: bind: address already in use')")
    with pytest.raises(PortTaken, match="address already in use"):
        processes.wait_ready(child, lambda: False, seconds=PATIENCE)


def test_a_child_that_is_never_ready_is_not_waited_for_for_ever(run: Path) -> None:
    child = started(run, SLEEPER)
    said(child)
    with pytest.raises(SandboxError, match=r"^child is not ready after 0 s: here \(all of it in .*child\.log\)$"):
        processes.wait_ready(child, lambda: False, seconds=0.3)


def test_a_program_that_is_not_there(run: Path) -> None:
    with pytest.raises(SandboxError, match=r"^child could not be started: /no/such: No such file or directory$"):
        processes.start(run, "child", ["/no/such"])


def test_one_that_ignores_sigterm_is_killed_with_its_own_children(run: Path) -> None:
    child = started(run, STUBBORN)
    grandchild = int(said(child))
    assert processes.stop(run, grace=0.3) == ["child"]
    assert not child.alive
    until(lambda: not running(grandchild), f"its child (pid {grandchild}) did not end")


def test_a_pid_that_belongs_to_somebody_else_by_now_is_left_alone(run: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=subprocess.DEVNULL, start_new_session=True) as other:
        try:
            run.mkdir()
            record = {"name": "child", "pid": other.pid, "started": "1", "log": str(run / "child.log")}
            (run / "child.json").write_text(json.dumps(record))
            assert processes.stop(run) == []
            assert other.poll() is None
        finally:
            other.send_signal(signal.SIGKILL)


def test_it_is_found_again_by_another_run_of_the_program(run: Path) -> None:
    child = started(run, SLEEPER)
    script = "import pathlib, sys; from ops.sandbox import processes as p; print(p.recorded(pathlib.Path(sys.argv[1])))"
    found = subprocess.run(
        [sys.executable, "-c", f"{script}; print(p.stop(pathlib.Path(sys.argv[1])))", run],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.splitlines() == [str({"child": child}), "['child']"]
    assert not child.alive


def test_a_clock_that_was_set_changes_nothing(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = started(run, SLEEPER)
    before = psutil.Process(child.pid).create_time()
    later = psutil.boot_time() + 3600
    monkeypatch.setattr("psutil._psplatform.boot_time", lambda: later)
    assert psutil.Process(child.pid).create_time() == pytest.approx(before + 3600)
    assert child.alive


def test_a_zombie_of_another_process_is_not_alive(run: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        child = Child("child", pid, processes._identity(pid), str(run / "child.log"))
        assert child.alive
        parent.stdin.close()  # now its child ends, and it does not wait for it
        until(lambda: not child.alive, "the zombie counts as alive")
        assert psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        parent.kill()


def test_what_has_ended_can_stay_on_record(run: Path) -> None:
    child = started(run, SLEEPER)
    assert processes.stop(run, ["child"], keep_record=True) == ["child"]
    assert list(processes.recorded(run)) == ["child"]
    assert not child.alive


def test_a_damaged_record_is_named(run: Path) -> None:
    run.mkdir()
    (run / "child.json").write_text("{")
    with pytest.raises(SandboxError, match=r"child\.json is damaged"):
        processes.recorded(run)
    (run / "child.json").unlink()


def test_free_ports_differ_and_fixed_ones_are_kept() -> None:
    found = ports.choose(["a", "b", "c"], {})
    assert len(set(found.values())) == 3
    assert ports.choose(["a", "b"], {"b": found["b"]})["b"] == found["b"]


def test_a_port_that_is_taken_or_unknown() -> None:
    import socket

    with socket.socket() as other:
        other.bind((ports.HOST, 0))
        other.listen()
        taken = other.getsockname()[1]
        assert ports.answers(taken)
        with pytest.raises(
            PortTaken, match=rf"^port {taken}, wanted for prometheus, is taken \(Address already in use\)"
        ):
            ports.choose(["prometheus"], {"prometheus": taken})
    with pytest.raises(SandboxError, match="the sandbox has no port 'x'; it has prometheus"):
        ports.choose(["prometheus"], {"x": 1})
