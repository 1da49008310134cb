"""The verb `review` in a copy of the tree: against git, with and without the sandbox's Prometheus."""

import json
import os
import subprocess
import sys
from pathlib import Path

import rules
from ops.sandbox.lifecycle import Sandbox
from tests.review.reviewed import ALERT
from tests.support.limits import changed, other
from tests.support.tree_copy import Copy, copy, git
from tests.support.waiting import PATIENCE

__all__ = ["copy"]
FILE = f"rules/{ALERT.file.name}"


def another_limit(copy: Copy) -> None:
    path = copy.folder / FILE
    path.write_text(changed(ALERT, other(ALERT))(path.read_text("utf-8")), "utf-8")


def review(copy: Copy, *arguments: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ops", "review", *arguments],
        cwd=copy.folder,
        env={**os.environ, "SANDBOX_HOME": str(home or copy.folder / ".sandbox"), "COLUMNS": "160"},
        capture_output=True,
        text=True,
        timeout=5 * PATIENCE,
        check=False,
    )


def test_a_fork_without_secrets_gets_what_can_be_said(copy: Copy) -> None:
    another_limit(copy)
    done = review(copy, "--base", "HEAD", "--no-preview")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "## ✅ 1 alert changes"
    assert [line for line in lines if line.startswith(f"- **{ALERT.name}**: limit ")]
    assert "There is no preview: --no-preview was given." in lines


def test_only_the_branchs_own_changes_are_reviewed(copy: Copy) -> None:
    """What others have merged since is no change of this branch."""
    git(copy.folder, "branch", "-M", "main")
    git(copy.folder, "switch", "-q", "-c", "mine")
    another_limit(copy)
    git(copy.folder, "commit", "-qam", "another limit")
    git(copy.folder, "switch", "-q", "main")
    gone = next(name for name in rules.alerts() if name != ALERT.name)
    path = copy.folder / FILE
    path.write_text(path.read_text("utf-8").replace(f"alert: {gone}\n", "alert: ByOthers\n"), "utf-8")
    git(copy.folder, "commit", "-qam", "of others")
    git(copy.folder, "switch", "-q", "mine")
    done = review(copy, "--base", "main", "--no-preview", "--format", "json")
    found = json.loads(done.stdout)
    assert [one["alert"] for one in found["alerts"]] == [ALERT.name]
    assert found["preview"] is None
    assert found["verdict"].startswith("1 alert changes")


def test_what_a_new_alert_lacks_is_named(copy: Copy) -> None:
    path = copy.folder / FILE
    text = path.read_text("utf-8")
    begin = text.index(f"      - alert: {ALERT.name}\n")
    end = text.index("      - alert: ", begin + 1)
    path.write_text(text[:end] + text[begin:end].replace(ALERT.name, "APISomethingElse") + text[end:], "utf-8")
    out = copy.folder / "review.md"
    done = review(copy, "--base", "HEAD", "--no-preview", "--out", str(out))
    assert done.returncode == 0, done.stderr
    text = out.read_text("utf-8")
    assert "- **APISomethingElse**: new: " in text
    assert "- APISomethingElse has no runbook: write docs/runbooks/APISomethingElse.md" in text
    assert "- APISomethingElse has no scenario: write tests/rules/APISomethingElse.test.yml" in text
    assert "2 things are missing" in done.stderr


def test_mistakes_are_one_sentence(copy: Copy, tmp_path: Path) -> None:
    for arguments, words in (
        (["--base", "nowhere"], "there is no revision 'nowhere' in git here"),
        (["--base", "HEAD", "--window", "week"], "week"),
        (["--base", "HEAD", "--target", "nowhere"], "there is no target 'nowhere'"),
        (["--base", "HEAD", "--out", str(tmp_path)], "is not a file"),
        (["--base", "HEAD", "--picture", "timeline.gif"], "neither a .png nor a .svg"),
    ):
        done = review(copy, *arguments)
        assert done.returncode == 2, done.stdout
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_it_is_replayed_with_the_prometheus_of_the_target(copy: Copy, sandbox: Sandbox, tmp_path: Path) -> None:
    """The sandbox here has no engine: so there is no preview, and all else."""
    another_limit(copy)
    picture = tmp_path / "timeline.svg"
    arguments = ["--base", "HEAD", "--target", "sandbox", "--window", "30m", "--picture", str(picture)]
    done = review(copy, *arguments, home=sandbox.home)
    assert done.returncode == 0, done.stderr
    assert f"- **{ALERT.name}**: limit " in done.stdout
    assert " in 30 min" in done.stdout
    assert "Computed over 20" in done.stdout
    assert "There is no preview: this sandbox has no Pulumi engine" in done.stdout
    assert f"]({picture})" in done.stdout
    assert picture.read_text("utf-8").startswith("<?xml")
