"""One real Prometheus keeps the same scrapes in both forms, and both sets of expressions answer the same."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings

import dashboards
import rules
from ops import build_tools
from ops.clients.prometheus import Prometheus
from ops.errors import Refused
from ops.faults.scaled_clock import Clock
from ops.replay.recordings import expand
from rules import Recording
from tests.rules.test_native import HISTOGRAMS, expressions
from tests.support.native_histograms import NATIVE, scraped

pytestmark = pytest.mark.skipif(not build_tools.find("prometheus"), reason="`make tools` brings Prometheus")

# The histograms of the random expressions, and ours.
NAMES = dict(zip(sorted(HISTOGRAMS), sorted(NATIVE), strict=False))
MATCHERS = ['path!=""', 'status=~"2..|5.."', 'status!~"4.."', 'instance!="x"', 'method="POST"', 'path="/nowhere"']
RANDOM = expressions(MATCHERS, ["1m", "10s", "1h", "30s:1s"], ["", "", " offset 2s", " @ end()"])
EXAMPLES = 100
WORKING = datetime(2026, 3, 18, 12, tzinfo=UTC).timestamp()  # a Wednesday at noon: some alerts look at no other time


@dataclass(frozen=True)
class Both:
    """The server, and the moment (seconds since the epoch) at which it is asked."""

    server: Prometheus
    at: float

    def answers(self, expr: str) -> Mapping[tuple[tuple[str, str], ...], float]:
        """The series without their names, which a number of a native histogram does not have."""
        found = self.server.query(expr, self.at)
        return {tuple(sorted((k, v) for k, v in one.labels.items() if k != "__name__")): one.value for one in found}

    def same(self, classic: str, native: str) -> int:
        """How many series both give; AssertionError where they differ."""
        before, after = self.answers(classic), self.answers(native)
        assert before.keys() == after.keys(), (classic, native)
        for labels, value in before.items():
            other = after[labels]
            assert math.isclose(value, other, rel_tol=1e-9) or (math.isnan(value) and math.isnan(other)), (
                f"{value} by {classic}\n{other} by {native}"
            )
        return len(before)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """The stand-in application with faults, scraped once for both forms."""
    with scraped(tmp_path_factory.mktemp("prometheus"), classic=True, native=True) as server:
        yield Both(server, server.query("count_over_time(up[1h])")[0].at)


def test_each_alert_recording_and_panel_reads_the_same(both: Both) -> None:
    classic, native = rules.alerts(), rules.alerts(native=NATIVE)
    # as often as there are samples
    recorded = _as_often(rules.recordings())
    recorded_native = _as_often(rules.recordings(native=NATIVE))
    clock = Clock(1.0, both.at, WORKING)
    seen = {
        name: both.same(
            clock.expression(expand(classic[name].signal, recorded)),
            clock.expression(expand(native[name].signal, recorded_native)),
        )
        for name in classic
    }
    histograms = rules.recorded_histograms(native=NATIVE)
    assert len(histograms) >= 2
    for name in recorded:  # of a histogram, what is read of it
        of = "histogram_quantile(0.9, {})" if name in histograms else "{}"
        before, after = expand(recorded[name].expr, recorded), expand(recorded_native[name].expr, recorded_native)
        seen[name] = both.same(of.format(before), of.format(after))
    for one, other in zip(dashboards.load().panels, dashboards.load(native=NATIVE).panels, strict=True):
        for query, native_query in zip(one.queries, other.queries, strict=True):
            if query not in recorded:  # 30 days, one by one, would take minutes; what is recorded was compared above
                seen[query] = both.same(expand(query, recorded), expand(native_query, recorded_native))
    assert len(classic) >= 15
    assert not [name for name, count in seen.items() if not count], "a query without an answer proves nothing"


def _as_often(recordings: Mapping[str, Recording]) -> dict[str, Recording]:
    """Recorded each second, and a minute of what is recorded: there are samples of a few seconds."""
    return {
        name: replace(one, interval=1.0, expr=re.sub(r"((?::\w+|\)))\[\w+(?::\w+)?\]", r"\1[1m:1s]", one.expr))
        for name, one in recordings.items()
    }


def test_random_expressions_read_the_same(both: Both) -> None:
    answered: list[int] = []

    @settings(max_examples=EXAMPLES, derandomize=True)
    @given(RANDOM)
    def hold(classic: str) -> None:
        written = re.sub(r"\b(m|other_ms)(_count|_sum|_bucket)\b", lambda one: NAMES[one[1]] + one[2], classic)
        native = rules.native_form(written, NATIVE)
        try:
            both.answers(written)
        except Refused:  # as of series that cannot be matched: in both forms
            with pytest.raises(Refused):
                both.answers(native)
        else:
            answered.append(both.same(written, native))

    hold()
    assert sum(count > 0 for count in answered) > EXAMPLES / 5, "answers without series prove nothing"
