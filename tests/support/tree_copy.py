"""A copy of the tree in which a test makes a change, and then runs the tests that the change concerns."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from tests.support.waiting import PATIENCE


@dataclass(frozen=True)
class Copy:
    """The tree as it stands, in a repository of its own that may be written to."""

    folder: Path

    def run(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """`python -m …` in it, with `given` on its standard input."""
        environment = {**os.environ, "COLUMNS": "160", "SANDBOX_HOME": str(self.folder / ".sandbox")}
        environment.pop("PYTEST_XDIST_WORKER", None)
        environment.pop("E2E", None)  # that end-to-end tests have to run is asked of the whole run, not of this one
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=self.folder,
            env=environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=5 * PATIENCE,
            check=False,
        )

    def tests(self, *chosen: str) -> subprocess.CompletedProcess[str]:
        return self.run("pytest", "-p", "no:cacheprovider", "-n", "0", *chosen)

    def passes(self, *chosen: str) -> None:
        done = self.tests(*chosen)
        assert done.returncode == 0, done.stdout + done.stderr

    def succeeds(self, *arguments: str, given: str = "") -> str:
        done = self.run(*arguments, given=given)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def changed(self) -> set[str]:
        """The files that were changed or added."""
        status = git(self.folder, "status", "--porcelain", "--untracked-files=all")
        return {line[3:] for line in status.splitlines()}

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text("utf-8")
        assert text.count(old) == 1, f"{name} has {text.count(old)} times {old!r}"
        (self.folder / name).write_text(text.replace(old, new), "utf-8")


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=test", "-c", "user.email=test@example.org", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def failures(done: subprocess.CompletedProcess[str]) -> set[str]:
    """The tests that failed, without their parameters."""
    return set(re.findall(r"^FAILED ([^\s\[]+)", done.stdout, re.MULTILINE))


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """The tree as it stands, committed."""
    folder = tmp_path / "copy"
    for name in git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if name and (ROOT / name).is_file() and not (ROOT / name).is_symlink():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "as it stands")
    return Copy(folder)
