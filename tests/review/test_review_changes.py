"""What a change says of itself: each kind of change in words, and who is told."""

from collections.abc import Callable
from dataclasses import replace

import pytest

import dashboards
from formats.json_types import JsonObject, JsonValue
from ops.review import changes
from routing import tree
from tests.review.reviewed import ALERT, NOW, review, with_routes, with_rules, without
from tests.support.limits import after_name, changed, other


def test_nothing_changed_is_said_so() -> None:
    found = review(NOW, preview=replace(review(NOW).preview, changes={"same": 12}))
    assert found.changes.nothing
    assert found.verdict == "Nothing that is deployed changes"
    assert found.sign == "✅"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (changed(ALERT, other(ALERT)), "limit "),
        (after_name(ALERT, "for: ", "for: 1"), "for "),
        (after_name(ALERT, "severity: warning", "severity: critical"), "severity warning → critical"),
        (after_name(ALERT, "increase5m /", "increase1h /"), "another query"),
        (after_name(ALERT, "summary: ", "summary: Really, "), "another summary"),
        (after_name(ALERT, "signal: ", "owner: sre\n          signal: "), "owner none → sre"),
        (after_name(ALERT, "team: ", "team: other-"), f"team {ALERT.team} → other-{ALERT.team}"),
        (after_name(ALERT, "for: ", "keep_firing_for: 7m\n        for: "), "keep_firing_for "),
    ],
)
def test_each_change_of_an_alert_has_a_clause(change: Callable[[str], str], words: str) -> None:
    (found,) = changes.between(NOW, with_rules(change)).alerts
    assert (found.name, found.kind) == (ALERT.name, "changed")
    assert [clause for clause in found.words if clause.startswith(words)]


def test_a_limit_has_its_unit_once_on_each_side() -> None:
    (found,) = changes.between(NOW, with_rules(changed(ALERT, other(ALERT)))).alerts
    (words,) = found.words
    before, _, now = words.removeprefix("limit ").partition(" → ")
    assert before.startswith(f"{ALERT.limit.operator} ")
    assert now[0].isdigit()
    assert before.strip("<>= 0123456789.") == now.strip(" 0123456789.")


def test_a_new_and_a_gone_alert_are_said_with_their_receivers() -> None:
    gone = changes.between(NOW, with_rules(without(ALERT.name)))
    new = changes.between(with_rules(without(ALERT.name)), NOW)
    assert [(one.name, one.kind) for one in gone.alerts] == [(ALERT.name, "gone")]
    assert [(one.name, one.kind) for one in new.alerts] == [(ALERT.name, "new")]
    assert gone.alerts[0].words == new.alerts[0].words
    assert gone.told[ALERT.name].now == () == new.told[ALERT.name].before
    assert new.told[ALERT.name].now == gone.told[ALERT.name].before != ()


def test_an_alert_that_changes_its_severity_tells_others() -> None:
    found = review(with_rules(after_name(ALERT, "severity: warning", "severity: critical")))
    told = found.changes.retold[ALERT.name]
    assert set(found.changes.retold) == {ALERT.name}
    assert told.before != told.now
    assert "others than before are told of 1 alert" in found.verdict


def test_a_shadow_tells_nobody_and_leaving_the_label_out_is_a_promotion() -> None:
    shadow = with_rules(after_name(ALERT, "team: ", "stage: shadow\n          team: "))
    made, promoted = changes.between(NOW, shadow), changes.between(shadow, NOW)
    [change] = made.alerts
    assert change.words == ("becomes a shadow, which tells nobody",)
    assert made.retold[ALERT.name].now == () and made.retold[ALERT.name].before
    assert f"nobody is told of {ALERT.name} any more" in review(shadow).verdict
    [change] = promoted.alerts
    assert change.words == ("promoted: no shadow any more",)
    assert promoted.retold[ALERT.name].before == () and promoted.retold[ALERT.name].now


def first(config: JsonObject) -> JsonObject:
    route: JsonObject = next(one for one in config["route"]["routes"] if tree.sends(config, one["receiver"]))
    return route


def slower(config: JsonValue) -> None:
    first(config)["repeat_interval"] = "77m"


def elsewhere(config: JsonValue) -> None:
    first(config)["receiver"] = config["route"]["routes"][-1]["receiver"]


@pytest.mark.parametrize(("change", "retold"), [(slower, False), (elsewhere, True)])
def test_a_changed_route_is_one_line_and_says_whom_it_tells(change: Callable[[JsonValue], None], retold: bool) -> None:
    found = changes.between(NOW, with_routes(change))
    gone, come = found.lines["routing"]
    routes = [line for line in (*gone, *come) if line.startswith("route ")]
    assert len(routes) == 2
    assert bool(found.retold) == retold
    assert not found.alerts


def test_a_renamed_panel_is_one_line() -> None:
    model: JsonObject = {**NOW.dashboard.model}
    model["panels"] = [dict(panel) for panel in model["panels"]]
    model["panels"][1]["title"] = "Another title"
    found = changes.between(NOW, replace(NOW, dashboard=replace(NOW.dashboard, model=model)))
    gone, come = found.lines["dashboard"]
    assert [line.partition(":")[0] for line in come] == ["panel Another title"]
    assert [line.partition(":")[0] for line in gone] == [f"panel {dashboards.load().panels[0].title}"]


def test_a_changed_setting_is_a_line() -> None:
    found = review(replace(NOW, settings={**NOW.settings, "rulesMode": "shared"}))
    _, come = found.changes.lines["settings"]
    assert come == ("rulesMode: shared",)
    assert found.verdict == "1 setting changes"
