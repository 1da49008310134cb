"""The layouts' table of docs/compatibility.md names tests that exist, and a row stands for a whole life."""

import subprocess
import sys

import pytest

from tests.compat import compatibility_page, layouts_table
from tests.e2e import layouts, layouts_served
from tests.e2e.lives import STEPS, Layout, lives
from tests.support.checkout import ROOT


def test_the_page_has_the_table_as_it_is_now() -> None:
    assert layouts_table.section() in compatibility_page.FILE.read_text("utf-8"), "run `make docs`"


def test_each_row_names_a_test_that_pytest_finds_and_each_of_these_tests_has_a_row() -> None:
    files = sorted({f"tests/e2e/{test.partition('::')[0]}" for test in layouts_table.TESTS})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "e2e", "-o", "addopts="]
    done = subprocess.run([*command, *files], cwd=ROOT, capture_output=True, text=True, check=False)
    found = {line for line in done.stdout.splitlines() if "::" in line}
    assert found == set(layouts_table.node_ids()), done.stdout + done.stderr


def test_every_layout_of_the_file_is_in_the_table_once_and_has_a_page_that_exists() -> None:
    defined = [*vars(layouts).values(), *vars(layouts_served).values()]
    every = {one for one in defined if isinstance(one, type) and issubclass(one, Layout)} - {Layout}
    assert set(layouts.EVERY) == every and len(layouts.EVERY) == len(every)
    assert len({layout.name for layout in every}) == len({layout.title for layout in every}) == len(every)
    for layout in every:
        assert not layout.page or (ROOT / "docs" / "stacks" / f"{layout.page}.md").is_file()


def test_a_life_is_every_step_in_the_order_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    for name, step in STEPS.items():
        monkeypatch.setattr(Layout, step.__name__, lambda _, name=name: done.append(name))
    lives(object.__new__(Layout))
    assert done == list(STEPS)
