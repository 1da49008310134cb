"""What an alert reads computed from raw series, held to the same alert read from what was recorded."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import rules
from ops.clients.prometheus import Prometheus
from ops.replay.fetch import Question, ask
from ops.replay.recordings import expand
from ops.sandbox.blocks import selector_of, write_series
from ops.sandbox.evaluation import evaluating
from ops.sandbox.past_traffic import Incident, PastTraffic, recording_levels

END = 1_704_891_600  # 2024-01-10 13:00 UTC, in working hours
HOURS = 5
INCIDENT = Incident(5400, 1800, {"errors": 0.2, "slow": 3000.0, "db_slow": 300.0})
OURS, KNOWN = rules.alerts(), rules.recordings()
SIGNALS = {name: alert.signal for name, alert in OURS.items() if not alert.is_watchdog} | {
    "with an offset": "min_over_time(avg_over_time(api:http_requests:increase5m[30m])[1h:15m] offset 90m)",
    "of the past": "api:http_requests:increase5m offset 1h + api:http_request_errors:ratio_rate2h offset 30m",
    "of a recording of recordings": "max_over_time(api:http_request_errors:ratio_rate1h[20m:2m])",
    "the budget": "max_over_time(api:http_request_errors:budget_left30d[10m])",
}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus with hours of traffic and what our rules record of it, each group at multiples of its interval."""
    database = tmp_path_factory.mktemp("recorded") / "data"
    past = PastTraffic(database, HOURS * 3600, step=15.0, end=END, faults=[INCIDENT], seed=1)
    past.traffic()
    for names in recording_levels():
        _record(database, names, past.start)
    with evaluating(database, 55.0) as prometheus:  # what is recorded each minute has a value until the next one
        yield prometheus


def _record(database: Path, names: set[str], start: float) -> None:
    found: dict[float, list[tuple[str, dict[float, float]]]] = {}
    with evaluating(database, 15.0) as prometheus:
        for name in sorted(names):
            one = KNOWN[name]
            for series in prometheus.query_range(one.expr, start, END, one.interval):
                labels = {key: value for key, value in {**series.labels, **one.labels}.items() if key != "__name__"}
                found.setdefault(one.interval, []).append((selector_of(name, labels), dict(series.points)))
    for interval, every in found.items():
        times = [start + number * interval for number in range(int((END - start) // interval) + 1)]
        lines = [(name, [repr(points[at]) if at in points else "" for at in times]) for name, points in every]
        write_series(database, lines, np.array(times))


@pytest.mark.parametrize("name", SIGNALS)
def test_computed_from_raw_series_it_has_the_value_that_was_recorded(recorded: Prometheus, name: str) -> None:
    """At each evaluation, whether nothing is recorded or all that counts five minutes, and however often it is read."""
    base = {one: recording for one, recording in KNOWN.items() if not one.endswith("increase5m")}
    signal = SIGNALS[name]
    forms = [(signal, 30), *((expand(signal, of, 30.0), 30) for of in (KNOWN, base)), (expand(signal, KNOWN), 10)]
    asked = [Question(text, range((END - 7200) * 1000, END * 1000, step * 1000)) for text, step in forms]
    answers = ask(recorded, asked)
    theirs = answers[asked[0]].series
    assert any(math.isfinite(value) for points in theirs.values() for value in points.values())
    for question in asked[1:]:
        ours = answers[question].series
        assert ours.keys() == theirs.keys()
        for labels, points in theirs.items():
            at_same = {at: value for at, value in ours[labels].items() if at in asked[0].at}
            assert at_same == pytest.approx(points, nan_ok=True), question.query
