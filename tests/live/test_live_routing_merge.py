"""Our routing merged into alertmanager.yml files as others write them."""

import json

import pytest
import yaml

import routing
from components.live.text.edit_errors import EditRefused
from components.live.text.marked_lists import LastEdit
from components.live.text.routing_merge import Routing
from routing import tree
from rules import SHADOW
from tests.live.shapes import ALERTMANAGER as SHAPES
from tests.live.shapes import MINIMAL

EDITOR = Routing()
OURS = routing.load().parts().as_json()
SMALL = json.dumps(
    {
        "receivers": [
            {"name": "ours", "email_configs": [{"to": "a@b.example", "headers": {"Subject": "⚠️  Größe\nx"}}]}
        ],
        "routes": [{"receiver": "ours", "matchers": ['component="api"'], "group_by": ["alertname"]}],
        "inhibit_rules": [{"source_matchers": ['a="b"'], "target_matchers": ['a="c"'], "equal": ["component"]}],
        "time_intervals": [
            {"name": "office", "time_intervals": [{"times": [{"start_time": "09:00", "end_time": "17:00"}]}]}
        ],
    }
)


@pytest.mark.parametrize("ours", [OURS, SMALL], ids=["ours", "small"])
@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_in_and_out_again(text: str, ours: str) -> None:
    new = EDITOR.insert(text, ours)
    assert EDITOR.has(new, ours) and not EDITOR.has(text, ours)
    assert EDITOR.insert(new, ours) == new
    assert EDITOR.remove(new) == text
    config, before = (tree.parse(each.replace("\t", " ")) for each in (new, text))
    parts = json.loads(ours)
    assert config["route"]["routes"] == [*parts["routes"], *(before["route"].get("routes") or [])]
    for part in ("receivers", "inhibit_rules", "time_intervals"):
        assert (config.get(part) or []) == [*parts[part], *(before.get(part) or [])]
    assert {line for line in text.splitlines() if line.strip().startswith("#")} <= set(new.splitlines())


def test_changed_routing_takes_the_place_of_the_former() -> None:
    for text in SHAPES.values():
        new = EDITOR.insert(EDITOR.insert(text, OURS), SMALL)
        assert new == EDITOR.insert(text, SMALL)
        assert EDITOR.remove(new) == text


REFUSED = {
    "no route": ("receivers: [{name: a}]\n", "has no route"),
    "no receivers": ("route: {receiver: a}\n", "has no receivers"),
    "empty": ("", "has no route"),
    "route in braces": ("route: {receiver: a}\nreceivers: [{name: a}]\n", "alertmanager.yml:1: route is not a mapping"),
    "route merged": ("x: &x {receiver: a}\nroute:\n  <<: *x\nreceivers: [{name: a}]\n", "merged from elsewhere"),
    "route anchored": ("route: &r\n  receiver: a\nreceivers: [{name: a}]\n", "anchor"),
    "routes are an alias": ("x: &x []\nroute:\n  receiver: a\n  routes: *x\nreceivers: [{name: a}]\n", "is an alias"),
    "two documents": (MINIMAL + "---\n" + MINIMAL, "holds several documents"),
    "key twice": (MINIMAL + "receivers: []\n", "twice"),
    "template": (MINIMAL + "{{ include }}\n", "template"),
}


@pytest.mark.parametrize(("text", "words"), REFUSED.values(), ids=REFUSED)
def test_refused(text: str, words: str) -> None:
    with pytest.raises(EditRefused, match=r"^alertmanager\.yml") as refusal:
        EDITOR.insert(text, SMALL)
    assert words in refusal.value.sentence


def test_what_is_refused_for_its_shape_can_be_pasted_and_is_then_left_alone() -> None:
    text = "route: {receiver: a}\nreceivers:\n  - name: a\n"
    with pytest.raises(EditRefused) as refusal:
        EDITOR.insert(text, SMALL)
    pasted = yaml.safe_load(refusal.value.snippet)
    assert pasted["route"]["routes"] == json.loads(SMALL)["routes"]
    pasted["route"]["receiver"] = "a"
    pasted["receivers"].append({"name": "a"})
    by_hand = json.dumps(pasted)
    assert EDITOR.insert(by_hand, SMALL) == by_hand
    assert EDITOR.remove(by_hand, LastEdit(by_hand, by_hand)) == by_hand
    assert "without our marks" in EDITOR.warnings(by_hand, SMALL)[0]


def test_a_receiver_of_the_same_name_is_refused_with_both_shown() -> None:
    text = MINIMAL + "  - name: ours\n    slack_configs:\n    - api_url: https://hooks.example/SECRET\n"
    with pytest.raises(EditRefused, match="has a receiver named 'ours' already") as refusal:
        EDITOR.insert(text, SMALL)
    assert "# there:\nname: ours\nslack_configs:" in refusal.value.snippet
    assert "# ours:\nname: ours\nemail_configs:" in refusal.value.snippet
    assert "SECRET" not in str(refusal.value)


def test_an_equal_route_is_refused_with_both_shown() -> None:
    text = "route:\n  receiver: d\n  routes:\n  - match: {component: api}\n    receiver: d\nreceivers:\n- name: d\n"
    with pytest.raises(EditRefused, match="has a route with the same matchers already") as refusal:
        EDITOR.insert(text, SMALL)
    assert "match:\n  component: api" in refusal.value.snippet and "receiver: ours" in refusal.value.snippet


@pytest.mark.parametrize("key", ["time_intervals", "mute_time_intervals"])
def test_a_time_interval_of_the_same_name_is_refused(key: str) -> None:
    with pytest.raises(EditRefused, match="has a time interval named 'office' already"):
        EDITOR.insert(MINIMAL + f"{key}:\n- name: office\n  time_intervals: []\n", SMALL)


def test_a_route_of_ours_to_nowhere_is_refused() -> None:
    with pytest.raises(EditRefused, match="names 'ours', and no receiver has that name"):
        EDITOR.insert(MINIMAL, json.dumps({**json.loads(SMALL), "receivers": []}))


def test_what_others_changed_meanwhile_survives() -> None:
    text = SHAPES["everything there"]
    new = EDITOR.insert(text, OURS)

    def edit(text: str) -> str:
        text = text.replace("resolve_timeout:   5m", "resolve_timeout: 9m").replace(
            "- name: pager", "- name: p\n- name: pager"
        )
        return text.replace(
            "        # the pager\n", "        # the pager\n        - receiver: p\n          match: {x: y}\n"
        )

    assert EDITOR.remove(edit(new), LastEdit(text, new)) == edit(text)
    assert EDITOR.remove(edit(new)) == edit(text)
    assert EDITOR.has(edit(new), OURS)
    assert EDITOR.insert(edit(new), SMALL) == EDITOR.insert(edit(text), SMALL)


def test_items_added_to_lists_that_we_made_survive() -> None:
    new = EDITOR.insert(MINIMAL, SMALL)
    edited = new.replace(
        "  # <<< api-performance/route.routes\n", "\\g<0>    - receiver: default\n      match: {x: y}\n"
    )
    edited = new.replace(
        "  # <<< api-performance/route.routes\n",
        "  # <<< api-performance/route.routes\n    - receiver: default\n      match: {x: y}\n",
    )
    edited += "  - name: theirs\n    time_intervals: []\n"
    assert EDITOR.remove(edited, LastEdit(MINIMAL, new)) == (
        "route:\n  routes:\n    - receiver: default\n      match: {x: y}\n  receiver: default\n"
        "receivers:\n  - name: default\ntime_intervals:\n  - name: theirs\n    time_intervals: []\n"
    )


def test_written_anew_without_comments_ours_is_still_found() -> None:
    text = SHAPES["everything there"]
    written = LastEdit(text, EDITOR.insert(text, SMALL))
    anew = yaml.safe_dump(yaml.safe_load(written.after), sort_keys=False)
    assert yaml.safe_load(EDITOR.remove(anew, written)) == yaml.safe_load(text)


# What a preview says.

ALERTS = [
    {"alertname": "APIDown", "component": "api", "severity": "critical", "signal": "traffic"},
    {"alertname": "APISlow", "component": "api", "severity": "warning", "signal": "latency"},
]


def config(routes: str = "", rest: str = "") -> str:
    return f"route:\n  receiver: d\n  routes: [{routes}]\nreceivers:\n- name: d\n- name: pager\n{rest}"


def test_alerts_taken_from_a_live_route_are_named() -> None:
    (sentence,) = EDITOR.warnings(config("{match: {severity: critical}, receiver: pager}"), SMALL, ALERTS)
    assert sentence == (
        'alertmanager.yml: route {severity="critical"} → pager no longer gets APIDown, {component="api", '
        'severity="critical"}: '
        "ours stand first and send them to ours"
    )


def test_alerts_of_others_taken_from_a_live_route_are_named_too() -> None:
    text = config(
        '{matchers: [team=~"web|app", component="api"], receiver: pager}, {match: {component: db}, receiver: pager}'
    )
    (sentence,) = EDITOR.warnings(text, SMALL, ALERTS)
    assert 'no longer gets {component="api", team="web"}' in sentence


PAGER = "{match: {severity: critical}, receiver: pager}"


def test_alerts_that_are_only_tried_are_not_named() -> None:
    """Our own routing has a route for them, whose receiver tells nobody."""
    shadow = {**ALERTS[0], "alertname": "APITried", "stage": SHADOW}
    (sentence,) = EDITOR.warnings(config(PAGER), OURS, [ALERTS[0], shadow])
    assert "no longer gets APIDown, {" in sentence
    assert "stage" not in sentence and "APITried" not in sentence
    assert EDITOR.warnings(config(PAGER), SMALL, [shadow, ALERTS[0]]) == EDITOR.warnings(
        config(PAGER), SMALL, [ALERTS[0]]
    )
    EDITOR.refuse_lost_routes(config(PAGER), OURS, [shadow])


def test_routes_of_others_that_match_our_alerts_too_need_a_decision() -> None:
    with pytest.raises(EditRefused, match=r"→ pager no longer gets APIDown: .* skip \(our .* continue \(those"):
        EDITOR.refuse_lost_routes(config(PAGER), SMALL, ALERTS)
    EDITOR.refuse_lost_routes(config("{match: {team: web}, receiver: pager}"), SMALL, ALERTS)
    continuing = json.dumps({**json.loads(SMALL), "routes": [{**json.loads(SMALL)["routes"][0], "continue": True}]})
    EDITOR.refuse_lost_routes(config(PAGER), continuing, ALERTS)


def test_with_continue_nobody_loses() -> None:
    ours = json.loads(SMALL)
    ours["routes"][0]["continue"] = True
    assert EDITOR.warnings(config("{match: {severity: critical}, receiver: pager}"), json.dumps(ours), ALERTS) == []


def test_the_fallback_loses_nothing_worth_saying() -> None:
    assert EDITOR.warnings(MINIMAL, SMALL, ALERTS) == []
    assert EDITOR.warnings(EDITOR.insert(MINIMAL, SMALL), SMALL, ALERTS) == []


@pytest.mark.parametrize(
    ("equal", "words"),
    [("[cluster]", "anywhere: ours carry none"), ("[component]", "with the same component"), ("[alertname]", None)],
)
def test_live_inhibitions_that_can_mute_ours_are_named(equal: str, words: str | None) -> None:
    rule = "inhibit_rules:\n- source_match: {severity: critical}\n  target_match: {severity: warning}\n"
    rule += f"  equal: {equal}\n"
    found = EDITOR.warnings(config("", rest=rule), SMALL, ALERTS)
    assert len(found) == (words is not None)
    if words:
        assert f'inhibition 1 mutes APISlow while an alert with severity="critical" fires {words}' in found[0]


def test_a_live_text_that_cannot_be_read_is_said() -> None:
    assert (
        "could not check what our routes change"
        in EDITOR.warnings("route: {receiver: x, matchers: ['!!']}", SMALL, ALERTS)[0]
    )
