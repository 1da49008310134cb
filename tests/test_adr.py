"""The decisions in docs/adr: numbered in order, each with a title, a status and a line in the index."""

import re
from pathlib import Path

import pytest

from tests.support.checkout import ROOT

FOLDER = ROOT / "docs" / "adr"
ROOT = FOLDER.parent.parent
RECORDS = sorted(path for path in FOLDER.glob("*.md") if path.name not in ("README.md", "template.md"))
TITLE = re.compile(r"# (\d+)\. (\S.*)")
STATUS = re.compile(r"Status: ((?:proposed|accepted|rejected|superseded by ADR (?P<by>\d+)), \d{4}-\d\d-\d\d)")
LINK = re.compile(r"\]\(((?!https?:)[^)#]+)(?:#[^)]*)?\)")


def number(path: Path) -> int:
    found = re.fullmatch(r"(\d{4})-[a-z0-9]+(-[a-z0-9]+)*\.md", path.name)
    assert found, f"{path.name}: name it by four digits and words in small letters, such as 0007-a-decision.md"
    return int(found[1])


def head(path: Path) -> tuple[re.Match[str], re.Match[str]]:
    """The title and the status of a decision: its first line, and its third."""
    first, empty, third, *_ = path.read_text("utf-8").split("\n")
    title, status = TITLE.fullmatch(first), STATUS.fullmatch(third)
    assert title, f"{path.name}:1: the title is `# NUMBER. What was decided`"
    assert status and not empty, f"{path.name}:3: the status is one line, `Status: accepted, YYYY-MM-DD`"
    return title, status


def test_numbers_follow_each_other() -> None:
    assert [number(path) for path in RECORDS] == list(range(1, len(RECORDS) + 1))


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_a_record_has_its_number_a_status_and_a_reason(path: Path) -> None:
    title, status = head(path)
    assert int(title[1]) == number(path)
    assert status["by"] is None or int(status["by"]) in map(number, RECORDS)
    text = path.read_text("utf-8")
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1, "one decision a file"
    assert text.count("**Decision.**") == 1
    assert "**Why" in text


def test_the_index_lists_each_once_in_order_with_its_title_and_status() -> None:
    rows = re.findall(r"^\| (\d+) \| \[(.+)\]\((.+)\) \| (.+) \|$", (FOLDER / "README.md").read_text("utf-8"), re.M)
    heads = [(path, *head(path)) for path in RECORDS]
    assert rows == [(title[1], title[2], path.name, status[1]) for path, title, status in heads]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.md")), ids=lambda path: path.stem)
def test_links_lead_somewhere(path: Path) -> None:
    for target in LINK.findall(path.read_text("utf-8")):
        assert (FOLDER / target).exists(), target


def test_what_names_a_record_names_one_that_is_there() -> None:
    """Code and documents name a decision by its number, with or without the rest of the file's name."""
    documents = [ROOT / "README.md", *ROOT.glob("docs/*.md"), *RECORDS]
    code = [
        path for name in ("components", "ops", "formats", "rules", "routing") for path in (ROOT / name).rglob("*.py")
    ]
    named = [
        (path, found)
        for path in (*documents, *code)
        for found in re.findall(r"adr/(\d{4}(?:-[a-z0-9-]+\.md)?)|ADR (\d+)", path.read_text("utf-8"))
    ]
    assert named
    for path, (name, short) in named:
        prefix = name or f"{int(short):04}-"
        assert any(record.name.startswith(prefix) for record in RECORDS), f"{path.relative_to(ROOT)}: {prefix}"
