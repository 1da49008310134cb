"""The way back: what is chosen, and what stands in the worktree that the engine runs."""

import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ops.errors import Misconfigured
from ops.repo import worktree
from ops.stack import earlier_update
from ops.stack.engine import Update

GOOD = Update("update", "succeeded", datetime(2026, 1, 1, tzinfo=UTC), 3.0, "m", "a" * 40, False, "me", {"create": 3})


def test_goes_back_past_the_newest_deployment() -> None:
    older = replace(GOOD, commit="b" * 40)
    assert earlier_update.last_good([GOOD, GOOD, older]) is older


def test_after_a_failed_update_goes_back_to_the_one_that_succeeded() -> None:
    failed = replace(GOOD, result="failed", commit="c" * 40)
    assert earlier_update.last_good([failed, GOOD]) is GOOD
    assert earlier_update.last_good([replace(failed, commit=GOOD.commit), GOOD]) is GOOD


def test_passes_over_what_is_no_clean_deployment() -> None:
    passed_over = [
        replace(GOOD, commit="b" * 40, dirty=True),
        replace(GOOD, commit="c" * 40, kind="destroy"),
        replace(GOOD, commit="d" * 40, result="failed"),
        replace(GOOD, commit=None),
    ]
    good = replace(GOOD, commit="e" * 40)
    assert earlier_update.last_good([GOOD, *passed_over, good]) is good
    with pytest.raises(Misconfigured, match="no earlier deployment"):
        earlier_update.last_good([GOOD, *passed_over])


def test_a_stack_without_history_has_no_way_back() -> None:
    with pytest.raises(Misconfigured, match="never been deployed"):
        earlier_update.last_good([])


@pytest.mark.parametrize(
    ("history", "sentence"),
    [
        ([], "was never deployed to this stack"),
        ([replace(GOOD, dirty=True)], "deployed with uncommitted changes"),
        ([replace(GOOD, result="failed")], "was deployed and failed"),
    ],
)
def test_refuses_commits_that_never_ran_as_they_are(history: list[Update], sentence: str) -> None:
    with pytest.raises(Misconfigured, match=sentence):
        earlier_update.by_commit(history, "a" * 40)


def test_takes_a_commit_that_ran() -> None:
    assert earlier_update.by_commit([replace(GOOD, result="failed"), GOOD], "a" * 40) is GOOD


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with two commits that differ in every part, a virtual environment and an uncommitted stack file."""
    root = tmp_path / "clone"
    for name in ("rules", "routing", "dashboards", ".venv"):
        (root / name).mkdir(parents=True)
    monkeypatch.setattr(worktree, "ROOT", root)

    def run(*arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True)

    run("init", "-q")
    run("config", "user.name", "t")
    run("config", "user.email", "t@example.org")
    (root / ".gitignore").write_text("/.venv\n/Pulumi.try.yaml\n")
    (root / "Pulumi.try.yaml").write_text("config: {}\n")
    # As `python -m dashboards`: draws the limits of the rules that are there into the dashboard's file.
    draws = "open('dashboards/x.json', 'w').write('drawn from ' + open('rules/a.yml').read())"
    (root / "dashboards/__main__.py").write_text(f"{draws}\n")
    for number in ("one", "two"):
        for file in ("rules/a.yml", "rules/reader.py", "routing/alertmanager.yml", "dashboards/x.json"):
            (root / file).write_text(number)
        (root / f"rules/only-{number}.yml").write_text(number)
        if number == "two":
            (root / "rules/only-one.yml").unlink()
        run("add", "-A")
        run("commit", "-q", "-m", f"Number {number}")
    return root


def test_a_worktree_has_the_commit_and_what_git_does_not_hold(clone: Path) -> None:
    with worktree.checked_out(worktree.resolve("HEAD~1"), stack_file="Pulumi.try.yaml") as folder:
        assert (folder / "rules/a.yml").read_text() == "one"
        assert (folder / ".venv").is_dir()
        assert (folder / "Pulumi.try.yaml").read_text() == "config: {}\n"
    assert not folder.exists()
    assert worktree.git("worktree", "list", folder=clone).count("\n") == 0


@pytest.mark.parametrize("begun", [True, False], ids=["in use", "being made"])
def test_an_interrupt_leaves_no_worktree(clone: Path, begun: bool) -> None:
    seen: list[Path] = []

    def work() -> None:
        with worktree.checked_out(worktree.resolve("HEAD~1"), stack_file="Pulumi.try.yaml") as folder:
            seen.append(folder)
            if not begun:
                (folder / ".git").unlink()  # without it, git takes the folder for no worktree
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert not seen[0].exists()
    assert worktree.git("worktree", "list", folder=clone).count("\n") == 0
    assert (clone / "rules/a.yml").read_text() == "two"


@pytest.mark.usefixtures("clone")
def test_one_part_is_brought_back_and_the_rest_stays() -> None:
    old = worktree.resolve("HEAD~1")
    with worktree.checked_out(worktree.resolve("HEAD"), stack_file="Pulumi.try.yaml") as folder:
        branch = worktree.with_part(folder, "rules", old)
        assert sorted(path.name for path in (folder / "rules").glob("*.yml")) == ["a.yml", "only-one.yml"]
        assert (folder / "rules/a.yml").read_text() == "one"
        assert (folder / "rules/reader.py").read_text() == "two"
        assert (folder / "routing/alertmanager.yml").read_text() == "two"
        assert (folder / "dashboards/x.json").read_text() == "drawn from two"  # as deployed
        assert (folder / worktree.KEPT).exists()
        assert worktree.git("status", "--porcelain", folder=folder) == ""
    assert branch.startswith(f"rollback/rules-{old[:10]}-")
    assert worktree.subject(branch) == f"Bring back the rules of {old[:10]}"


@pytest.mark.usefixtures("clone")
def test_limits_that_are_kept_are_not_drawn_anew_by_a_second_rollback() -> None:
    with worktree.checked_out(worktree.resolve("HEAD"), stack_file="Pulumi.try.yaml") as folder:
        first = worktree.with_part(folder, "rules", worktree.resolve("HEAD~1"))
        assert (folder / "rules/a.yml").read_text() == "one"
        second = worktree.with_part(folder, "rules", worktree.resolve("HEAD"))
        assert first != second
        assert (folder / "rules/a.yml").read_text() == "two"
        assert (folder / "dashboards/x.json").read_text() == "drawn from two"
        assert (folder / worktree.KEPT).exists()


@pytest.mark.parametrize("part", ["routing", "dashboard"])
@pytest.mark.usefixtures("clone")
def test_another_part_leaves_the_limits_to_the_rules(part: str) -> None:
    with worktree.checked_out(worktree.resolve("HEAD"), stack_file="Pulumi.try.yaml") as folder:
        worktree.with_part(folder, part, worktree.resolve("HEAD~1"))
        assert (folder / "rules/a.yml").read_text() == "two"
        assert (folder / "dashboards/x.json").read_text() == ("one" if part == "dashboard" else "two")
        assert not (folder / worktree.KEPT).exists()


def test_limits_that_cannot_be_drawn_are_one_sentence(clone: Path) -> None:
    (clone / "dashboards/__main__.py").write_text("raise SystemExit('rules/a.yml:1: no rules')\n")
    subprocess.run(["git", "commit", "-q", "-a", "-m", "Broken"], cwd=clone, check=True)
    with (
        worktree.checked_out(worktree.resolve("HEAD"), stack_file="Pulumi.try.yaml") as folder,
        pytest.raises(Misconfigured, match=r"deployed cannot be drawn: rules/a\.yml:1: no rules$"),
    ):
        worktree.with_part(folder, "rules", worktree.resolve("HEAD~2"))
    assert worktree.git("branch", "--list", "rollback/*") == ""


@pytest.mark.parametrize("part", ["dashboard", "rules"])
@pytest.mark.usefixtures("clone")
def test_a_part_that_is_there_already_is_refused(part: str) -> None:
    head = worktree.resolve("HEAD")
    with (
        worktree.checked_out(head, stack_file="Pulumi.try.yaml") as folder,
        pytest.raises(Misconfigured, match="is deployed already"),
    ):
        worktree.with_part(folder, part, head)


@pytest.mark.usefixtures("clone")
def test_a_branch_that_was_not_wanted_leaves_no_trace() -> None:
    with worktree.checked_out(worktree.resolve("HEAD"), stack_file="Pulumi.try.yaml") as folder:
        branch = worktree.with_part(folder, "rules", worktree.resolve("HEAD~1"))
        assert branch in worktree.git("branch", "--list", "rollback/*")
        worktree.drop(branch, folder)
        assert worktree.git("branch", "--list", "rollback/*") == ""


@pytest.mark.usefixtures("clone")
def test_a_commit_that_this_clone_does_not_have_is_refused() -> None:
    with pytest.raises(Misconfigured, match=r"there is no commit --oops in this clone; run `git fetch`"):
        worktree.resolve("--oops")
    assert worktree.subject("0" * 40) is None
