"""The promtool that every test of the rules may use."""

from pathlib import Path

import pytest

import rules
from ops import build_tools
from tests.rules.our_rules import as_scenarios_have_it
from tests.support.checkout import ROOT


@pytest.fixture(scope="session")
def promtool() -> Path:
    return build_tools.path("promtool")


@pytest.fixture(scope="session")
def scenarios(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the folder of scenarios, beside the rules with the objective for which they are written."""
    root = tmp_path_factory.mktemp("scenarios")
    (root / "rules").mkdir()
    for file in rules.load():
        (root / "rules" / file.name).write_text(as_scenarios_have_it(file).text, "utf-8")
    ours = ROOT / "tests" / "rules"
    for path in ours.rglob("*.test.yml"):
        copy = root / "tests" / "rules" / path.relative_to(ours)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text("utf-8"), "utf-8")
    return root / "tests" / "rules"
