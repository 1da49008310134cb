"""Commits in temporary git worktrees, so that the engine can run them while the checkout stays as it is."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ops.errors import Misconfigured
from ops.repo.files import ROOT

KEPT = "dashboards/limits-kept.json"  # where it stands, the program leaves the limits in the dashboard as they are

# The data files of each part; the code that reads them is not part of it.
PARTS = {
    "rules": ("rules/*.yml",),
    "routing": ("routing/*.yml",),
    "dashboard": ("dashboards/*.json",),  # with KEPT
}


def git(*arguments: str, folder: Path | None = None) -> str:
    """What git prints. Raises Misconfigured, with git's last line, where it fails."""
    try:
        done = subprocess.run(["git", *arguments], cwd=folder or ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise Misconfigured("git is not on PATH; install it, as a rollback needs it") from None
    if done.returncode:
        words = (done.stderr.strip().splitlines() or ["no message"])[-1].removeprefix("fatal: ")
        raise Misconfigured(f"git {arguments[0]} failed: {words}")
    return done.stdout.strip()


def resolve(revision: str) -> str:
    """The full hash of a commit, by any name that git knows. Raises Misconfigured where this clone has none."""
    try:
        return git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except Misconfigured:
        raise Misconfigured(
            f"there is no commit {revision} in this clone; run `git fetch`, or see `rollback --list`"
        ) from None


def subject(commit: str) -> str | None:
    """The first line of a commit's message; None where this clone does not have it."""
    try:
        return git("log", "-1", "--format=%s", "--end-of-options", commit)
    except Misconfigured:
        return None


@contextmanager
def checked_out(commit: str, *, stack_file: str) -> Iterator[Path]:
    """`commit` in a temporary worktree, with links to what the engine needs and git lacks. Raises Misconfigured."""
    with tempfile.TemporaryDirectory(prefix="rollback-") as parent:
        folder = Path(parent) / "worktree"
        try:
            git("worktree", "add", "--detach", "--quiet", str(folder), commit)
            # A relative virtualenv and an uncommitted stack file are missing in a worktree.
            for name in (".venv", stack_file):
                if (ROOT / name).exists() and not (folder / name).exists():
                    (folder / name).symlink_to(ROOT / name)
            yield folder
        finally:
            _remove(folder)


def _remove(folder: Path) -> None:
    """Remove a worktree; also one whose making was interrupted, which git refuses to remove."""
    try:
        git("worktree", "remove", "--force", "--force", str(folder))
    except Misconfigured:
        shutil.rmtree(folder, ignore_errors=True)
        git("worktree", "prune")


def with_part(folder: Path, part: str, commit: str) -> str:
    """In the worktree `folder`, take the files of `part` from `commit`, and commit that on a branch; returns its name.

    With a commit, what runs can be read, merged and rolled back to. Raises Misconfigured. Of the rules: the
    dashboard keeps its limits, which the program would draw anew from the rules.
    """
    kept = _keep_limits(folder) if part == "rules" else ()
    patterns = [f":(glob){pattern}" for pattern in PARTS[part]]
    if git("ls-files", "--", *patterns, folder=folder):
        git("rm", "-q", "--", *patterns, folder=folder)
    git("checkout", "-q", commit, "--", *patterns, folder=folder)
    if not git("status", "--porcelain", "--untracked-files=no", "--", *patterns, folder=folder):
        raise Misconfigured(f"the {part} of {commit[:10]} is deployed already; choose another commit or part")
    branch = f"rollback/{part}-{commit[:10]}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    try:
        git("switch", "-q", "-c", branch, folder=folder)
        if kept:
            git("add", "--", *kept, folder=folder)
        git("commit", "-q", "-m", f"Bring back the {part} of {commit[:10]}", folder=folder)
    except BaseException:
        with contextlib.suppress(Misconfigured):  # it was not made yet
            drop(branch, folder)
        raise
    return branch


def drop(branch: str, folder: Path) -> None:
    """Delete a branch that `with_part` has made in the worktree `folder`."""
    git("switch", "-q", "--detach", folder=folder)
    git("branch", "-q", "-D", branch, folder=folder)


def _keep_limits(folder: Path) -> tuple[str, ...]:
    """Draw the limits as they are deployed from the worktree, and have them kept; the files that this changes."""
    kept = folder / KEPT
    if kept.exists():
        return ()
    done = subprocess.run(
        [sys.executable, "-m", "dashboards"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        words = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise Misconfigured(f"the limits of the dashboard that is deployed cannot be drawn: {words}")
    why = "The rules alone were rolled back. `python -m dashboards` draws their limits, and removes this file."
    kept.write_text(json.dumps({"why": why}, indent=2) + "\n", encoding="utf-8")
    return (KEPT, *git("ls-files", "--", *PARTS["dashboard"], folder=folder).splitlines())
