"""The contract where Prometheus has its histograms as native ones."""

from pathlib import Path

import pytest

import dashboards
import rules
from tests.metrics.test_contract import CONTRACT, ONE, load


@pytest.mark.parametrize(
    ("expr", "words"),
    [
        ("histogram_quantile(0.9, sum by (path) (rate(x_milliseconds[5m])))", None),
        ("sum(histogram_count(rate(x_milliseconds[5m]))) + sum(rate(n_total[5m])) + level", None),
        ("rate(x_milliseconds_count[5m])", "it is a native histogram, so ask for x_milliseconds"),
        ("histogram_quantile(0.9, x_milliseconds)", "take its rate() before a quantile"),
        ("sum by (le) (rate(x_milliseconds[5m]))", "x_milliseconds has no label le"),
    ],
)
def test_of_native_histograms_the_name_alone_is_a_series(tmp_path: Path, expr: str, words: str | None) -> None:
    contract = load(tmp_path, ONE).of_form("native")
    assert contract.series.keys() == {"x_milliseconds", "n_total", "level"}
    problems = contract.problems(expr)
    assert [words in problem for problem in problems if words] == ([True] if words else [])
    assert bool(problems) == bool(words)
    assert contract.of_form("classic").series == load(tmp_path, ONE).series


def test_our_rules_and_panels_hold_in_the_native_form_too() -> None:
    native = CONTRACT.of_form("native")
    read = native.native
    recordings = rules.recordings(native=read)
    native.hold(rules.alerts(native=read).values(), recordings)
    for panel in dashboards.load(native=read).panels:
        for query in panel.queries:
            assert not native.problems(query, recordings)
