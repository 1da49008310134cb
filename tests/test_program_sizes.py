"""Many rules: a ConfigMap holds a megabyte. What does not fit is refused before anything is written."""

import subprocess
import sys
from pathlib import Path

import pytest

import rules
from tests.bench import other_rules
from tests.support.tree_copy import Copy, copy

__all__ = ["copy"]

# The program's own words, without the command around it.
ASK = """
import sys
from ops.errors import Misconfigured
from ops.stack.declared import collect
try:
    print(sorted(one.name for one in collect({"rulesMode": sys.argv[1]}) if one.type.endswith("ConfigMap")))
except Misconfigured as refused:
    print(refused)
"""


def said(tree: Copy, mode: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", ASK, mode], cwd=tree.folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def many(copy: Copy) -> Copy:
    """A checkout with three thousand rules of others beside ours, 1.1 MB of them."""
    other_rules.write(copy.folder / "rules", 3300)
    return copy


def size(folder: Path) -> int:
    return sum(len(file.name) + file.stat().st_size for file in folder.glob("*.yml"))


def test_hundreds_of_files_are_read_once(tmp_path: Path) -> None:
    """A program or verb asks for the rules several times; what it has read is what it gets."""
    for number in range(300):
        (tmp_path / f"team-{number}.yml").write_text(f"groups: [{{name: team-{number}, rules: []}}]\n", "utf-8")
    first = rules.load(tmp_path)
    assert len(first) == 300
    assert all(one is again for one, again in zip(first, rules.load(tmp_path), strict=True))


def test_more_than_one_config_map_holds(many: Copy) -> None:
    assert said(many, "shared") == (
        f"rules/ has {size(many.folder / 'rules')} bytes, and rulesMode shared puts all of them into one ConfigMap, "
        "which holds 1000000: set rulesMode to dedicated, which makes as many ConfigMaps as are needed"
    )
    assert said(many, "dedicated") == "['api-performance-alerts', 'api-performance-alerts-2']"


def test_a_file_of_which_the_operator_makes_none(copy: Copy) -> None:
    folder = copy.folder / "rules"
    other_rules.write(folder, 1700)
    large = folder / "all.yml"
    parts = sorted(folder.glob("team-*.yml"))
    large.write_text("groups:\n" + "".join(part.read_text("utf-8").removeprefix("groups:\n") for part in parts))
    for part in parts:
        part.unlink()
    assert said(copy, "operator") == (
        f"rules/all.yml has {large.stat().st_size} bytes, and the Prometheus Operator takes no rule file of more than "
        "524288: split the file"
    )
