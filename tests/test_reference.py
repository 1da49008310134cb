"""The pages that `make docs` writes: current, complete, and the same in every terminal."""

import os
import re
import subprocess
import sys

import pytest

from components import settings
from ops.cli import VERBS
from ops.reference import __main__ as reference
from ops.reference import code, commands_page, settings_page, table
from ops.repo.files import Edit
from tests.support.checkout import ROOT
from tests.support.waiting import PATIENCE

COMMANDS, SETTINGS = commands_page.page(), settings_page.page()


@pytest.mark.parametrize("edit", reference.edits(), ids=lambda edit: edit.path.name)
def test_a_page_is_current(edit: Edit) -> None:
    assert not edit.changes, f"docs/{edit.path.name} is not what follows from the code: run make docs"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_section_with_its_usage(verb: str) -> None:
    assert re.search(rf"^## {verb}( \w+)?$", COMMANDS, re.MULTILINE)
    assert re.search(rf"^    bin/ops {verb} ", COMMANDS, re.MULTILINE)


def test_options_stand_with_value_default_and_environment() -> None:
    section = COMMANDS.partition("\n## verify\n")[2].partition("\n## ")[0]
    assert "| `--format text\\|json` | `text` |" in section
    assert "| `--target NAME` | `prod` |" in section and "`OPS_TARGET`" in section
    assert "| `--success-criteria` | – |" in section
    assert "| `--out PATH` | (needed) |" in COMMANDS
    assert "| `--document PATH` | `docs/tracking.md` |" in COMMANDS, "no path of this machine"
    assert "| `--verify`, `--no-verify` | `--verify` |" in COMMANDS


def test_every_row_says_what_it_is() -> None:
    rows = [line for page in (COMMANDS, SETTINGS) for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) > 2 * len(settings.schema())
    assert [row for row in rows if re.search(r"\|\s*\|$", row)] == []


def test_the_code_asks_for_each_variable_that_is_named() -> None:
    source = "".join(path.read_text("utf-8") for path in (ROOT / "ops").rglob("*.py") if "reference" not in path.parts)
    assert [name for name in commands_page.VARIABLES if f'"{name}"' not in source] == []


def test_every_setting_stands_with_its_type_default_and_values() -> None:
    for key, entry in settings.schema().items():
        (row,) = [line for line in SETTINGS.splitlines() if line.startswith(f"| `{key}` |")]
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
        assert cells[1].split(",")[0] == entry["type"]
        assert cells[2].strip("`") == str(entry["default"]).replace("False", "false") or cells[2] == "(empty)"
        for value in re.findall(r"`(\w+)`", cells[3]):
            needs = {"alertmanagerMode": "configmap"} if key != "alertmanagerMode" else {}
            settings.read({"rulerUrl": "https://mimir.example", **needs, key: value}, where="a test")


def test_of_the_values_that_are_listed_no_other_is_taken() -> None:
    listed = re.findall(r"^\| `(\w+)` \| \w+ \| \S+ \| `", SETTINGS, re.MULTILINE)
    assert len(listed) >= 8
    for key in listed:
        with pytest.raises(settings.SettingsError, match=f"{key} is 'other'; give "):
            settings.read({key: "other"}, where="a test")


def test_a_bar_in_a_cell_ends_no_cell() -> None:
    assert table(("a", "b"), [(code("x|y"), "")]) == "| a | b |\n|---|---|\n| `x\\|y` |  |\n"


def test_a_narrow_terminal_changes_nothing() -> None:
    script = "import sys; from ops.reference import commands_page; sys.stdout.write(commands_page.page())"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "40", "TERMINAL_WIDTH": "40", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert done.stdout == COMMANDS
