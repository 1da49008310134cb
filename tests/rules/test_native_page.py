"""docs/native-histograms.md shows what the rewriting gives."""

import re
from pathlib import Path

import rules
from tests.support.checkout import ROOT

ROW = re.compile(r"\| `(.+)` \| `(.+)` \|")
RECORDED = {"m:rate5m", "m:path:rate5m"}
GROUP = """groups:
  - name: api_performance_page
    interval: 30s
    rules:
      - record: m:path:rate5m
        expr: sum by (le, path) (rate(phoenix_http_request_duration_milliseconds_bucket[5m]))
      - record: asked:rate5m
        expr: {expr}
"""
METRIC = "phoenix_http_request_duration_milliseconds"


def test_the_examples_are_what_is_made(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "native-histograms.md").read_text("utf-8")
    first, _, recordings = page.partition("| recorded as classic |")
    assert recordings
    for classic, native in _rows(first, at_least=8):
        assert rules.native_form(classic, {"m"}, RECORDED) == native
    for classic, native in _rows(recordings, at_least=3):
        expr, wanted = (re.sub(r"\bm(?=_bucket|\[)", METRIC, one) for one in (classic, native))
        (tmp_path / "a.yml").write_text(GROUP.format(expr=expr))
        assert rules.recordings(tmp_path, native={METRIC})["asked:rate5m"].expr == wanted


def _rows(text: str, *, at_least: int) -> list[tuple[str, str]]:
    rows = [(found[1], found[2]) for line in text.splitlines() if (found := ROW.fullmatch(line))]
    assert len(rows) >= at_least
    return rows
