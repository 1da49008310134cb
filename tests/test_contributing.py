"""CONTRIBUTING.md names only commands, files and tests that are there."""

import ast
import re

from tests.support.checkout import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def test_its_tests_are_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)
    assert named
    for file, name in named:
        functions = [
            node for node in ast.parse((ROOT / file).read_text("utf-8")).body if isinstance(node, ast.FunctionDef)
        ]
        assert name in [function.name for function in functions], f"{file} has no {name}"


def test_its_files_are_there() -> None:
    """ALERT stands for any alert's name; each path is tried with one."""
    named = {
        *re.findall(r"`([\w./-]+(?:/|\.(?:py|yml|yaml|md|json|toml|in)))`", TEXT),
        *re.findall(r"\]\(([^):#]+)[^):]*\)", TEXT),
    }
    assert named
    assert [name for name in named if not (ROOT / name.replace("ALERT", "APIP95LatencyHigh")).exists()] == []


def test_its_commands_are_there() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z0-9-]+)`", TEXT))
    assert {"sandbox", "lint", "test", "e2e"} <= named <= targets
