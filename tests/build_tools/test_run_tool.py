"""`python -m ops.build_tools.run_tool`: the tool's output and exit code are the command's own."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.checkout import ROOT


def run(*arguments: str, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ops.build_tools.run_tool", *arguments]
    environment = os.environ | {"PATH": path}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_the_tool_gets_the_arguments_and_gives_its_exit_code(tmp_path: Path) -> None:
    program = tmp_path / "actionlint"
    program.write_text('#!/bin/sh\n[ "$1" = --version ] && echo 99.0.0 && exit\necho "$2"\nexit 7\n')
    program.chmod(0o755)
    done = run("actionlint", "-a", "two words", path=f"{tmp_path}:{os.environ['PATH']}")
    assert (done.returncode, done.stdout, done.stderr) == (7, "two words\n", "")


def test_a_tool_that_there_is_not_is_one_sentence() -> None:
    done = run("nonsense")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("there is no tool 'nonsense'; known are actionlint, ")


def test_without_a_name_it_asks_for_one() -> None:
    done = run()
    assert (done.returncode, done.stderr) == (2, "name a tool: python -m ops.build_tools.run_tool NAME …\n")
