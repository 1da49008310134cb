"""The workflows: what they install, which Pulumi and Pythons they run, and that each is bounded and pinned."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from formats.json_types import JsonValue
from tests.support.checkout import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def steps() -> Iterator[tuple[str, Mapping[str, JsonValue]]]:
    for path in WORKFLOWS:
        for job in yaml.safe_load(path.read_text("utf-8"))["jobs"].values():
            yield from ((path.name, step) for step in job["steps"])


def test_pipelines_run_the_pulumi_of_the_version_file() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", (ROOT / ".pulumi.version").read_text("utf-8"))
    found = [(name, step) for name, step in steps() if step.get("uses", "").startswith("pulumi/actions@")]
    assert {name for name, _ in found} == {"deploy.yml", "drift.yml", "e2e.yml", "pull-request.yml"}
    for name, step in found:
        assert step["with"]["pulumi-version-file"] == ".pulumi.version", name


def test_what_deploys_has_the_runtime_list_alone() -> None:
    for path in WORKFLOWS:
        for name, job in yaml.safe_load(path.read_text("utf-8"))["jobs"].items():
            runs = [step["run"] for step in job["steps"] if "run" in step]
            if any("secrets." in str(step) for step in job["steps"]):  # it reaches production
                assert "make setup-production" in runs, f"{path.name}, {name}"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_is_bounded_and_pinned(path: Path) -> None:
    """Each job has a limit of time and each workflow its rights; an action is a commit, with its release beside it."""
    text = path.read_text("utf-8")
    parsed = yaml.safe_load(text)
    assert parsed["permissions"] == {"contents": "read"}
    for name, job in parsed["jobs"].items():
        assert isinstance(job.get("timeout-minutes"), int), name
    for used in re.findall(r"uses: (.*)", text):
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", used), used


def test_pull_requests_try_every_python_from_the_oldest_on() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    oldest = project["requires-python"].removeprefix(">=")
    jobs = yaml.safe_load((ROOT / ".github/workflows/pull-request.yml").read_text("utf-8"))["jobs"]
    whole = [
        step["with"]["python-version"] for step in jobs["test"]["steps"] if "setup-python@" in step.get("uses", "")
    ]
    tried = [*whole, *jobs["python"]["strategy"]["matrix"]["python"]]
    minors = [int(version.removeprefix("3.")) for version in tried]
    assert tried[0] == oldest
    assert minors == list(range(minors[0], minors[0] + len(minors))), "one after the other, none left out"
