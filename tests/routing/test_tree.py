"""The routing and inhibition of `routing.tree`, held against Alertmanager itself."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from formats.json_types import JsonObject
from ops import build_tools
from routing import RoutingError, tree
from tests.support import real_servers
from tests.support.waiting import PATIENCE, until

LABELS = ("component", "severity", "path")
VALUES = ("", "api", "warning", "x", "xy", "é", "a b")
PATTERNS = ("", "api", "x.*", "x|api", ".+", "[^x]*", "(?i)API", r"\w+", "x?y?", "é", "^api$", "a.b")


# ── routing, against amtool ──

matchers = st.builds(
    lambda name, operator, value, pattern: f'{name}{operator}"{(pattern if "~" in operator else value)}"'.replace(
        "\\", "\\\\"
    ),
    st.sampled_from(LABELS),
    st.sampled_from(["=", "!=", "=~", "!~"]),
    st.sampled_from(VALUES),
    st.sampled_from(PATTERNS),
)
conditions = st.one_of(
    st.fixed_dictionaries({"matchers": st.lists(matchers, max_size=2)}),
    st.fixed_dictionaries({"match": st.dictionaries(st.sampled_from(LABELS), st.sampled_from(VALUES), max_size=2)}),
    st.fixed_dictionaries(
        {"match_re": st.dictionaries(st.sampled_from(LABELS), st.sampled_from(PATTERNS), max_size=2)}
    ),
)
routes: st.SearchStrategy[JsonObject] = st.recursive(
    st.builds(dict),
    lambda inner: st.fixed_dictionaries({"routes": st.lists(inner, min_size=1, max_size=4)}),
    max_leaves=9,
)


@st.composite
def configurations(draw: st.DrawFn) -> JsonObject:
    """A valid configuration in which most routes have a receiver of their own."""
    count = 0

    def fill(route: JsonObject) -> JsonObject:
        nonlocal count
        result: JsonObject = dict(draw(conditions))
        if draw(st.integers(0, 3)):
            count += 1
            result["receiver"] = f"r{count}"
        if draw(st.booleans()):
            result["continue"] = draw(st.booleans())
        if route:
            result["routes"] = [fill(child) for child in route["routes"]]
        return result

    root = {"receiver": "r0", "routes": [fill(route) for route in draw(st.lists(routes, min_size=1, max_size=4))]}
    return {"route": root, "receivers": [{"name": f"r{number}"} for number in range(count + 1)]}


@seed(20261123)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    configurations(),
    st.lists(st.dictionaries(st.sampled_from(LABELS), st.sampled_from(VALUES)), min_size=3, max_size=3),
)
def test_alerts_go_where_alertmanager_sends_them(
    tmp_path: Path, config: JsonObject, alerts: list[dict[str, str]]
) -> None:
    file = tmp_path / "alertmanager.yml"
    file.write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
    assert tree.parse(file.read_text("utf-8")) == config
    for labels in alerts:
        given = [f'{name}="{value}"' for name, value in labels.items()] or ['unused="1"']
        command = [str(build_tools.path("amtool")), "config", "routes", "test", "--config.file", str(file), *given]
        said = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout.strip()
        assert ",".join(match.receiver for match in tree.matches(config, labels)) == said


def test_settings_are_inherited() -> None:
    config = tree.parse("""
        route:
          receiver: a
          group_by: [x, b]
          repeat_interval: 1h30m
          routes:
            - group_wait: 0s
              active_time_intervals: [work]
              routes:
                - matchers: [n="1"]
                  group_by: []
                - matchers: [n="2"]
                  group_by: ['...']
                  receiver: b
            - continue: true
    """)
    first, second = (tree.matches(config, {"n": n})[0] for n in "12")
    assert (first.receiver, first.group_by, first.position) == ("a", (), (0, 0))
    assert (first.group_wait, first.group_interval, first.repeat_interval) == (0.0, 300.0, 5400.0)
    assert first.active_time_intervals == ()  # intervals are not inherited
    assert first.path == ("{}", "{}", '{n="1"}')
    assert (second.receiver, second.group_by) == ("b", ("...",))
    [third] = tree.matches(config, {})
    assert (third.group_by, third.position, third.active_time_intervals) == (("b", "x"), (0,), ("work",))


def test_defaults_are_alertmanagers() -> None:
    [match] = tree.matches({"route": {"receiver": "a"}}, {})
    assert (match.group_wait, match.group_interval, match.repeat_interval) == (30.0, 300.0, 14400.0)


def test_text_stays_text() -> None:
    config = tree.parse("route: {receiver: 17:00, routes: [{match: {a: 1.10, b: yes, c: 0x1}, receiver: on}]}")
    assert config["route"]["receiver"] == "17:00"
    assert config["route"]["routes"][0] == {"match": {"a": "1.10", "b": "yes", "c": "0x1"}, "receiver": "on"}


@pytest.mark.parametrize(
    "config", [{}, {"route": None}, {"route": {"matchers": ["a"]}}, {"route": {"group_wait": "1 s"}}]
)
def test_what_cannot_be_answered_is_refused(config: JsonObject) -> None:
    with pytest.raises(RoutingError):
        tree.matches(config, {})


# ── inhibition and time intervals, against a running Alertmanager ──

RULES: list[JsonObject] = [
    {
        "source_matchers": ['severity="critical"'],
        "target_matchers": ['severity="warning"'],
        "equal": ["rule", "component"],
    },
    {"source_match": {"kind": "s"}, "target_match_re": {"kind": "s|t"}, "equal": ["rule", "absent"]},
    {"source_matchers": ["kind=~s.*"], "target_matchers": ['kind!="s"'], "equal": ["rule"]},
    {"source_matchers": ['kind="never"'], "target_matchers": [], "equal": []},
]
ALERTS = [
    {"rule": "a", "severity": "critical", "component": "api"},
    {"rule": "a", "severity": "warning", "component": "api"},
    {"rule": "a", "severity": "warning", "component": "database"},
    {"rule": "a", "severity": "warning"},
    {"rule": "b", "severity": "critical"},
    {"rule": "b", "severity": "warning"},  # missing on both sides counts as equal
    {"rule": "b", "severity": "warning", "component": "api"},
    {"rule": "c", "kind": "s"},  # both ends: not muted by itself
    {"rule": "c", "kind": "t"},
    {"rule": "d", "kind": "t"},
    {"rule": "e", "kind": "st"},  # both ends of the third rule
    {"rule": "e", "kind": "u"},
]


INTERVALS = """
mute_time_intervals:
- name: old
  time_intervals: [{weekdays: [Monday:Friday, sunday]}]
time_intervals:
- name: all fields
  time_intervals:
  - weekdays: [saturday]
  - times: [{start_time: "08:00", end_time: "24:00"}, {start_time: 00:00, end_time: 01:00}]
    weekdays: [sunday, 'monday:friday']
    days_of_month: ['1:5', -1, '10:-1']
    months: ['january:march', june, '7']
    years: [2030, '2031:2033']
    location: Europe/Berlin
- name: none
  time_intervals: []
"""


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[str]:
    config = {"route": {"receiver": "r", "group_by": ["rule"]}, "receivers": [{"name": "r"}], "inhibit_rules": RULES}
    with real_servers.alertmanager(tmp_path, yaml.safe_dump(config) + INTERVALS) as server:
        yield server.url


def test_alerts_are_muted_as_alertmanager_mutes_them(alertmanager: str) -> None:
    config = {"route": {"receiver": "r"}, "inhibit_rules": RULES}
    named = [{"alertname": f"A{number}", **labels} for number, labels in enumerate(ALERTS)]
    httpx.post(f"{alertmanager}/api/v2/alerts", json=[{"labels": labels} for labels in named]).raise_for_status()
    expected = {labels["alertname"]: bool(tree.inhibitors(config, labels, named)) for labels in named}
    assert sorted(name for name, muted in expected.items() if muted) == ["A1", "A11", "A5", "A8"]

    def found() -> dict[str, bool]:
        alerts = httpx.get(f"{alertmanager}/api/v2/alerts").json()
        return {alert["labels"]["alertname"]: bool(alert["status"]["inhibitedBy"]) for alert in alerts}

    # the group's first flush decides; Alertmanager shows it afterwards
    until(lambda: found() == expected, lambda: f"muted are {found()}")


def test_times_are_alike_as_written_and_as_alertmanager_shows_them(alertmanager: str) -> None:
    shown = httpx.get(f"{alertmanager}/api/v2/status").json()["config"]["original"]
    written = tree.intervals(tree.parse(INTERVALS))
    assert tree.intervals(tree.parse(shown)) == written
    assert {*written} == {"old", "all fields", "none"}
    for old, new in (
        ("08:00", "08:01"),
        ("saturday", "sunday"),
        ("june", "may"),
        ("Berlin", "Paris"),
        ("2033", "2034"),
    ):
        assert tree.intervals(tree.parse(INTERVALS.replace(old, new)))["all fields"] != written["all fields"], old


def test_a_time_interval_that_cannot_be_read_is_named() -> None:
    with pytest.raises(RoutingError, match="time interval x cannot be read"):
        tree.intervals({"time_intervals": [{"name": "x", "time_intervals": [{"weekdays": ["moonday"]}]}]})
