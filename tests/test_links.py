"""Every link from one document to another file or heading of this repository leads there."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.checkout import ROOT

LISTED = subprocess.run(["git", "ls-files", "-z", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
DOCUMENTS = [ROOT / name for name in LISTED.split("\0") if name and (ROOT / name).is_file()]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")


def headings(path: Path) -> list[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    found = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document: Path) -> None:
    for name, anchor in LINK.findall(document.read_text("utf-8")):
        target = (document.parent / name).resolve() if name else document
        assert target.exists(), f"{name} is not there"
        assert not anchor or anchor in headings(target), f"{name or document.name} has no heading #{anchor}"


def test_links_are_found() -> None:
    every = [link for path in DOCUMENTS for link in LINK.findall(path.read_text("utf-8"))]
    assert len(every) > 50 and any(anchor for _, anchor in every)
