"""Our dashboard: it can be imported, every query is sound, and every alert's signal is drawn with its limits."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dashboards
import metrics
import rules
from dashboards import _draw
from formats.json_types import JsonValue
from tests.support.checkout import ROOT
from tests.support.limits import other
from tests.support.waiting import PATIENCE

BOARD = dashboards.load()
ALERTS = {name: alert for name, alert in rules.alerts().items() if alert.is_house or alert.is_watchdog}
BOARD_NAME = f"dashboards/{dashboards.FILE.name}"
REDRAW = "run python -m dashboards: it draws the limits as they are now"
TEN = [  # the guide's "Verify all panels", word for word, and the one list of them
    "API Error Rate (5xx)",
    "API P95 Latency",
    "Database P95 Query Latency",
    "API Request Rate",
    "API Requests by Status Code",
    "API Response Time Percentiles",
    "P95 Latency by Critical Endpoint",
    "Database Query Latency Percentiles",
    "Database Connection Pool Utilization",
    "Webhook Processing P95 Latency",
]


def limited() -> list[rules.Alert]:
    return [alert for alert in ALERTS.values() if alert.severity in _draw.COLOURS]


def drawing(alert: rules.Alert) -> list[dashboards.Panel]:
    return [panel for panel in BOARD.panels if alert.quantity in map(dashboards.measured, panel.queries)]


def test_the_file_is_its_own_drawing() -> None:
    """`python -m dashboards` redraws it."""
    drawn = dashboards.text(dashboards.draw_limits(BOARD.model, ALERTS))
    assert dashboards.FILE.read_text("utf-8") == drawn, REDRAW
    assert dashboards.text(dashboards.draw_limits(json.loads(drawn), ALERTS.values())) == drawn


def test_limits_are_those_of_the_rules_unless_those_of_the_file_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = json.loads(json.dumps(BOARD.model))
    limits = {panel.id for alert in limited() for panel in drawing(alert)}
    other["panels"] = [
        json.loads(json.dumps(raw).replace('"color": "red"', '"color": "blue"')) if raw["id"] in limits else raw
        for raw in other["panels"]
    ]
    board = replace(BOARD, model=other)
    monkeypatch.setattr(dashboards, "KEPT", tmp_path / "limits-kept.json")
    assert dashboards.deployed(board, ALERTS) == BOARD.model != other
    dashboards.KEPT.write_text("{}")
    assert dashboards.deployed(board, ALERTS) == other


def test_redrawing_says_so() -> None:
    command = [sys.executable, "-m", "dashboards"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout == f"api-performance-baseline.json: as drawn already, {len(BOARD.panels)} panels\n"


def test_the_guides_ten_panels_come_first() -> None:
    assert [panel.title for panel in BOARD.panels[:10]] == TEN, "the guide names these: change TEN too if it is meant"
    assert len({panel.row for panel in BOARD.panels[:10]}) == 1


def test_the_data_source_is_a_variable_that_defaults_to_prometheus() -> None:
    [variable] = BOARD.model["templating"]["list"]
    assert (variable["type"], variable["query"]) == ("datasource", "prometheus")
    assert variable["current"] == {"text": "prometheus", "value": "prometheus"}
    assert "__inputs" not in BOARD.model


@pytest.mark.parametrize("panel", BOARD.panels, ids=lambda panel: panel.title)
def test_queries_use_the_contract_and_fixed_windows(panel: dashboards.Panel) -> None:
    contract, recordings = metrics.load(), rules.recordings()
    assert panel.queries
    for query in panel.queries:
        assert contract.problems(query, recordings) == []
        assert "$" not in query  # a window that follows the zoom would draw another quantity than the alert's


@pytest.mark.parametrize("alert", limited(), ids=lambda alert: alert.name)
def test_every_alert_is_drawn_with_its_limit(alert: rules.Alert) -> None:
    assert drawing(alert), f"give {BOARD_NAME} a panel with the signal of {alert.name}, and run python -m dashboards"
    for panel in drawing(alert):
        assert alert.limit.value in [border for border, _ in panel.thresholds], REDRAW
        raw = next(raw for raw in BOARD.model["panels"] if raw["id"] == panel.id)
        assert {"targetBlank": True, "title": f"Runbook: {alert.name}", "url": alert.annotations["runbook_url"]} in raw[
            "links"
        ]
    assert any(panel.kind == "timeseries" for panel in drawing(alert)), "a line needs a time axis"


def test_panels_are_explained_and_have_units() -> None:
    for raw in BOARD.model["panels"]:
        if raw["type"] == "row":
            continue
        assert raw["description"].endswith("."), raw["title"]
        assert raw["fieldConfig"]["defaults"]["unit"]
        for alert in limited():
            number = rf"(?<![\w.]){re.escape(f'{alert.limit.value:g}')}(?![\w.])"  # P95 and 5xx are none
            assert not re.search(number, raw["description"]), f"{raw['title']}: take {alert.name}'s limit out of it"


def test_the_dashboard_is_the_one_that_alerts_link_to() -> None:
    for alert in ALERTS.values():
        assert alert.annotations["dashboard_url"].split("?")[0].endswith(f"/d/{dashboards.UID}")


# ── drawing ──


def like(limit: str, severity: str) -> rules.Alert:
    sign, number = limit.split()
    alert = ALERTS["APIP95LatencyHigh"]
    return replace(alert, limit=rules.Limit(sign, float(number), limit), labels={**alert.labels, "severity": severity})


@pytest.mark.parametrize(
    ("limits", "steps"),
    [
        ([("> 5", "warning")], [(None, "green"), (5, "orange")]),
        ([("> 9", "critical"), ("> 5", "warning")], [(None, "green"), (5, "orange"), (9, "red")]),
        ([("< 0.25", "warning")], [(None, "orange"), (0.25, "green")]),
        ([("< 0.25", "warning"), ("< 0.1", "critical")], [(None, "red"), (0.1, "orange"), (0.25, "green")]),
        ([("< 1", "warning"), (">= 9", "critical")], [(None, "orange"), (1, "green"), (9, "red")]),
        ([("> 5", "critical"), ("> 9", "warning")], [(None, "green"), (5, "red")]),  # the graver colour holds
        ([("> 0", "critical")], [(None, "green"), (0, "red")]),
    ],
)
def test_colours_follow_the_limits(limits: list[tuple[str, str]], steps: list[tuple[float | None, str]]) -> None:
    drawn = _draw.steps([like(*limit) for limit in limits])
    assert [(step["value"], step["color"]) for step in drawn] == steps


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["<", "<=", ">", ">="]), st.integers(-50, 50), st.sampled_from(["warning", "critical"])
        ),
        min_size=1,
        max_size=4,
    ),
    st.integers(-60, 60).map(lambda n: n + 0.5),
)
def test_a_value_has_the_colour_of_the_gravest_alert_it_would_raise(limits: list[JsonValue], value: float) -> None:
    alerts = [like(f"{sign} {number}", severity) for sign, number, severity in limits]
    colour = [s["color"] for s in _draw.steps(alerts) if s["value"] is None or s["value"] <= value][-1]
    raised = {a.severity for a in alerts if (value < a.limit.value) == a.limit.operator.startswith("<")}
    assert colour == ("red" if "critical" in raised else "orange" if raised else "green")


def test_another_limit_moves_the_line_and_nothing_else() -> None:
    alert = ALERTS["APIP95LatencyHigh"]
    limit = rules.Limit(alert.limit.operator, alert.limit.value * 2, other(alert))
    moved = {**ALERTS, alert.name: replace(alert, limit=limit)}
    before = dashboards.text(BOARD.model).splitlines()
    after = dashboards.text(dashboards.draw_limits(BOARD.model, moved)).splitlines()
    changed = {(old.strip(), new.strip()) for old, new in zip(before, after, strict=True) if old != new}
    line = (f'"value": {_draw._number(alert.limit.value)}', f'"value": {_draw._number(limit.value)}')
    assert line in changed
    assert all(both[0].startswith('"axisSoftMax": ') for both in changed - {line}), "room for the line, and no more"


# ── the reader ──


def change(path: list[str | int], value: object) -> str:
    model = json.loads(dashboards.FILE.read_text("utf-8"))
    place = model
    for key in path[:-1]:
        place = place[key]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return dashboards.text(model)


GOOD = dashboards.FILE.read_text("utf-8")
ROW, FIRST, SECOND = (re.escape(repr(raw["title"])) for raw in BOARD.model["panels"][:3])
REFUSED = [
    ("", r"1: not JSON at column 1"),
    (GOOD.replace('"editable": true,', '"editable": true'), r"\d+: not JSON at column \d+"),
    ("[]", "1: not a dashboard"),
    ("[" * 100_000, "1: nested too deeply"),
    (change(["uid"], "other"), r"\d\d+: the uid is 'other'"),
    (change(["version"], 3), r"\d\d+: version belongs to one Grafana"),
    (change(["title"], None), "1: it has no title"),
    (change(["panels", 2, "id"], BOARD.panels[0].id), rf"\d+: panel {SECOND} has the id \d+, as has {FIRST}"),
    (change(["panels", 2, "gridPos", "x"], 5), rf"\d+: panel {SECOND} lies over {FIRST}"),
    (change(["panels", 2, "gridPos", "x"], 22), rf"\d+: panel {SECOND} has no place in the 24 columns"),
    (change(["panels", 2, "gridPos"], None), rf"\d+: panel {SECOND} has no place"),
    (change(["panels", 2, "title"], None), "1: a panel has no title"),
    (change(["panels", 2, "type"], "graph"), rf"\d+: panel {SECOND} is of type 'graph'"),
    (change(["panels", 2, "targets", 0, "expr"], "sum(rate(x[5m])"), rf"\d+: panel {SECOND}: .*not PromQL"),
    (change(["panels", 2, "targets", 0, "expr"], ""), rf"\d+: panel {SECOND} has an empty query"),
    (change(["panels", 2, "datasource"], {"uid": "P1"}), rf"\d+: panel {SECOND} reads the data source 'P1'"),
    (change(["panels", 0, "collapsed"], True), rf"\d+: row {ROW} is folded up"),
]


@pytest.mark.parametrize(("text", "words"), REFUSED, ids=[words[:50] for _, words in REFUSED])
def test_a_fault_is_one_sentence_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "dashboards" / dashboards.FILE.name
    file.parent.mkdir()
    file.write_text(text, "utf-8")
    with pytest.raises(dashboards.DashboardError, match=rf"^{re.escape(str(file))}:{words}.*$"):
        dashboards.load(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(dashboards.DashboardError, match=r"/none\.json:1: cannot be read"):
        dashboards.load(tmp_path / "none.json")


def test_variables_of_grafana_can_be_read() -> None:
    assert dashboards.measured('rate(x{job=~"$job"}[$__rate_interval])') == rules.normalise('rate(x{job=~"x"}[5m])')
