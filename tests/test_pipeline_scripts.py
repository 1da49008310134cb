"""The scripts in .ci: the review whatever happens, how to go back, and drift by the real engine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ops.build_tools import pulumi
from tests.support import requires
from tests.support.checkout import ROOT

# What stands for the whole program: a resource for each of NAMES, which a test changes as somebody would the cluster.
PROGRAM = 'import os, pulumi\nfor name in os.environ["NAMES"].split():\n    pulumi.ComponentResource("x:y:Z", name)\n'


class Checkout:
    """A git checkout with the scripts and, in place of what they call, what a test gives."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment: dict[str, str] = {}
        shutil.copytree(ROOT / ".ci", root / ".ci")
        self.git("init", "--quiet")

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        path.chmod(0o755)

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=n", "-c", "user.email=n@example.org"]
        done = subprocess.run(["git", *identity, *arguments], cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self) -> str:
        self.git("add", ".")
        self.git("commit", "--quiet", "--allow-empty", "-m", "x")
        return self.git("rev-parse", "HEAD")

    def run(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        unwanted = ("GITHUB_STEP_SUMMARY", "PULUMI_STACK")
        environment = {name: value for name, value in os.environ.items() if name not in unwanted}
        environment |= self.environment | more
        return subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, check=False, timeout=300
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "checkout")


@pytest.mark.parametrize("code", [0, 1])
def test_the_review_is_also_the_summary_and_keeps_its_exit_status(
    checkout: Checkout, tmp_path: Path, code: int
) -> None:
    checkout.write("bin/ops", f'#!/bin/sh\necho "$@" >arguments\necho fine >"$5"\nexit {code}\n')
    summary = tmp_path / "summary"
    done = checkout.run(".ci/review", "origin/main", GITHUB_STEP_SUMMARY=str(summary))
    assert done.returncode == code
    assert (checkout.root / "arguments").read_text() == "review --base origin/main --out review.md\n"
    assert summary.read_text() == (checkout.root / "review.md").read_text() == "fine\n"


def test_a_review_that_failed_says_so_and_leaves_no_earlier_one(checkout: Checkout) -> None:
    checkout.write("review.md", "an earlier one\n")
    checkout.write("bin/ops", "#!/bin/sh\necho '```the cluster does not answer; is it there?' >&2\nexit 2\n")
    done = checkout.run(".ci/review", "origin/main")
    assert (done.returncode, done.stderr) == (2, "```the cluster does not answer; is it there?\n")
    written = (checkout.root / "review.md").read_text()
    assert written.startswith("**The review could not be made**, and nothing was written to the cluster.")
    assert written.endswith("\n\n    ```the cluster does not answer; is it there?\n"), "as it was said, not as Markdown"


@pytest.mark.parametrize("listed", [True, False])
def test_how_to_go_back_is_said_also_where_the_deployments_cannot_be_listed(
    checkout: Checkout, tmp_path: Path, listed: bool
) -> None:
    answer = "echo 2026-11-26 c0ffee succeeded" if listed else "echo no stack >&2; exit 2"
    checkout.write("bin/ops", f'#!/bin/sh\n[ "$*" = "rollback --list --target prod" ] || exit 9\n{answer}\n')
    summary = tmp_path / "summary"
    done = checkout.run(".ci/go-back", "prod", GITHUB_STEP_SUMMARY=str(summary))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == summary.read_text()
    assert "| `bin/ops rollback --target prod` |" in done.stdout
    last = "    2026-11-26 c0ffee succeeded\n" if listed else "    no stack\n    they could not be listed\n"
    assert done.stdout.endswith(last)


@pytest.fixture
def deployed(checkout: Checkout, tmp_path: Path) -> Checkout:
    """A checkout with a stack in the real engine, of which nothing is deployed yet."""
    requires.an_engine()
    engine = pulumi.find()
    for folder in ("state", "home"):
        (tmp_path / folder).mkdir()
    path = (engine.environment if engine else os.environ)["PATH"]
    checkout.environment = {
        **{"PATH": f"{Path(sys.executable).parent}{os.pathsep}{path}", "PULUMI_HOME": str(tmp_path / "home")},
        **{"PULUMI_BACKEND_URL": f"file://{tmp_path}/state?metadata=skip", "PULUMI_CONFIG_PASSPHRASE": "x"},
        **{"PULUMI_SKIP_UPDATE_CHECK": "true", "NAMES": "one", "PYTHONDONTWRITEBYTECODE": "1"},
    }
    checkout.write("Pulumi.yaml", "name: tried\nruntime: python\n")
    checkout.write("__main__.py", PROGRAM)
    checkout.write("Makefile", "setup-production:\n\t@echo set up\n")
    checkout.write(".gitignore", "/drift.*\n/Pulumi.*.yaml\n")
    checkout.commit()
    done = checkout.run("pulumi", "stack", "init", "prod")
    assert done.returncode == 0, done.stderr
    return checkout


def up(checkout: Checkout, **more: str) -> int:
    return checkout.run("pulumi", "up", "--yes", "--skip-preview", "--stack", "prod", **more).returncode


def drift(checkout: Checkout, **more: str) -> tuple[int, str, str | None]:
    """The exit status, what was said, and the report."""
    done = checkout.run(".ci/drift", "prod", **more)
    report = checkout.root / "drift.md"
    return done.returncode, done.stdout + done.stderr, report.read_text("utf-8") if report.exists() else None


def test_drift_is_looked_for_with_the_commit_that_is_deployed(deployed: Checkout) -> None:
    assert drift(deployed) == (0, "nothing is deployed, so nothing can differ\n", None)
    commit = deployed.commit()
    assert up(deployed) == 0
    deployed.write("__main__.py", PROGRAM + 'pulumi.ComponentResource("x:y:Z", "merged")\n')
    merged = deployed.commit()
    code, said, report = drift(deployed)
    assert (code, report) == (0, None), said
    assert deployed.git("rev-parse", "HEAD") == commit
    assert "set up\n" in said

    deployed.git("checkout", "--quiet", merged)
    code, said, report = drift(deployed, NAMES="one two")
    assert code == 0, said
    assert report is not None
    assert report.startswith(f"Stack prod, deployed from commit {commit}, does not run as deployed: ")
    assert "x:y:Z: (create)" in report
    assert "merged" not in report


def test_where_drift_cannot_be_looked_at_no_report_is_written(deployed: Checkout) -> None:
    assert up(deployed) == 0
    code, said, report = drift(deployed, PULUMI_CONFIG_PASSPHRASE="another")
    assert (code not in (0, 7), report) == (True, None), said
    shutil.rmtree(deployed.root / ".git")  # a clone that lacks the commit
    deployed.write("another", "history")
    deployed.git("init", "--quiet")
    deployed.commit()
    code, said, report = drift(deployed)
    assert (code, report) == (2, None)
    assert said.endswith(" is deployed, and this clone does not have it; push it, or deploy what is merged\n")


def test_a_deployment_that_is_no_commit_cannot_be_compared_with(deployed: Checkout) -> None:
    deployed.write("__main__.py", PROGRAM + "\n")
    assert up(deployed) == 0
    code, said, report = drift(deployed)
    assert (code, report) == (2, None)
    assert said == "drift cannot be looked at: the last deployment was no clean commit; deploy what is merged\n"
    deployed.write("__main__.py", "raise ValueError\n")
    assert up(deployed) != 0
    code, said, report = drift(deployed)
    assert (code, report) == (2, None)
    assert said.startswith("drift cannot be looked at: the last deployment did not succeed; ")
