"""One checkout, many stacks: a line for each, and no stack keeps another from being looked at."""

import json
import shutil

import pytest

from ops.sandbox.lifecycle import Sandbox
from tests.support.tree_copy import Copy, copy

__all__ = ["copy"]
FILE = "Pulumi.prod.yaml"


@pytest.fixture
def stacks(copy: Copy, sandbox: Sandbox) -> Copy:
    """Two stacks: `near` has the sandbox's servers, `far` those of nobody."""
    state = sandbox.state
    assert state is not None
    text = (copy.folder / FILE).read_text("utf-8")
    (copy.folder / FILE).unlink()
    urls = {"near": (state.prometheus_url, state.alertmanager_url), "far": ("http://127.0.0.1:9", "http://127.0.0.1:9")}
    for name, (prometheus, alertmanager) in urls.items():
        settings = f"  prometheusUrl: {prometheus}\n  alertmanagerUrl: {alertmanager}\n  grafanaMode: off\n"
        kept = "\n".join(line for line in text.splitlines() if "grafanaMode" not in line)
        (copy.folder / f"Pulumi.{name}.yaml").write_text(f"{kept}\n{settings}", "utf-8")
    return copy


def test_each_stack_has_a_line_and_the_worst_decides(stacks: Copy) -> None:
    done = stacks.run("ops", "verify", "--all-stacks")
    far, near = done.stdout.splitlines()
    assert done.returncode == 2, "in no stack here is there an application that can be looked at"
    assert far.startswith("✗ far   ")
    assert "prometheus: Prometheus at http://127.0.0.1:9 cannot be reached" in far
    assert near.startswith(("✓ near  ", "✗ near  "))
    assert " passed, " in near


def test_for_programs_it_is_one_document(stacks: Copy) -> None:
    done = stacks.run("ops", "verify", "--all-stacks", "--format", "json")
    found = json.loads(done.stdout)
    assert list(found) == ["far", "near"]
    assert found["near"]["target"] == "near"


def test_each_stack_has_a_report(stacks: Copy) -> None:
    done = stacks.run("ops", "report", "--all-stacks", "--window", "30m", "--out", "weekly.md")
    far, near = done.stdout.splitlines()
    assert far.startswith("✗ far   Prometheus at http://127.0.0.1:9 cannot be reached")
    assert near.endswith("; weekly-near.md")
    assert (stacks.folder / "weekly-near.md").read_text("utf-8").startswith("# ")
    assert not (stacks.folder / "weekly-far.md").exists()


def test_a_stack_file_that_cannot_be_read_is_that_stacks_line(stacks: Copy) -> None:
    shutil.copy(stacks.folder / "Pulumi.near.yaml", stacks.folder / "Pulumi.odd.yaml")
    with (stacks.folder / "Pulumi.odd.yaml").open("a", encoding="utf-8") as file:
        file.write("  rulesMode: nonsense\n")
    lines = stacks.run("ops", "verify", "--all-stacks").stdout.splitlines()
    assert len(lines) == 3
    assert lines[2].startswith("✗ odd   Pulumi.odd.yaml: ")


def test_no_stack_at_all_is_one_sentence(copy: Copy) -> None:
    (copy.folder / FILE).unlink()
    done = copy.run("ops", "verify", "--all-stacks")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "there is no stack here: no file is called Pulumi.STACK.yaml\n"
