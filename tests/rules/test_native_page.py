"""docs/native-histograms.md shows what the rewriting gives."""

import re

import rules
from tests.support.checkout import ROOT

ROW = re.compile(r"\| `(.+)` \| `(.+)` \|")


def test_the_examples_are_what_is_made() -> None:
    page = (ROOT / "docs" / "native-histograms.md").read_text("utf-8")
    rows = [found.groups() for line in page.splitlines() if (found := ROW.fullmatch(line))]
    assert len(rows) >= 6
    for classic, native in rows:
        assert rules.native_form(classic, {"m"}) == native
