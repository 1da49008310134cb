"""docs/architecture.md: its diagram says what the code says, and its walks name what is there."""

import ast
import re
from pathlib import Path

import pytest

from ops.reference import rooms_diagram
from ops.reference.rooms_diagram import arrows, diagram, inserted, main_arrows
from tests.support.checkout import ROOT

PAGE = ROOT / "docs" / "architecture.md"
WALKS = PAGE.read_text("utf-8").split("\n## Walk ")[1:]
# A linked file, or a function such as `name()` or `Class.name()`, which stands in the file that is linked before it.
NAMED = re.compile(r"\]\((?P<file>\.\./[^)#]+)\)|`(?P<function>[\w.]+)\(\)`")


def functions(path: Path) -> set[str]:
    """The functions and methods of a module, such as `load` and `Contract.hold`."""
    found = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{one.name}" for one in node.body if isinstance(one, ast.FunctionDef)}
    return found


def steps(walk: str) -> list[str]:
    return re.split(r"\n(?=\d+\. |\n)", walk)


def test_there_are_three_walks() -> None:
    assert len(WALKS) == 3
    assert all(sum(NAMED.search(step) is not None for step in steps(walk)) >= 4 for walk in WALKS)


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.partition("\n")[0])
def test_every_file_and_function_of_a_walk_is_there(walk: str) -> None:
    for step in steps(walk):
        file: Path | None = None
        for named in NAMED.finditer(step):
            if named["file"]:
                file = (PAGE.parent / named["file"]).resolve()
                assert file.is_file(), f"{named['file']} is not there: {step}"
            else:
                assert file, f"no file is linked before {named[0]}: {step}"
                assert named["function"] in functions(file), f"{file.name} has no {named[0]}: {step}"


def test_a_link_shows_the_path_that_it_leads_to() -> None:
    links = re.findall(r"\[([^\]]+)\]\(\.\./([^)#]+)\)", PAGE.read_text("utf-8"))
    assert [shown for shown, target in links if shown.replace("\\", "") != target] == []


# ── the diagram ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_diagram_has_every_package_and_only_imports_that_there_are() -> None:
    text = diagram(ROOT)
    for package in ("rules", "formats", "components/alert_rules", "components/live/text", "ops/verbs", "ops/clients"):
        assert f'["{package}"]' in text
    every, shown = arrows(ROOT), main_arrows(arrows(ROOT))
    assert "rules" in every["components.alert_rules"]
    assert "rules" not in shown["components.alert_rules"], "which it reaches through others"
    assert all(shown[room].items() <= every[room].items() for room in every)
    assert "  ops_cli -.-> ops_verbs" in text.splitlines(), "verbs are loaded by name"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository of four rooms: verbs → stack → data, and data that needs nothing."""
    files = {
        "__main__.py": "import data\n",
        "data/__init__.py": "",
        "ops/__init__.py": "",
        "ops/cli.py": 'VERBS = {"a": "ops.verbs.a:run"}\n',
        "ops/errors.py": "",
        "ops/verbs/__init__.py": "",
        "ops/verbs/a.py": "import data\nfrom ops import errors\nfrom ops.stack import b\n",
        "ops/stack/__init__.py": "",
        "ops/stack/b.py": "from data import x\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_arrows_are_imports_and_what_is_loaded_by_name(tree: Path) -> None:
    assert arrows(tree) == {
        "__main__": {"data": False},
        "data": {},
        "ops.cli": {"ops.verbs": True},
        "ops.stack": {"data": False},
        "ops.verbs": {"data": False, "ops.stack": False},
    }


def test_an_arrow_that_a_longer_way_says_is_left_out(tree: Path) -> None:
    assert main_arrows(arrows(tree))["ops.verbs"] == {"ops.stack": False}
    (tree / "ops/stack/b.py").write_text("from ops.verbs import a\n")
    shown = main_arrows(arrows(tree))
    assert shown["ops.stack"] == {"ops.verbs": False} and shown["ops.verbs"] == {"data": False, "ops.stack": False}


def test_another_import_changes_the_page(tree: Path) -> None:
    page = f"before\n{rooms_diagram.BEGIN}\nold\n{rooms_diagram.END}\nafter\n"
    first = inserted(page, tree)
    assert first.startswith("before\n") and first.endswith("\nafter\n") and "old" not in first
    assert inserted(first, tree) == first
    (tree / "data/__init__.py").write_text("import ops.stack.b\n")
    assert "  data --> ops_stack" in inserted(first, tree)


def test_a_page_without_its_marks_is_refused(tree: Path) -> None:
    with pytest.raises(ValueError, match=r"docs/architecture\.md lacks <!-- begin rooms"):
        inserted("no marks", tree)
