"""The guide's rollback, walked on a stack that a real engine deployed twice: all of it, and each part alone."""

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import dashboards
from formats.json_types import JsonObject
from ops.sandbox.cluster import Cluster
from ops.sandbox.lifecycle import Sandbox
from ops.stack.engine import find_pulumi
from routing import tree
from rules import alerts
from tests.e2e.rig import Rig
from tests.support import requires
from tests.support.limits import other
from tests.support.waiting import PATIENCE

ALERT = alerts()["APIP95LatencyHigh"]
RULE = "".join(ALERT.file.read_text("utf-8").splitlines(keepends=True)[ALERT.line - 1 : ALERT.limit_line])
PANEL = dashboards.load().panels[0].title
# What the second commit changes in each part: file, old, new.
SECOND = {
    "rules": (f"rules/{ALERT.file.name}", RULE, RULE.replace(ALERT.limit.text, other(ALERT))),
    "routing": ("routing/alertmanager.yml", "repeat_interval: 6h", "repeat_interval: 8h"),
    "dashboard": ("dashboards/api-performance-baseline.json", f'"title": "{PANEL}"', '"title": "The P95"'),
}


@dataclass
class Walk:
    """A checkout of two commits, both deployed; `ops` are the verbs as a person calls them there."""

    program: Path
    sandbox: Sandbox
    first: str = ""
    second: str = ""

    def git(self, *arguments: str) -> str:
        named = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        done = subprocess.run(["git", *named, *arguments], cwd=self.program, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    @property
    def environment(self) -> dict[str, str]:
        """That of a verb, which commits where one part is brought back."""
        return {
            **os.environ,
            "SANDBOX_HOME": str(self.sandbox.home),
            "PYTHONPATH": str(self.program),
            "COLUMNS": "200",
            **{f"GIT_{who}_{what}": "ada@x.test" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }

    def ops(self, *arguments: str, code: int = 0) -> str:
        """What a verb prints; its exit code is held to `code`, and it never prints a traceback of ours."""
        done = subprocess.run(
            [sys.executable, "-m", "ops", *arguments],
            cwd=self.program,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
            check=False,
        )
        print(f"$ ops {' '.join(arguments)}\n{done.stdout}{done.stderr}")
        assert done.returncode == code, "the exit code is another one"
        assert "Traceback" not in done.stderr
        return done.stdout if code == 0 else done.stderr

    def up(self) -> int:
        """`pulumi up`, as a person calls it; its exit code."""
        state = self.sandbox.state
        assert state is not None
        assert state.pulumi is not None
        how = state.pulumi
        done = subprocess.run(
            [
                *("pulumi", "up", "--yes", "--skip-preview", "--non-interactive"),
                *("--stack", how["stack"], "--config-file", how["config_file"]),
            ],
            cwd=self.program,
            # The provider leaves a copy of the kubeconfig in the temporary folder: in one that goes, then.
            env={**os.environ, **find_pulumi().env, **how["env"], "TMPDIR": str(self.sandbox.home)},
            check=False,
            capture_output=True,
            timeout=2 * PATIENCE,
        )
        return done.returncode

    def live_timeout(self, seconds: int) -> None:
        """For how long an update waits for the servers to run what was written."""
        state = self.sandbox.state
        assert state is not None
        assert state.pulumi is not None
        file = Path(state.pulumi["config_file"])
        text, count = re.subn(r"(:liveTimeout: ).*", rf"\g<1>'{seconds}'", file.read_text("utf-8"))
        assert count == 1
        file.write_text(text, encoding="utf-8")

    def live(self) -> dict[str, str]:
        """Which commit's version of each part the servers run."""
        rules = [rule for group in self.sandbox.prometheus.rules() for rule in group.rules if rule.name == ALERT.name]
        labels = ALERT.label_set
        (match,) = tree.matches(self.sandbox.alertmanager.status().config, labels)
        second = {
            "rules": rules[0].query.endswith(other(ALERT)),
            "routing": match.repeat_interval == 8 * 3600,
            "dashboard": '"The P95"' in self.board(),
        }
        return {part: "second" if found else "first" for part, found in second.items()}

    def board(self) -> str:
        """The dashboard that stands in the cluster."""
        found: JsonObject = Cluster(self.sandbox.home).items("configmaps")["dashboard-api-performance-baseline"]
        return str(next(iter(found["data"].values())))

    def answering(self, word: str, *arguments: str) -> str:
        """What a verb prints, by the engine and to a person who answers `word` to its question at a terminal."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "ops", *arguments],
            cwd=self.program,
            env=self.environment,
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        os.close(theirs)
        os.write(ours, f"{word}\n".encode())
        said, _ = process.communicate(timeout=2 * PATIENCE)
        os.close(ours)
        assert process.returncode == 0, said
        return said


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    requires.an_engine()
    rig = Rig(tmp_path_factory.mktemp("rollback"))
    rig.copy_program()
    found = Walk(rig.program, rig.sandbox)
    try:
        found.git("init", "-q")
        (rig.program / ".git" / "info" / "exclude").write_text(".venv\n", encoding="utf-8")
        found.first = found.commit("As it was")
        found.ops("sandbox", "up", "--no-verify")
        for file, old, new in SECOND.values():
            rig.edit(file, old, new)
        found.second = found.commit("Change each part")
        assert found.up() == 0
        yield found
    finally:
        rig.sandbox.down()
        shutil.rmtree(rig.program, ignore_errors=True)


def test_the_guides_rollback(walk: Walk) -> None:
    everything = dict.fromkeys(SECOND, "second")
    assert walk.live() == everything

    listed = walk.ops("rollback", "--target", "sandbox", "--list")
    assert [line for line in listed.splitlines() if "Change each part" in line and walk.second[:10] in line]
    entries = json.loads(walk.ops("rollback", "--target", "sandbox", "--list", "--format", "json"))
    assert [(one["commit"], one["usable"]) for one in entries] == [(walk.second, True), (walk.first, True)]

    previewed = walk.ops("rollback", "--target", "sandbox", "--dry-run", "--format", "json")
    answer = json.loads(previewed)
    assert (answer["commit"], answer["applied"], answer["branch"]) == (walk.first, False, None)
    assert answer["changes"]["update"] >= 3
    assert walk.live() == everything

    asked = walk.ops("rollback", "--target", "sandbox", code=2)
    assert asked.strip().splitlines()[-1].endswith("repeat the command with --yes")
    assert walk.live() == everything

    # Each of the guide's three procedures alone, to the first commit: the others stay as they are.
    dry = walk.ops("rollback", walk.first, "--target", "sandbox", "--part", "routing", "--dry-run")
    assert dry.endswith("Nothing was changed (--dry-run).\n")
    assert not walk.git("branch", "--list", "rollback/*")
    for word in "n", "":
        said = walk.answering(word, "rollback", walk.first, "--target", "sandbox", "--part", "rules")
        assert said.endswith("Nothing was changed.\n"), said
        assert "interrupted" not in said
        assert walk.live() == everything
    assert not walk.git("branch", "--list", "rollback/*")
    board = walk.board()
    for part in SECOND:
        said = walk.ops("rollback", walk.first, "--target", "sandbox", "--part", part, "--yes")
        everything[part] = "first"
        assert walk.live() == everything
        assert f"Branch rollback/{part}-{walk.first[:10]}-" in said
        if part == "rules":
            assert walk.board() == board  # with the limits of before
            assert "The dashboard keeps its limit lines; `python -m dashboards` draws those of the rules." in said
    again = walk.ops("rollback", walk.first, "--target", "sandbox", "--part", "rules", "--yes", code=2)
    assert again.endswith("is deployed already; choose another commit or part\n")

    walk.ops("rollback", walk.second[:10], "--target", "sandbox", "--yes")
    assert set(walk.live().values()) == {"second"}


def test_the_way_back_when_an_update_failed_halfway(walk: Walk) -> None:
    rules, old, new = SECOND["rules"]
    file = walk.program / rules
    file.write_text(file.read_text("utf-8").replace(new, old, 1), encoding="utf-8")
    third = walk.commit("Break off")
    walk.live_timeout(5)
    walk.sandbox.stop("alertmanager", kill=True)  # so that what was written is never proved live
    assert walk.up() != 0
    walk.sandbox.start("alertmanager")
    walk.live_timeout(round(PATIENCE))
    assert walk.live()["rules"] == "first"  # written by the update that failed

    assert "was deployed and failed" in walk.ops("rollback", third, "--target", "sandbox", "--yes", code=2)
    said = walk.ops("rollback", "--target", "sandbox", "--yes")
    assert f"Went back to {walk.second[:10]} of " in said
    assert set(walk.live().values()) == {"second"}
    assert walk.git("worktree", "list").count("\n") == 0


def test_commits_that_never_ran_are_refused(walk: Walk) -> None:
    new = walk.commit("Never deployed")
    refused = walk.ops("rollback", new, "--target", "sandbox", code=2)
    assert refused.startswith(f"{new[:10]} was never deployed to this stack")
    unknown = walk.ops("rollback", "0123456789", "--target", "sandbox", code=2)
    assert unknown.startswith("there is no commit 0123456789 in this clone")
