"""The replay, held to a Prometheus that evaluates: the same rules live, and the same expressions over a past."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import routing
import rules
from formats.json_types import JsonObject
from ops.clients.http import Http
from ops.clients.prometheus import Prometheus
from ops.errors import BadAnswer, Misconfigured
from ops.replay import Rules, coverage, observe, run
from ops.replay.fetch import Answer, Question, ask
from ops.replay.recordings import expand
from ops.replay.signals import crosses, observed, signal
from rules import Alert, Limit
from tests.support import past, real_servers
from tests.support.waiting import until

END = int(time.time()) // 60 * 60 - 120
HOURS = 9
EVALUATIONS = 18


def alert(name: str, signal: str, limit: Limit, **more: object) -> Alert:
    fields: dict[str, object] = {
        "group": "g",
        "interval": 1.0,
        "file": Path("x.yml"),
        "line": 1,
        "limit_line": 1,
        "for_": 0.0,
        "keep_firing_for": 0.0,
        "labels": {},
        "annotations": {},
        **more,
    }
    return Alert(name=name, expr=f"{signal}\n{limit.text}", signal=signal, limit=limit, **fields)  # type: ignore[arg-type]


# The clock makes signals that come and go: no scraping is needed. Several label sets, NaN, and a series that vanishes.
LIVE = [
    alert("Plain", 'label_replace(vector(time() % 7), "k", "v", "", "")', Limit(">", 3.0, "> 3")),
    alert("Held", "vector(time() % 9)", Limit(">=", 4.0, ">= 4"), for_=2.0),
    alert("Kept", "vector(time() % 6)", Limit("<", 2.0, "< 2"), keep_firing_for=3.0),
    alert("Both", "vector(time() % 11)", Limit("<", 7.0, "< 7"), for_=3.0, keep_firing_for=2.0),
    alert("NotANumber", "vector(time() % 5) / 0 * 0", Limit("!=", 1.0, "!= 1"), for_=1.0),
    alert("Gone", "(vector(time() % 8) > 2 and vector(time() % 3) != 0)", Limit(">", 0.0, "> 0"), for_=1.0),
    alert(
        "Two",
        '(label_replace(vector(time() % 4), "k", "a", "", "") or label_replace(vector(time() % 5), "k", "b", "", ""))',
        Limit(">", 1.0, "> 1"),
        for_=1.0,
        keep_firing_for=1.0,
        labels={"severity": "warning", "k2": "x"},
    ),
    alert("Never", "vector(1)", Limit(">", 1.0, "> 1")),
]


def test_states_are_those_of_a_running_prometheus(tmp_path: Path) -> None:
    """Let a real Prometheus evaluate some times, then replay those moments: ALERTS has to be the same.

    At which moments that was is recorded: a Prometheus that has too much to do leaves some out.
    """
    group = {
        "name": "g",
        "interval": "1s",
        "rules": [
            {"record": "evaluated", "expr": "vector(1)"},
            *(
                {
                    "alert": one.name,
                    "expr": one.expr,
                    "for": f"{one.for_:g}s",
                    "keep_firing_for": f"{one.keep_firing_for:g}s",
                    "labels": dict(one.labels),
                }
                for one in LIVE
            ),
        ],
    }
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [group]}))
    with real_servers.prometheus(tmp_path, json.dumps({"rule_files": [str(tmp_path / "rules.yml")]})) as server:

        def ranged(query: str) -> list[JsonObject]:
            found: list[JsonObject] = server.http.get_json("/api/v1/query", {"query": query})["data"]["result"]
            return found

        def evaluated() -> list[int]:
            (series,) = ranged("evaluated[10m]") or [{"values": []}]
            return [round(float(at) * 1000) for at, _ in series["values"]]

        until(lambda: len(evaluated()) >= EVALUATIONS, "not evaluated often enough")
        moments, data = evaluated(), ranged("ALERTS[10m]")
        real: dict[frozenset[tuple[str, str]], dict[int, str]] = {}
        for row in data:
            labels = {name: value for name, value in row["metric"].items() if name != "__name__"}
            state = labels.pop("alertstate")
            for at, _ in row["values"]:
                real.setdefault(frozenset(labels.items()), {})[round(float(at) * 1000)] = state
        questions = {one.name: Question(one.signal, range(moments[0], moments[-1] + 1, 1000)) for one in LIVE}
        answers = ask(server, questions.values())
    known = moments[2:]  # a group that has just been started writes ALERTS from its third evaluation on
    real = {labels: {at: state for at, state in states.items() if at in known} for labels, states in real.items()}
    real = {labels: states for labels, states in real.items() if states}
    replayed: dict[frozenset[tuple[str, str]], dict[int, str]] = {}
    for one in LIVE:
        start, end = moments[0] / 1000, moments[-1] / 1000
        found = signal(one, start, end, moments, answers[questions[one.name]]).replay()
        for episode in found.episodes:
            first, last = round(episode.start * 1000), round(episode.end * 1000) - (0 if episode.open else 1)
            states = {at: episode.state for at in known if first <= at <= last}
            replayed.setdefault(frozenset(episode.labels.items()), {}).update(states)
    assert {labels: states for labels, states in replayed.items() if states} == real
    assert {state for states in real.values() for state in states.values()} == {"pending", "firing"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with (
        past.prometheus(tmp_path_factory.mktemp("past"), hours=HOURS, end=END) as url,
        Http(url, name="Prometheus") as http,
    ):
        yield Prometheus(http)


@pytest.mark.parametrize("name", rules.alerts())
def test_the_limit_is_the_same_here_as_there(server: Prometheus, name: str) -> None:
    """What is kept of the signal here is what Prometheus keeps of the whole expression, at every moment."""
    one, known = rules.alerts()[name], rules.recordings()
    moments = range((END - 3 * 3600) * 1000, END * 1000, 60_000)
    whole, part = Question(expand(one.expr, known), moments), Question(expand(one.signal, known), moments)
    answers = ask(server, [whole, part])
    theirs = {(labels, at) for labels, points in answers[whole].series.items() for at in points}
    ours = {
        (labels, at)
        for labels, points in answers[part].series.items()
        for at, value in points.items()
        if crosses(one.limit, value)
    }
    assert ours == theirs


def test_pieces_are_the_whole(server: Prometheus) -> None:
    """A query in pieces, some of them refused as too large, has the same points as one at once."""
    query = 'rate(phoenix_http_request_duration_milliseconds_count{status="200"}[5m])'
    moments = range((END - 8 * 3600) * 1000, END * 1000, 3_000)
    assert len(moments) == 9600
    pieces = ask(server, [Question(query, moments)])[Question(query, moments)]
    (series,) = server.query_range(query, moments[0] / 1000, moments[-1] / 1000, 3)
    ((_, points),) = pieces.series.items()
    assert points == {round(at * 1000): value for at, value in series.points}


def test_a_slow_hour_is_found_and_one_query_serves_two_limits(server: Prometheus) -> None:
    observation = observe(server, past.alerts()["APIP95LatencyHigh"], END - 4 * 3600, END)
    found = observation.replay()
    assert found.times_fired == 1
    assert END - 3600 + 600 <= found.firing[0].start <= END - 3600 + 900
    assert found.firing[0].open
    assert observation.replay(Limit(">", 4900.0, "> 4900")).times_fired == 0
    (values,) = [points for _, points in observation.values()]
    assert max(value for _, value in values) == pytest.approx(4800, rel=0.01)


def test_recordings_that_were_not_recorded_are_computed(server: Prometheus) -> None:
    ours = Rules("working tree", rules.alerts(), rules.recordings())
    config = routing.load().config
    outcome = run(server, [ours], ["APIErrorBudgetBurnFast"], END - 3600, END, config)
    assert any("computed from what these recordings read" in note for note in outcome.notes)
    fetched = observe(server, ours.alerts["APIErrorBudgetBurnFast"], END - 3600, END)
    (points,) = [points for _, points in fetched.values()]
    objective = rules.objective(rules.load())
    assert objective and points[-1][1] == pytest.approx(0.01 / (1 - objective), rel=0.05)  # one per cent are errors


def test_what_is_not_covered_is_said(server: Prometheus) -> None:
    ours = Rules("working tree", rules.alerts(), rules.recordings())
    outcome = run(server, [ours], list(rules.alerts()), END - 30 * 3600, END, routing.load().config)
    assert outcome.covered == pytest.approx(HOURS * 3600, abs=600)
    assert "has data for" in outcome.notes[0]
    absent = outcome.versions[0].replays["APIMetricsAbsent"]
    assert not absent.episodes  # nobody looked, so nobody missed anything


def test_no_data_at_all_is_an_error(server: Prometheus) -> None:
    with pytest.raises(BadAnswer, match="has no data between"):
        observe(server, rules.alerts()["APIErrorRateHigh"], 1e9, 1e9 + 3600)


def test_mails_of_a_critical_alert_replace_those_of_the_warning(server: Prometheus) -> None:
    """The other alert is replayed too where only the warning was asked for, since it mutes it."""
    known = past.alerts()
    strict = {
        **known,
        "APIP95LatencyCritical": alert(
            "APIP95LatencyCritical",
            known["APIP95LatencyCritical"].signal,
            Limit(">", 1000.0, "> 1000"),
            interval=30.0,
            labels=known["APIP95LatencyCritical"].labels,
        ),
    }
    config = routing.load().config
    names = ["APIP95LatencyHigh"]
    both = [Rules("a", known, rules.recordings()), Rules("b", strict, rules.recordings())]
    usual, muted = run(server, both, names, END - 7200, END, config).versions
    assert usual.replays["APIP95LatencyHigh"].episodes == muted.replays["APIP95LatencyHigh"].episodes
    assert usual.sent("APIP95LatencyHigh") == 1
    assert muted.sent("APIP95LatencyHigh") == 0


def test_how_far_an_expression_looks_back() -> None:
    assert coverage.lookback("rate(x[5m] offset 1w)") == 7 * 86400 + 300
    assert coverage.lookback("max_over_time(rate(x[5m])[1h:1m] offset 10m) + y offset 2h") == 7200
    assert coverage.lookback("vector(1)") == 0


def test_evaluations_without_data_are_left_out() -> None:
    moments = range(5, 1000, 10)
    assert observed(moments, [(100, 130), (500, 505)]) == [105, 115, 125, 505]
    assert observed(moments, [(-50, 20), (990, 2000)]) == [5, 15, 995]
    assert observed(moments, []) == []


def test_two_series_that_become_one_alert_are_refused() -> None:
    one = alert("A", "x", Limit(">", 0.0, "> 0"), labels={"k": "same"})
    answer = ((("k", "a"),), {1000: 1.0}), ((("k", "b"),), {1000: 1.0})
    with pytest.raises(Misconfigured, match="become the same alert"):
        signal(one, 0, 2, [1000], Answer(dict(answer))).replay()
