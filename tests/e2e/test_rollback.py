"""Back to the commit before, by the verb, on a stack whose history the engine wrote."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

import rules
from tests.e2e.rig import Rig
from tests.support.limits import changed, other
from tests.support.waiting import PATIENCE


def git(rig: Rig, *arguments: str) -> None:
    named = ["-c", "user.name=e2e", "-c", "user.email=e2e@example.org"]
    subprocess.run(["git", *named, *arguments], cwd=rig.program, check=True, capture_output=True)


@pytest.fixture
def repository(rig: Rig) -> Iterator[Rig]:
    """The program's copy as a git repository with one commit."""
    git(rig, "init", "-q")
    (rig.program / ".git" / "info" / "exclude").write_text(".venv\n", encoding="utf-8")
    git(rig, "add", "-A")
    git(rig, "commit", "-q", "-m", "As it was")
    yield rig
    shutil.rmtree(rig.program / ".git")


@pytest.mark.core
def test_a_rollback_deploys_the_commit_before(repository: Rig) -> None:
    rig = repository
    alert = rules.alerts()["APIP95LatencyHigh"]
    file = f"rules/{alert.file.name}"

    def running() -> str:
        groups = rig.sandbox.prometheus.rules()
        return next(rule.query for group in groups for rule in group.rules if rule.name == alert.name)

    rig.up()
    before = running()
    text = (rig.program / file).read_text("utf-8")
    (rig.program / file).write_text(changed(alert, other(alert))(text), encoding="utf-8")
    git(rig, "commit", "-q", "-a", "-m", "Raise a limit")
    rig.up()
    assert running() != before

    done = subprocess.run(
        [sys.executable, "-m", "ops", "rollback", "--target", "sandbox", "--yes"],
        cwd=rig.program,
        env={**os.environ, "SANDBOX_HOME": str(rig.sandbox.home)},
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )
    print(done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert running() == before
    assert done.returncode in (0, 1)  # 1: `verify` has findings, as the sandbox has no past here
