"""The workflows: what they install, what they run, and that each is bounded and pinned."""

import re
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from formats.json_types import JsonValue
from ops import targets
from ops.build_tools import pulumi
from tests.support import requires
from tests.support.checkout import ROOT
from tests.support.pipeline_commands import commands, problem, workflow_scripts

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SCRIPTS = sorted(path for path in (ROOT / ".ci").iterdir() if path.suffix == "")


def run_by_pipelines() -> dict[str, list[list[str]]]:
    """Workflow or script → the commands of ours in it."""
    found = {}
    for path in WORKFLOWS:
        scripts = workflow_scripts(yaml.safe_load(path.read_text("utf-8")))
        found[path.name] = [words for script in scripts for words in commands(script)]
    return found | {f".ci/{path.name}": list(commands(path.read_text("utf-8"))) for path in SCRIPTS}


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


@pytest.mark.parametrize("where", [path.name for path in WORKFLOWS] + [f".ci/{path.name}" for path in SCRIPTS])
def test_every_command_that_a_pipeline_runs_exists(where: str) -> None:
    """Verbs with their options, targets, modules and scripts."""
    found = run_by_pipelines()[where]
    assert found, "nothing of ours is run here; is the test still able to find it?"
    assert [wrong for words in found if (wrong := problem(words))] == []


def test_a_command_that_is_not_there_is_found() -> None:
    script = """
      make setup-production nonsense && bin/ops verify --target prod --wait 60 # bin/ops nothing
      if ! bin/ops verify --wait soon --all 2>log; then .ci/absent "a b"; fi
      echo | python -m ops.absent.module; bin/ops nonsense
      | text | `bin/ops rollback --part rulez` |
    """
    wanted = [
        *("make has no target nonsense", "verify: Invalid value for '--wait'", "there is no script .ci/absent"),
        *("there is no module ops.absent.module", "there is no verb nonsense"),
        "rollback: Invalid value for '--part'",
    ]
    found = [wrong for words in commands(script) if (wrong := problem(words))]
    assert [wrong[: len(start)] for wrong, start in zip(found, wanted, strict=True)] == wanted


def test_every_option_of_pulumi_is_one_of_the_pinned_cli() -> None:
    requires.an_engine()
    engine = pulumi.find()
    environment = engine.environment if engine else None
    used = [words for found in run_by_pipelines().values() for words in found if words[0] == "pulumi"]
    assert len(used) >= 5
    for words in used:
        verb = [word for word in words[1:] if not word.startswith("-")][: 2 if words[1] == "stack" else 1]
        done = subprocess.run(
            ["pulumi", *verb, "--help"], env=environment, capture_output=True, text=True, check=True, timeout=60
        )
        options = {word.partition("=")[0] for word in words if word.startswith("-")}
        assert options <= set(re.findall(r"--[a-z-]+", done.stdout)), words


def test_a_step_that_runs_a_verb_has_every_credential_that_verbs_read() -> None:
    """From the secret of the same name; else a verb meets a 401 where `pulumi up` reads the stack's own secret."""
    scripts = {name for name, found in run_by_pipelines().items() if any(words[0] == "bin/ops" for words in found)}
    scripts -= {".ci/drift"}  # it names a verb in a sentence
    wanted = {name: f"${{{{ secrets.{name} }}}}" for name in targets.CREDENTIALS}
    found = [
        (name, step)
        for name, step in steps()
        if any(words[0] == "bin/ops" or words[0] in scripts for words in commands(step.get("run", "")))
        and "--no-preview" not in step["run"]  # of a fork, which gets no secret
    ]
    assert {words[1] for _, step in found for words in commands(step["run"]) if words[0] == "bin/ops"} >= {"verify"}
    assert {"deploy.yml", "pull-request.yml"} == {name for name, _ in found}
    for name, step in found:
        assert step["env"].items() >= wanted.items(), f"{name}: {step['run']}"


def test_secrets_are_read_in_a_named_environment_alone() -> None:
    """There its owners say who may read them; and no workflow runs with secrets what a fork wrote."""
    for path in WORKFLOWS:
        text = path.read_text("utf-8")
        assert "pull_request_target" not in text and "workflow_run" not in text, path.name
        for name, job in yaml.safe_load(text)["jobs"].items():
            if "secrets." in str(job):
                assert job.get("environment") in ("preview", "production"), f"{path.name}, {name}"
