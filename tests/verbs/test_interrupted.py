"""Ctrl-C: one line, exit code 130, and nothing that a verb has begun stays half-done."""

import fcntl
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from werkzeug import Request, Response

import rules
from ops import build_tools, targets
from ops.sandbox.lifecycle import Sandbox
from tests.support import past
from tests.support.breaking import relay
from tests.support.checkout import ROOT
from tests.support.stand_in import json_answer, stand_in
from tests.support.waiting import PATIENCE, until

UNCHANGED = "interrupted; nothing was changed"
BUILT_IS_KEPT = "interrupted; what was built is kept, run it again for the rest"
ALERT = next(name for name, alert in rules.alerts().items() if alert.is_house)


def interrupted(arguments: list[str], home: Path, begun: str, **environment: str) -> tuple[int, list[str]]:
    """The exit code and the lines of a verb that gets SIGINT once it has printed `begun`."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", *arguments],
        cwd=ROOT,
        env={**os.environ, "SANDBOX_HOME": str(home), "OPS_TARGET": "sandbox", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # as for a command in a terminal, whose whole group gets the signal
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip())
        if begun in line:
            os.killpg(process.pid, signal.SIGINT)
            break
    lines += [line.rstrip() for line in process.stdout]
    return process.wait(PATIENCE), lines


@pytest.mark.parametrize(
    ("arguments", "begun"),
    [
        (["backtest", "--window", "3d"], "replaying"),
        (["backtest", "--window", "3d", "--picture", "OUT/timeline.png"], "replaying"),
        (["report", "--out", "OUT/report.html"], "checking"),
        (["report", "--out", "OUT/report.html"], "drawing the panels"),
        (["report", "--out", "OUT/report.md"], "checking"),
        (["baseline", "--window", "1h", "--pictures", "OUT/pictures"], "reading"),
        (["baseline", "--window", "1h", "--pictures", "OUT/pictures"], "drawing"),
        (["tune", ALERT, "--dry-run"], "reading"),
    ],
)
def test_a_verb_that_has_written_nothing_says_so(
    sandbox: Sandbox, tmp_path: Path, arguments: list[str], begun: str
) -> None:
    before = names_in(sandbox.home)
    given = [word.replace("OUT", str(tmp_path)) for word in arguments]
    code, lines = interrupted(["ops", *given], sandbox.home, begun)
    assert (code, lines[-1]) == (130, UNCHANGED)
    readable(lines)
    assert not names_in(tmp_path)
    assert names_in(sandbox.home) == before


def names_in(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def readable(lines: list[str]) -> None:
    assert not [line for line in lines if "Traceback" in line or re.search(r"Error\b", line)]


def test_a_drill_that_is_interrupted_is_resolved(sandbox: Sandbox, target: targets.Target) -> None:
    with relay(sandbox, refuse_recipients=True):  # a mail that comes would end it
        code, lines = interrupted(["ops", "test-alert", "--timeout", "60"], sandbox.home, "waiting up to")
    assert code == 130, lines
    wanted = r"interrupted; the test alert \(drill \w+\) is resolved, and its mails may still come"
    assert re.fullmatch(wanted, lines[-1])
    readable(lines)
    until(lambda: not [one for one in target.alertmanager.alerts() if "drill" in one.labels])


def test_queries_that_are_not_answered_keep_nothing_waiting(tmp_path: Path) -> None:
    """The process has ended while Prometheus still computes."""
    asked, ended = threading.Event(), threading.Event()

    def answer(request: Request) -> Response:
        if request.path.endswith("/query_range"):
            asked.set()
            ended.wait(PATIENCE)
        return json_answer({"status": "success", "data": {"yaml": "global: {}", "groups": [], "result": []}})

    with stand_in(answer) as url:
        past.target(tmp_path, url)
        command = [sys.executable, "-m", "ops", "backtest"]
        environment = {**os.environ, "SANDBOX_HOME": str(tmp_path), "OPS_TARGET": "sandbox"}
        with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as process:
            assert asked.wait(PATIENCE)
            process.send_signal(signal.SIGINT)
            try:
                assert process.wait(PATIENCE / 2) == 130
            finally:
                ended.set()
            assert process.stderr is not None
            assert process.stderr.read().splitlines()[-1] == UNCHANGED


def test_a_command_in_the_sandboxs_shell_ends_as_it_wants_to(tmp_path: Path) -> None:
    """As a `pulumi up` that completes what it has begun: Python would kill it after a quarter of a second."""
    script = "trap 'sleep 1; echo ended; exit 7' INT; echo begun; while :; do sleep 0.1; done"
    (tmp_path / "in_the_shell.py").write_text(
        f"import sys\nfrom ops.verbs.sandbox import run_command\nsys.exit(run_command(['sh', '-c', {script!r}], {{}}))"
    )
    code, lines = interrupted(["in_the_shell"], tmp_path, "begun", PYTHONPATH=f"{tmp_path}:{ROOT}")
    assert (code, lines) == (7, ["begun", "ended"])


@pytest.fixture
def slow_go(tmp_path: Path) -> dict[str, str]:
    """An environment with an empty cache, in which a build never ends."""
    go = tmp_path / "bin" / "go"
    go.parent.mkdir()
    go.write_text("#!/bin/sh\nexec sleep 3600\n")
    go.chmod(0o755)
    return {"PATH": f"{go.parent}:/usr/bin:/bin", "XDG_CACHE_HOME": str(tmp_path / "cache")}


def test_a_build_that_is_interrupted_leaves_nothing(tmp_path: Path, slow_go: dict[str, str]) -> None:
    code, lines = interrupted(["ops.build_tools", "amtool"], tmp_path, "building", **slow_go)
    assert (code, lines[-1]) == (130, BUILT_IS_KEPT)
    readable(lines)
    cache = tmp_path / "cache" / "api-monitoring" / "tools"
    assert all(name.endswith(".lock") for name in names_in(cache))


def test_a_build_that_waits_for_another_one_can_be_interrupted(tmp_path: Path, slow_go: dict[str, str]) -> None:
    cache = tmp_path / "cache" / "api-monitoring" / "tools"
    cache.mkdir(parents=True)
    with (cache / f".{build_tools.get('amtool').folder}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, lines = interrupted(["ops.build_tools", "amtool"], tmp_path, "waiting for it", **slow_go)
    assert (code, lines[-1]) == (130, BUILT_IS_KEPT)
    readable(lines)


def test_before_a_verb_has_begun_it_only_ends(tmp_path: Path) -> None:
    """While Python still imports: there is nothing to say, and no traceback."""
    (tmp_path / "typer.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n", "utf-8")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    command = [sys.executable, "-P", "-m", "ops", "--help"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")
