"""The command line as a person meets it: what it prints where, and its exit code; never a traceback."""

import importlib
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.cli import VERBS
from ops.verbs import diagnose as diagnose
from tests.support.checkout import ROOT
from tests.support.waiting import PATIENCE


def ops(*arguments: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`bin/ops …` with no sandbox and no cluster of this machine's in sight."""
    return subprocess.run(
        [sys.executable, "-m", "ops", *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "SANDBOX_HOME": str(home / "sandbox"),
            "KUBECONFIG": str(home / "kubeconfig"),
            "COLUMNS": "200",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """What it says when it cannot: one line on stderr, nothing on stdout."""
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.splitlines()
    return line


def test_the_help_lists_every_verb_with_what_it_does(tmp_path: Path) -> None:
    done = ops("--help", home=tmp_path)
    assert done.returncode == 0
    for verb in VERBS:
        (line,) = [line for line in done.stdout.splitlines() if line.startswith(f"│ {verb} ")]
        assert len(line.split()) > 5


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str, tmp_path: Path) -> None:
    done = ops(verb, "--help", home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"Usage: bin/ops {verb}" in done.stdout


def test_no_verb_shows_the_help(tmp_path: Path) -> None:
    done = ops(home=tmp_path)
    assert done.returncode == 2
    assert "verify" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["verfy"], "No such command 'verfy'"),
        (["verify", "--colour"], "No such option"),
        (["verify", "--format", "xml"], "'xml' is not one of 'text', 'json'"),
        (["render"], "Missing option '--out'"),
    ],
)
def test_a_wrong_command_line_is_one_line_that_names_the_help(arguments: list[str], said: str, tmp_path: Path) -> None:
    done = ops(*arguments, home=tmp_path)
    assert done.returncode == 2
    line = sentence(done)
    assert said in line
    assert line.endswith(" --help`")


@pytest.mark.parametrize("verb", ["verify", "test-alert"])
def test_a_sandbox_that_does_not_run(verb: str, tmp_path: Path) -> None:
    done = ops(verb, "--target", "sandbox", home=tmp_path)
    assert done.returncode == 2
    assert sentence(done) == "the sandbox is not running; start it with make sandbox"


def test_a_target_that_there_is_not(tmp_path: Path) -> None:
    done = ops("verify", "--target", "nowhere", home=tmp_path)
    assert done.returncode == 2
    stacks = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))
    assert sentence(done) == (
        f"there is no target 'nowhere': Pulumi.nowhere.yaml does not exist; use sandbox or {' or '.join(stacks)}"
    )


# `sandbox` and `drill` have servers of their own, and `diagnose` has verbs below it.
@pytest.mark.parametrize("verb", sorted(set(VERBS) - {"diagnose", "drill", "sandbox"}))
def test_every_verb_is_about_production_unless_told_otherwise(verb: str) -> None:
    command = importlib.import_module(VERBS[verb].partition(":")[0])
    function = getattr(command, VERBS[verb].partition(":")[2])
    assert inspect.signature(function).parameters["target"].default == "prod"


@pytest.mark.parametrize("tree", [diagnose.alerts, diagnose.dashboard, diagnose.volume])
def test_every_tree_of_diagnose_too(tree: Callable[..., None]) -> None:
    assert inspect.signature(tree).parameters["target"].default == "prod"


def test_a_cluster_that_cannot_be_found(tmp_path: Path) -> None:
    done = ops("verify", "--target", "prod", home=tmp_path)
    assert done.returncode == 2
    assert sentence(done) == (
        f"kubeconfig {tmp_path / 'kubeconfig'} does not exist; set KUBECONFIG, or kubeconfig in the stack's settings"
    )


def test_servers_that_do_not_answer_are_not_called_bad(tmp_path: Path) -> None:
    """Exit 2, not 1: nothing could be looked at; and whoever reads JSON still gets the lines."""
    nobody = "http://127.0.0.1:9"
    state = {f"{name}_url": nobody for name in ("prometheus", "alertmanager", "application", "mail")}
    (tmp_path / "sandbox").mkdir()
    (tmp_path / "sandbox" / "state.json").write_text(json.dumps(state))
    done = ops("verify", "--target", "sandbox", "--format", "json", home=tmp_path)
    assert done.returncode == 2
    answer = json.loads(done.stdout)
    assert list(answer) == ["target", "checks", "passed", "failed", "skipped"]
    details = {check["name"]: (check["status"], check["detail"]) for check in answer["checks"]}
    assert details["prometheus"] == (
        "fail",
        "Prometheus at http://127.0.0.1:9 cannot be reached (Connection refused); "
        "is the sandbox running? make sandbox starts it",
    )
    assert details["rules"] == ("skip", "not checked, as prometheus did not answer")
    assert details["routing"] == ("skip", "not checked, as alertmanager did not answer")
    assert answer["failed"] == len([line for line in answer["checks"] if line["status"] == "fail"]) == 3


def test_a_damaged_state_says_how_to_start_afresh(tmp_path: Path) -> None:
    (tmp_path / "sandbox").mkdir()
    (tmp_path / "sandbox" / "state.json").write_text("{")
    done = ops("verify", "--target", "sandbox", home=tmp_path)
    assert done.returncode == 2
    assert "is damaged; stop the sandbox with make sandbox-down" in sentence(done)


def test_a_reader_that_goes_away_is_no_error() -> None:
    done = subprocess.run(
        [f"'{sys.executable}' -m ops --help | true"], shell=True, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""


def test_a_mistake_of_ours_is_called_one() -> None:
    """A verb that cannot be loaded: still one sentence, and how to get at the traceback."""
    script = (
        "from ops import cli; cli.VERBS['render'] = 'ops.stack.manifests:absent'; raise SystemExit(cli.run(['render']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 2
    line = sentence(done)
    assert line.startswith("this is a bug in the program, not a fault of the target: AttributeError at cli.py:")
    assert line.endswith("repeat it with OPS_TRACEBACK=1 and report what it prints")


@pytest.mark.parametrize(
    "locale",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=lambda locale: " ".join(f"{name}={value}" for name, value in locale.items()),
)
def test_any_locale_will_do(locale: dict[str, str], tmp_path: Path) -> None:
    shown = ops("--help", home=tmp_path, **locale)
    assert shown.returncode == 0, shown.stderr
    assert "│ verify " in shown.stdout
    rendered = ops("render", "--dry-run", "--format", "json", "--out", str(tmp_path / "☂"), home=tmp_path, **locale)
    assert rendered.returncode == 0, rendered.stderr
    assert json.loads(rendered.stdout)["written"] is False
    refused = ops("verify", "--target", "☂", home=tmp_path, **locale)
    assert refused.returncode == 2
    assert sentence(refused).startswith("there is no target '")
