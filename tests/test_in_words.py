"""What is deployed, in words: each change of a file changes a line, and nothing else changes one."""

from collections.abc import Callable
from dataclasses import replace

import pytest

import dashboards
import routing
import rules
from components.in_words import dashboard_in_words, routing_in_words, rules_in_words, shown_limit
from formats.json_types import JsonObject, JsonValue
from routing import Parts
from tests.support.limits import after_name, changed, other

ROUTING = routing.load()
FILES = rules.load()
UNITS = dashboards.units()
ALERT = next(alert for alert in rules.alerts().values() if alert.is_house)


def rule_lines(change: Callable[[str], str] = lambda text: text) -> list[str]:
    """The rules in words, with the file of `ALERT` changed."""
    files = [rules.parse(change(file.text), file.path) if file.name == ALERT.file.name else file for file in FILES]
    return rules_in_words(files, ROUTING, UNITS)


def difference(before: list[str], after: list[str]) -> tuple[list[str], list[str]]:
    """The lines that went, and those that came."""
    return [line for line in before if line not in after], [line for line in after if line not in before]


def test_each_alert_and_recording_has_a_line() -> None:
    lines = rule_lines()
    assert len(lines) == len(set(lines)) == sum(len(group.rules) for file in FILES for group in file.groups)
    for alert in rules.alerts().values():
        (line,) = (line for line in lines if line.startswith(f"alert {alert.name}: "))
        assert f", {alert.severity}, to " in line


def test_a_limit_is_said_with_its_unit() -> None:
    gone, come = difference(rule_lines(), rule_lines(changed(ALERT, other(ALERT))))
    assert [line.partition(": ")[0] for line in gone] == [line.partition(": ")[0] for line in come]
    assert gone[0].partition(" for ")[2] == come[0].partition(" for ")[2]
    assert "%" in come[0] or " ms" in come[0] or UNITS[ALERT.quantity] in ("", "none", "short")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("for: ", "for: 1", "for "),
        ("severity: warning", "severity: critical", "critical"),
        (" >= 3", " >= 4", "query"),
        ("summary: ", "summary: Really, ", "texts"),
        ("signal: ", "signal: other-", "texts"),
    ],
)
def test_each_change_of_an_alert_changes_its_line_and_no_other(old: str, new: str, words: str) -> None:
    gone, come = difference(rule_lines(), rule_lines(after_name(ALERT, old, new)))
    assert len(gone) == len(come) == 1
    assert gone[0].startswith(f"alert {ALERT.name}: ")
    assert words in come[0]


def test_a_comment_changes_no_line() -> None:
    assert difference(rule_lines(), rule_lines(lambda text: f"# a comment\n{text}")) == ([], [])


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (1234.5678, "ms", "> 1234.5678 ms"),
        (0.0123, "percentunit", "> 1.23%"),
        (14.4, "", "> 14.4"),
        (1e9, "reqps", "> 1000000000 req/s"),
        (0.1 + 0.2, "short", "> 0.3"),
    ],
)
def test_a_limit_is_said_in_full(value: float, unit: str, words: str) -> None:
    assert shown_limit(replace(ALERT, limit=replace(ALERT.limit, operator=">", value=value)), unit) == words


def parts(**changes: JsonValue) -> Parts:
    return replace(ROUTING.parts(), **changes)


def test_each_route_receiver_and_inhibition_has_a_line() -> None:
    lines = routing_in_words(parts(), None)
    kinds = [line.partition(" ")[0] for line in lines]
    config = parts()
    assert kinds.count("receiver") == len(config.receivers)
    assert kinds.count("inhibition") == len(config.inhibit_rules)
    assert kinds.count("route") >= len(config.routes)


def test_a_whole_configuration_has_its_first_route_and_fallback_too() -> None:
    lines = routing_in_words(parts(), ROUTING.config)
    assert lines[0].startswith("route everything to ")
    assert [line for line in lines if line.startswith("receiver fallback: ")]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("repeat_interval", "77m", "again every 1 h 17 min"),
        ("group_wait", "7s", "first after 7 s"),
        ("group_by", ["alertname"], "by alertname"),
        ("continue", True, "and goes on"),
        ("receiver", "database-critical", "to database-critical"),
    ],
)
def test_each_setting_of_a_route_is_said(key: str, value: JsonValue, words: str) -> None:
    first, *others = ROUTING.parts().routes
    gone, come = difference(
        routing_in_words(parts(), None), routing_in_words(parts(routes=({**first, key: value}, *others)), None)
    )
    assert len(gone) == len(come) == 1
    assert words in come[0]


def test_routes_in_another_order_are_said_to_be() -> None:
    gone, come = difference(
        routing_in_words(parts(), None), routing_in_words(parts(routes=ROUTING.parts().routes[::-1]), None)
    )
    assert [line.partition(" (")[0] for line in (*gone, *come)] == ["routes in this order"] * 2


def test_a_changed_text_of_a_receiver_is_seen_and_its_secrets_are_not() -> None:
    hook = {"name": "hook", "webhook_configs": [{"url": "https://hooks.example/services/T0/SECRET"}]}
    lines = routing_in_words(parts(receivers=(hook,)), None)
    (line,) = (line for line in lines if line.startswith("receiver hook: "))
    assert line.startswith("receiver hook: webhook https://hooks.example/… (")
    assert "SECRET" not in "".join(lines)
    other_hook = {"name": "hook", "webhook_configs": [{"url": "https://hooks.example/services/T0/OTHER"}]}
    assert line not in routing_in_words(parts(receivers=(other_hook,)), None)


def test_a_receivers_texts_and_settings_are_told_apart() -> None:
    def line(**mail: str) -> str:
        told = {"to": "a@example.org", "html": "{{ .Status }}", **mail}
        receiver = {"name": "r", "email_configs": [told]}
        (found,) = (one for one in routing_in_words(parts(receivers=(receiver,)), None) if one.startswith("receiver "))
        return found

    def texts(found: str) -> str:
        return found.partition("(")[2].partition(",")[0]

    assert texts(line(html="{{ .Status }}!")) != texts(line())
    assert texts(line(smarthost="b:25")) == texts(line())
    assert line(smarthost="b:25") != line()


def model(change: Callable[[JsonObject], None] = lambda model: None) -> list[str]:
    found = dashboards.draw_limits(dashboards.load().model, rules.alerts())
    change(found)
    return dashboard_in_words(found, rules.alerts().values())


def test_each_panel_has_a_line() -> None:
    lines = model()
    for panel in dashboards.load().panels:
        assert [line for line in lines if line.startswith(f"panel {panel.title}: ")]


def test_a_renamed_panel_is_one_line() -> None:
    def rename(model: JsonObject) -> None:
        model["panels"][1]["title"] = "Another title"

    gone, come = difference(model(), model(rename))
    assert len(gone) == len(come) == 1
    assert come[0].startswith("panel Another title: ")
    assert gone[0].partition(": ")[2] == come[0].partition(": ")[2]


def test_a_changed_limit_changes_no_line_of_the_dashboard() -> None:
    """The alert's line says it."""
    alerts = {name: replace(alert, limit=replace(alert.limit, value=77.0)) for name, alert in rules.alerts().items()}
    redrawn = dashboards.draw_limits(dashboards.load().model, alerts)
    assert dashboard_in_words(redrawn, alerts.values()) == model()


def test_a_limit_that_no_alert_has_is_seen() -> None:
    def paint(model: JsonObject) -> None:
        panel = next(one for one in model["panels"] if one.get("title") == "API Requests by Status Code")
        panel["fieldConfig"]["defaults"]["thresholds"] = {"mode": "absolute", "steps": [{"color": "red", "value": 5}]}

    gone, come = difference(model(), model(paint))
    assert len(gone) == len(come) == 1
