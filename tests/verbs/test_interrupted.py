"""Ctrl-C: one line, exit code 130, and nothing that a verb has begun stays half-done."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ops import targets
from ops.sandbox.lifecycle import Sandbox
from tests.support.breaking import relay
from tests.support.checkout import ROOT
from tests.support.waiting import PATIENCE, until

SAID = "interrupted; nothing more was done"


def interrupted(arguments: list[str], home: Path, begun: str) -> tuple[int, list[str]]:
    """The exit code and the lines of a verb that gets SIGINT once it has printed `begun`."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "ops", *arguments, "--target", "sandbox"],
        cwd=ROOT,
        env={**os.environ, "SANDBOX_HOME": str(home)},
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
        (["test-alert", "--timeout", "60"], "waiting up to"),
    ],
    ids=["backtest", "test-alert"],
)
def test_a_verb_says_so_in_one_line(sandbox: Sandbox, target: targets.Target, arguments: list[str], begun: str) -> None:
    with relay(sandbox, refuse_recipients=True):  # a mail that comes would end it
        code, lines = interrupted(arguments, sandbox.home, begun)
    assert code == 130, lines
    assert lines[-1] == SAID
    assert not [line for line in lines if "Traceback" in line or "Error" in line]
    # The alert of a drill is resolved.
    until(lambda: not [one for one in target.alertmanager.alerts() if "drill" in one.labels])


def test_before_a_verb_has_begun_it_only_ends(tmp_path: Path) -> None:
    """While Python still imports: there is nothing to say, and no traceback."""
    (tmp_path / "typer.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n", "utf-8")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    command = [sys.executable, "-P", "-m", "ops", "--help"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")
