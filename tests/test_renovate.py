"""renovate.json: what it names is there, and nothing that is pinned is left out."""

import json
import re

from formats.json_types import JsonObject
from ops.build_tools import catalog
from tests.support.checkout import ROOT

CONFIG: JsonObject = json.loads((ROOT / "renovate.json").read_text("utf-8"))


def test_every_exception_says_why_and_names_what_is_there() -> None:
    for rule in CONFIG["packageRules"]:
        assert rule["description"]
        for name in rule.get("matchFileNames", ()):
            assert (ROOT / name).is_file(), name


def test_the_cli_of_the_pipelines_is_read() -> None:
    (manager,) = CONFIG["customManagers"]
    (pattern,) = manager["managerFilePatterns"]
    assert re.search(pattern.strip("/"), ".pulumi.version")
    (match,) = manager["matchStrings"]
    found = re.search(match.replace("(?<", "(?P<"), (ROOT / ".pulumi.version").read_text("utf-8"))
    assert found is not None and found["currentValue"] == catalog.PULUMI_VERSION


def test_the_lists_that_people_write_are_read() -> None:
    (pattern,) = CONFIG["pip_requirements"]["managerFilePatterns"]
    lists = sorted(path.name for path in ROOT.glob("*.in"))
    assert lists and [name for name in lists if not re.search(pattern.strip("/"), name)] == []


def test_only_tools_that_cannot_be_newer_are_left_alone() -> None:
    """Any other tool's module is one that Renovate may raise: it takes what the `tool` lines name."""
    off = {
        name
        for rule in CONFIG["packageRules"]
        if rule.get("enabled") is False
        for name in rule.get("matchFileNames", ())
    }
    assert off == {"tools/pulumi-language-python/go.mod", "tools/pulumi-kubernetes/go.mod"}
