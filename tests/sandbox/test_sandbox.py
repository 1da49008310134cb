"""The sandbox by its command line: up, watched, broken, mended and down; every process a real one."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ops.sandbox import processes
from ops.sandbox.lifecycle import Sandbox
from tests.sandbox.own_sandbox import ops
from tests.support.checkout import ROOT
from tests.support.leftovers import running
from tests.support.waiting import PATIENCE, until


def pids(box: Sandbox) -> list[int]:
    state = box.state
    assert state is not None
    return [process["pid"] for process in state.processes.values()]


def test_a_second_up_deploys_what_the_checkout_says_and_says_where_it_runs(own: Sandbox) -> None:
    before = own.state
    assert before is not None
    done = ops("sandbox", "up", "--no-engine", "--no-verify", home=own.home)
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "the sandbox is running already; deploying to it what this checkout says",
        "writing the declared files to disk, as there is no engine",
    ]
    shell = ops("sandbox", "shell", "pulumi", "preview", home=own.home)
    assert shell.returncode == 2
    assert shell.stderr.startswith("this sandbox has no Pulumi engine, so it has no history; stop it")
    assert before.prometheus_url in done.stdout
    assert own.state == before
    other = ops("sandbox", "up", "--no-engine", "--no-verify", "--port", "prometheus=1", home=own.home)
    assert other.returncode == 2
    assert (
        other.stderr
        == "the sandbox runs already, on other ports than prometheus=1; stop it first with make sandbox-down\n"
    )


def test_what_was_killed_is_named_and_started_again_where_it_was(own: Sandbox) -> None:
    before = own.state
    assert before is not None
    own.stop("prometheus", kill=True)
    done = ops("sandbox", "status", home=own.home)
    assert done.returncode == 1
    assert f"prometheus has ended; its log: {before.processes['prometheus']['log']}" in done.stdout
    done = ops("sandbox", "up", "--no-engine", "--no-verify", home=own.home)
    assert done.returncode == 0
    assert done.stderr.splitlines()[0] == "the sandbox was up, but prometheus had ended; starting that again"
    assert own.state is not None
    assert own.state.prometheus_url == before.prometheus_url
    assert own.prometheus.ready()


def test_down_leaves_no_process_and_is_not_upset_by_a_second_one(own: Sandbox) -> None:
    every = pids(own)
    assert len(every) == 4
    assert all(map(running, every))
    done = ops("sandbox", "down", home=own.home)
    assert done.returncode == 0
    assert done.stdout == "Stopped alertmanager, application, mail-sink, prometheus.\n"
    assert not any(map(running, every))
    again = ops("sandbox", "down", home=own.home)
    assert (again.returncode, again.stdout) == (0, "No sandbox was running.\n")
    assert own.state is None
    gone = ops("sandbox", "status", home=own.home)
    assert (gone.returncode, gone.stderr) == (2, "the sandbox is not running; start it with make sandbox\n")


def stand_in(folder: Path, does: str) -> str:
    """A PATH with an Alertmanager that only does this."""
    program = folder / "bin" / "alertmanager"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\n[ "$1" = --version ] && {{ echo version 9.9.9; exit; }}\n{does}\n')
    program.chmod(0o755)
    return f"{program.parent}:{os.environ['PATH']}"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_up_that_is_cut_off_leaves_nothing_that_down_does_not_find(number: signal.Signals, tmp_path: Path) -> None:
    home = tmp_path / "home"
    command = [sys.executable, "-m", "ops", "sandbox", "up", "--no-engine", "--history", "0"]
    environment = {**os.environ, "SANDBOX_HOME": str(home), "PATH": stand_in(tmp_path, "exec sleep 3600")}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as up:
        until(lambda: len(list((home / "run").glob("*.json"))) == 4)  # it waits for an Alertmanager that never is ready
        up.send_signal(signal.SIGSTOP)  # nor does it give up while it is looked at
        meanwhile = ops("sandbox", "up", "--no-engine", home=home)
        up.send_signal(number)
        up.send_signal(signal.SIGCONT)
        _, said = up.communicate(timeout=PATIENCE)
    assert meanwhile.returncode == 2
    assert (
        meanwhile.stderr == f"the sandbox in {home} is being started or stopped by another command; try again later\n"
    )
    assert "Traceback" not in said
    if number == signal.SIGINT:
        assert (up.returncode, said.splitlines()[-1]) == (130, "interrupted; what was started is stopped")
    every = processes.recorded(home / "run")
    stopped = Sandbox(home).down()
    assert stopped == (sorted(every) if number == signal.SIGKILL else [])
    assert not any(child.alive for child in every.values())


def test_a_port_that_is_taken_is_one_sentence_and_nothing_runs(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = ops("sandbox", "up", "--no-engine", "--port", f"alertmanager={port}", home=tmp_path / "home")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"port {port}, wanted for alertmanager, is taken (Address already in use): stop the")
    assert Sandbox(tmp_path / "home").down() == []


def test_a_server_that_dies_at_its_start_names_its_log_and_nothing_is_left(tmp_path: Path) -> None:
    home = tmp_path / "home"
    path = stand_in(tmp_path, "echo 'level=error msg=no'; exit 1")
    done = ops("sandbox", "up", "--no-engine", "--history", "0", home=home, PATH=path)
    assert done.returncode == 2
    sentence = done.stderr.splitlines()[-1]
    log = home / "run" / "alertmanager.log"
    assert sentence == f"alertmanager ended right after its start: level=error msg=no (all of it in {log})"
    assert Sandbox(home).down() == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--history", "soon"), "--history soon is no duration up to 21 d; give one such as 2h or 30m, or 0\n"),
        (("--port", "prometheus"), "--port prometheus is not NAME=NUMBER, such as prometheus=9090\n"),
        (("--port", "x=1"), "the sandbox has no port 'x'; it has application, mail, smtp, "),
    ],
)
def test_a_wrong_command_line_is_one_sentence(arguments: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    done = ops("sandbox", "up", "--no-engine", *arguments, home=tmp_path / "home")
    assert done.returncode == 2
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1


def test_somebody_elses_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    done = ops("sandbox", "up", "--no-engine", home=tmp_path)
    assert done.returncode == 2
    assert done.stderr == f"{tmp_path} is not empty and is no sandbox's folder; set SANDBOX_HOME to another one\n"
    assert [file.name for file in tmp_path.iterdir()] == ["data"]
