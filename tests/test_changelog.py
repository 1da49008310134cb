"""The changelog: by Keep a Changelog, and of the version that pyproject.toml names."""

import re
import tomllib

from tests.support.checkout import ROOT

LINES = (ROOT / "CHANGELOG.md").read_text("utf-8").splitlines()
VERSION = re.compile(r"## \[(\d+\.\d+\.\d+)\] - (Unreleased|\d{4}-\d\d-\d\d)")
KINDS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")


def versions() -> list[tuple[str, str]]:
    found = [(line, VERSION.fullmatch(line)) for line in LINES if line.startswith("## ")]
    assert [line for line, match in found if match is None] == [], (
        "a heading is `## [0.1.0] - Unreleased`, or with a day"
    )
    return [(match[1], match[2]) for _, match in found if match]


def test_the_newest_version_comes_first_and_is_the_projects() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert versions()[0][0] == project["version"]
    numbers = [tuple(map(int, version.split("."))) for version, _ in versions()]
    assert numbers == sorted(set(numbers), reverse=True)
    assert "Unreleased" not in [day for _, day in versions()[1:]], "only the newest may wait for its release"


def test_changes_stand_below_the_kinds_of_keep_a_changelog_in_their_order() -> None:
    kinds: list[str] = []
    for line in LINES:
        if line.startswith("## "):
            kinds = []
        elif line.startswith("### "):
            kinds.append(line.removeprefix("### "))
            assert kinds == sorted(set(kinds), key=KINDS.index), line
        elif line.startswith("- "):
            assert kinds, f"below none of {', '.join(KINDS)}: {line}"
