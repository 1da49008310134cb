"""What the workflows write to GitHub: one comment, and one issue for drift, by their own shell on a stand-in of it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from formats.json_types import JsonObject
from tests.support import github_stand_in
from tests.support.checkout import ROOT
from tests.support.github_stand_in import BOT, GitHub

MARKERS = {"pull-request.yml": "<!-- api-monitoring: review -->", "drift.yml": "<!-- api-monitoring: drift -->"}


class Runner:
    """Runs the step of a workflow that calls `gh`, in a folder of its own, as a runner does."""

    def __init__(self, folder: Path, github: GitHub, environment: dict[str, str]) -> None:
        self.folder, self.github, self.environment = folder, github, environment

    def run(self, workflow: str, job: str, file: str, text: str | None) -> None:
        """Run it with `file` as another job has left it, or without."""
        step = self.step(workflow, job)
        (self.folder / file).unlink(missing_ok=True)
        if text is not None:
            (self.folder / file).write_text(text, "utf-8")
        known = {"NUMBER": "7", "REPOSITORY": self.github.repository, "COMMIT": "c0ffee", "LOG": "https://log"}
        environment = self.environment | {"MARKER": step["env"]["MARKER"]} | known
        command = ["bash", "-e", "-c", step["run"]]  # as a runner calls it
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert self.github.unknown == []

    @staticmethod
    def step(workflow: str, job: str) -> JsonObject:
        jobs = yaml.safe_load((ROOT / ".github" / "workflows" / workflow).read_text("utf-8"))["jobs"]
        (step,) = (step for step in jobs[job]["steps"] if "gh api" in step.get("run", ""))
        return dict(step)

    def review(self, text: str | None) -> None:
        self.run("pull-request.yml", "comment", "review.md", text)

    def drift(self, text: str | None) -> None:
        self.run("drift.yml", "issue", "drift.md", text)


@pytest.fixture(params=["stand-in", "real"])
def runner(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Runner]:
    real = request.param == "real"
    if real and not github_stand_in.has_gh():
        pytest.skip("no gh here: the workflows' shell is tried with a stand-in of it")
    (tmp_path / "work").mkdir()
    with github_stand_in.running(tmp_path, real=real) as (github, environment):
        yield Runner(tmp_path / "work", github, environment)


def somebody(body: str, login: str = "ada", **more: object) -> JsonObject:
    return {"body": body, "user": {"login": login}, **more}


def test_the_review_is_one_comment_written_anew_each_time(runner: Runner) -> None:
    """Also where it stands on another page, and where somebody quotes it."""
    marker = MARKERS["pull-request.yml"]
    github = runner.github
    github.comments = [somebody(text, id=number) for number, text in enumerate(["a", f"{marker} quoted", "c"])]
    runner.review("first `review` of „APIP95LatencyHigh“\n")
    assert len(github.comments) == 4
    assert github.comments[3]["body"].startswith(f"{marker}\nfirst `review` of „APIP95LatencyHigh“\n")
    assert "For commit c0ffee; [the log](https://log)" in github.comments[3]["body"]
    github.comments.append(somebody("e", id=5))
    runner.review("second\n")
    assert [comment["body"].splitlines()[-3:][0] for comment in github.comments] == [
        *("a", f"{marker} quoted", "c", "second", "e")
    ]


def test_a_review_that_could_not_begin_takes_the_place_of_an_earlier_success(runner: Runner) -> None:
    runner.review("all is well\n")
    runner.review(None)
    (comment,) = runner.github.comments
    assert "**The review could not be made**, and nothing was written to the cluster." in comment["body"]
    assert "all is well" not in comment["body"]


def test_a_review_that_github_would_refuse_is_named(runner: Runner) -> None:
    runner.review("ä" * 65_000)  # more bytes than GitHub takes characters
    assert len(runner.github.comments[0]["body"]) > 65_000
    runner.review("x" * 65_530)
    (comment,) = runner.github.comments
    assert "longer than a comment may be: it stands in [the summary of the run](https://log)" in comment["body"]
    assert len(comment["body"]) < 500


def test_drift_is_one_issue_from_its_beginning_to_its_end(runner: Runner) -> None:
    github, marker = runner.github, MARKERS["drift.yml"]
    others = [somebody(f"{marker} quoted", number=1, state="open"), somebody("x", BOT, number=2, state="open")]
    closed = somebody(f"{marker}\nlast month", BOT, number=3, state="closed")
    github.issues = [*others, {**others[1], "number": 4, "body": None}, closed]
    before = [dict(issue) for issue in github.issues]
    runner.drift(None)
    assert (github.issues, github.said) == (before, {}), "no drift, and no issue of it: nothing is written"

    runner.drift("a limit was changed\n")
    assert github.issues[:4] == before
    (issue,) = github.issues[4:]
    assert issue["title"] == "Drift: prod does not run as deployed"
    assert issue["body"] == f"{marker}\na limit was changed\n\n[The log](https://log)\n"
    runner.drift("two limits were changed\n")
    assert [found["body"].splitlines()[1] for found in github.issues[4:]] == ["two limits were changed"]

    runner.drift(None)
    assert github.issues[:4] == before
    assert issue["state"] == "closed"
    assert github.said == {str(issue["number"]): ["It is over: [nothing differs](https://log)."]}


@pytest.mark.parametrize(("workflow", "job"), [("pull-request.yml", "comment"), ("drift.yml", "issue")])
def test_what_may_write_runs_nothing_of_the_repository(workflow: str, job: str) -> None:
    """No code of a pull request and no secret is beside a token that may write."""
    assert Runner.step(workflow, job)["env"]["MARKER"] == MARKERS[workflow]
    for name, found in yaml.safe_load((ROOT / ".github/workflows" / workflow).read_text("utf-8"))["jobs"].items():
        rights = {right for right, level in found.get("permissions", {}).items() if level == "write"} - {"id-token"}
        assert bool(rights) == (name == job), name
        if rights:
            assert "checkout@" not in str(found["steps"])
            assert "secrets." not in str(found["steps"])
