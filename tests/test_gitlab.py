"""The template for GitLab: what it runs exists, and what it writes to GitLab, on a stand-in of its API."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from werkzeug import Request, Response

from formats.json_types import JsonObject, JsonValue
from ops import targets
from tests.support.checkout import ROOT
from tests.support.pipeline_commands import commands, problem
from tests.support.stand_in import json_answer, stand_in

TEMPLATE: JsonObject = yaml.safe_load((ROOT / "docs" / "gitlab-ci.yml").read_text("utf-8"))
GLOBAL = ("workflow", "stages", "default", "variables")
REVIEW, DRIFT = "<!-- api-monitoring: review -->", "<!-- api-monitoring: drift -->"
US, PAGE = 7, 2


def jobs() -> dict[str, JsonObject]:
    """Job → what it says, with what it extends."""
    parts = {name: job for name, job in TEMPLATE.items() if name not in GLOBAL}
    return {name: parts.get(job.get("extends"), {}) | job for name, job in parts.items() if not name.startswith(".")}


def lines(job: JsonObject) -> list[str]:
    return [line for part in ("before_script", "script", "after_script") for line in job.get(part, ())]


@pytest.mark.parametrize("name", jobs())
def test_a_job_is_bounded_and_runs_what_there_is(name: str) -> None:
    job = jobs()[name]
    assert job["stage"] in TEMPLATE["stages"]
    assert job["timeout"].endswith(" minutes")
    assert job["rules"], "else it runs in every pipeline"
    assert {need["job"] for need in job.get("needs", ())} <= set(jobs())
    found = [words for line in lines(job) for words in commands(line)]
    assert found
    assert [wrong for words in found if (wrong := problem(words))] == []
    for line in lines(job):
        assert subprocess.run(["bash", "-n", "-c", line], capture_output=True, check=False).returncode == 0, line


def test_it_has_the_steps_of_the_workflows() -> None:
    """What reaches production there is run here by the same commands."""
    here = {" ".join(words) for job in jobs().values() for line in lines(job) for words in commands(line)}
    for workflow in ("deploy.yml", "drift.yml"):
        parsed = yaml.safe_load((ROOT / ".github" / "workflows" / workflow).read_text("utf-8"))
        runs = [step["run"] for job in parsed["jobs"].values() for step in job["steps"] if "run" in step]
        there = [words for run in runs if "gh api" not in run for words in commands(run)]
        assert [words for words in there if "$BASE" not in words and " ".join(words) not in here] == []


def test_the_pulumi_is_that_of_the_version_file() -> None:
    installed = [line for job in jobs().values() for line in lines(job) if "get.pulumi.com" in line]
    assert installed and all('"$(cat .pulumi.version)"' in line for line in installed)


def test_one_job_at_a_time_may_write_and_it_has_no_other_secret() -> None:
    environments = {name: job.get("environment", {}).get("name") for name, job in jobs().items()}
    writing = {name for name, job in jobs().items() if "gitlab_notes" in str(job["script"])}
    assert {name for name, environment in environments.items() if environment == "notes"} == writing
    assert [name for name, environment in environments.items() if environment == "production"] == ["deploy"]


def test_the_page_names_every_credential_that_verbs_read() -> None:
    """GitLab gives each job the variables of its environment by itself."""
    page = (ROOT / "docs" / "gitlab.md").read_text("utf-8")
    assert [name for name in targets.CREDENTIALS if f"`{name}`" not in page] == []


class GitLab:
    """The notes of merge request 5, and the issues, of project 3."""

    def __init__(self) -> None:
        self.url = ""
        self.notes: list[JsonObject] = []
        self.issues: list[JsonObject] = []
        self.said: list[tuple[str, str]] = []
        self.status = 200  # of every answer, where it is not 200

    def answer(self, request: Request) -> Response:
        assert request.headers["PRIVATE-TOKEN"] == "a-token"
        if self.status != 200:
            return json_answer({"message": "insufficient_scope"}, self.status)
        sent = json.loads(request.get_data() or "{}")
        match request.method, request.path.removeprefix("/projects/3").split("/")[1:]:
            case "GET", ["user"]:
                return json_answer({"id": US})
            case "GET", ["merge_requests", "5", "notes"]:
                return self._page(self.notes, request)
            case "POST", ["merge_requests", "5", "notes"]:
                self.notes.append({"id": 90 + len(self.notes), "author": {"id": US}, **sent})
                return json_answer(self.notes[-1], 201)
            case "PUT", ["merge_requests", "5", "notes", number]:
                return self._change(self.notes, "id", number, sent)
            case "GET", ["issues"]:
                state = request.args["state"]
                return self._page([issue for issue in self.issues if issue["state"] == state], request)
            case "POST", ["issues"]:
                self.issues.append({"iid": 40 + len(self.issues), "state": "opened", "author": {"id": US}, **sent})
                return json_answer(self.issues[-1], 201)
            case "PUT", ["issues", number]:
                closed = {"state": "closed"} if sent.pop("state_event", None) == "close" else {}
                return self._change(self.issues, "iid", number, sent | closed)
            case "POST", ["issues", number, "notes"]:
                self.said.append((number, sent["body"]))
                return json_answer({}, 201)
        raise AssertionError(f"{request.method} {request.path} is none that GitLab knows")

    def _page(self, items: list[JsonObject], request: Request) -> Response:
        page = int(request.args["page"])
        answer = json_answer(items[(page - 1) * PAGE : page * PAGE])
        answer.headers["X-Next-Page"] = str(page + 1) if len(items) > page * PAGE else ""
        return answer

    def _change(self, items: list[JsonObject], key: str, number: str, sent: JsonObject) -> Response:
        (item,) = (item for item in items if str(item[key]) == number)
        item.update(sent)
        return json_answer(item)

    def write(self, kind: str, file: Path, text: str | None, **more: str) -> subprocess.CompletedProcess[str]:
        file.unlink(missing_ok=True)
        if text is not None:
            file.write_text(text, "utf-8")
        known = {
            "CI_API_V4_URL": self.url,
            "CI_PROJECT_ID": "3",
            "CI_MERGE_REQUEST_IID": "5",
            "CI_COMMIT_SHA": "c0ffee",
        }
        known |= {"CI_PIPELINE_URL": "https://log", "REVIEW_TOKEN": "a-token", **more}
        command = [sys.executable, ".ci/gitlab_notes.py", kind, str(file)]
        environment = {name: value for name, value in os.environ.items() if name != "REVIEW_TOKEN"}
        environment |= {name: value for name, value in known.items() if value}
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
        )


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    found = GitLab()
    with stand_in(found.answer) as found.url:
        yield found


def item(text: JsonValue, author: int = 1, **more: JsonValue) -> JsonObject:
    return {"author": {"id": author}, "body": text, "description": text, **more}


def test_the_review_is_one_note_written_anew_each_time(gitlab: GitLab, tmp_path: Path) -> None:
    gitlab.notes = [item("a", id=1), item(f"{REVIEW} copied by somebody", id=2), item("b", US, id=3)]
    before = [dict(note) for note in gitlab.notes]
    for text in ("first of „APIP95LatencyHigh“\n", "second\n"):
        done = gitlab.write("review", tmp_path / "review.md", text)
        assert (done.returncode, done.stderr) == (0, "")
        assert gitlab.notes[:3] == before
        (note,) = gitlab.notes[3:]
        assert note["body"] == f"{REVIEW}\n{text}\nFor commit c0ffee; [the log](https://log).\n"
    assert gitlab.write("review", tmp_path / "review.md", None).returncode == 0
    assert note["body"].startswith(f"{REVIEW}\n**The review could not be made**, ")


def test_drift_is_one_issue_from_its_beginning_to_its_end(gitlab: GitLab, tmp_path: Path) -> None:
    gitlab.issues = [item("a", iid=1, state="opened"), item(None, US, iid=2, state="opened")]
    gitlab.issues += [item(f"{DRIFT}\nlast month", US, iid=3, state="closed"), item("b", iid=4, state="opened")]
    before = [dict(issue) for issue in gitlab.issues]
    for text in (None, "one\n", "two\n", None):
        done = gitlab.write("drift", tmp_path / "drift.md", text)
        assert (done.returncode, done.stderr) == (0, "")
        assert gitlab.issues[:4] == before
        if text:
            (issue,) = gitlab.issues[4:]
            assert issue["description"] == f"{DRIFT}\n{text}\n[The log](https://log)\n"
            assert issue["state"] == "opened"
    assert issue["state"] == "closed"
    assert gitlab.said == [(str(issue["iid"]), "It is over: [nothing differs](https://log).")]


def test_what_gitlab_refuses_is_one_sentence(gitlab: GitLab, tmp_path: Path) -> None:
    gitlab.status = 403
    done = gitlab.write("review", tmp_path / "review.md", "x")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("GitLab answered GET user with 403; has REVIEW_TOKEN the scope api, ")
    done = gitlab.write("review", tmp_path / "review.md", "x", REVIEW_TOKEN="")
    assert done.stderr == "REVIEW_TOKEN is not set; docs/gitlab.md says what a pipeline needs\n"
    assert gitlab.write("nonsense", tmp_path / "x", None).stderr.startswith("say what to write: ")
