"""What the Prometheus Operator makes of our routing, read back without one: all of it runs, or what lacks is named."""

from collections.abc import Mapping

import pytest

import routing
import rules
from components.alert_routing import alertmanager_config
from components.live.cluster import operator_overrides
from components.live.provider import Props
from components.live.running import compare, operator_names, operator_readback
from components.live.running.compare import HIDDEN
from components.live.running.wanted import wanted_routing
from formats.json_types import JsonObject, JsonValue
from routing import tree
from tests.live.api_server import Api
from tests.live.operator_objects import NAMESPACE, ROUTING, props

LABELS = [{**alert.labels, "alertname": alert.name} for alert in rules.alerts().values()]
DRILL = {"alertname": "TestAPIAlert", "severity": "warning", "component": "api"}


# ── what it makes of ours ───────────────────────────────────────────────────────────────────────────

PARTS = alertmanager_config.below_one_route(routing.load().parts(), LABELS)
BEGIN = "monitoring/api-monitoring/"
RUNS: Props = {"namespace": "monitoring", "prometheus": None, "operated": {"routing": ROUTING}}


def generated(matchers: tuple[str, ...] = ()) -> JsonObject:
    """What the operator makes of `PARTS`, among parts of others; `matchers`: what it adds."""

    def named(route: Mapping[str, JsonValue]) -> JsonObject:
        below = [named(child) for child in route.get("routes") or ()]
        return {**route, "receiver": BEGIN + route["receiver"], **({"routes": below} if below else {})}

    def mail(entry: Mapping[str, JsonValue]) -> JsonObject:
        plain = {key: value for key, value in entry.items() if key != "auth_password_file"}
        return {**plain, "auth_password": HIDDEN}

    (one,) = PARTS.routes
    return {
        "route": {
            "receiver": "default",
            "group_by": ["job"],
            "routes": [
                {"receiver": "monitoring/other/api-critical", "continue": True},
                {**named(one), "matchers": [*one["matchers"], *matchers]},
                {"receiver": "billing", "matchers": ['team="billing"']},
            ],
        },
        "receivers": [
            {"name": "default"},
            {"name": "monitoring/other/api-critical"},
            *(
                {"name": BEGIN + one["name"], "email_configs": [mail(entry) for entry in one.get("email_configs", ())]}
                for one in PARTS.receivers
            ),
        ],
        "inhibit_rules": [
            {"source_matchers": ["a=b=c"], "target_matchers": []},  # nothing that can be read, and nothing of ours
            *(
                {**rule, **{f"{end}_matchers": [*rule[f"{end}_matchers"], *matchers] for end in ("source", "target")}}
                for rule in PARTS.inhibit_rules
            ),
        ],
    }


def lacks(config: Mapping[str, JsonValue]) -> list[str]:
    readable = {**config, "inhibit_rules": config["inhibit_rules"][1:]}
    return compare.routing_not_running(wanted_routing(PARTS), operator_names.our_part(readable, RUNS))


@pytest.mark.parametrize("matchers", [(), ('namespace="monitoring"',)])
def test_what_it_generates_of_ours_runs_as_written(matchers: tuple[str, ...]) -> None:
    assert lacks(generated(matchers)) == []


def test_what_differs_from_ours_is_named() -> None:
    config = generated()
    ours = config["route"]["routes"][1]
    ours["routes"][0]["group_wait"] = "59s"
    config["receivers"][2]["email_configs"][0]["to"] = "nobody@example.org"
    del config["receivers"][3]
    config["inhibit_rules"][1]["equal"] = ["component"]
    shown = "".join(["{", ",".join(sorted(map(str, ours["matchers"]))), "}"])
    name, gone = (receiver["name"] for receiver in PARTS.receivers[:2])
    found = lacks(config)
    assert found[:3] == [
        f"route {shown} runs with other settings",
        f"receiver {name} runs with another to",
        f"receiver {gone} does not run",
    ]
    assert [fault.startswith("inhibition ") for fault in found[3:]] == [True]


def test_a_route_of_ours_that_takes_less_is_named() -> None:
    """As after a new component, until the operator has seen it."""
    config = generated()
    config["route"]["routes"][1]["matchers"] = ['component=~"api"']
    assert any("does not run" in fault for fault in lacks(config))


def test_unreadable_parts_of_others_are_no_hindrance() -> None:
    assert operator_names.our_part(generated(), RUNS)["route"]["routes"]


def test_nothing_of_ours_is_one_sentence() -> None:
    config = {"route": {"receiver": "default"}, "receivers": [{"name": "default"}, {"name": "api-critical"}]}
    plain = operator_names.our_part(config, RUNS)
    assert operator_readback.not_taken_up(plain, RUNS) == [
        "AlertmanagerConfig monitoring/api-monitoring is not in what it runs"
    ]
    assert compare.routing_still_running(wanted_routing(PARTS), plain, []) == []


def test_a_matcher_that_keeps_our_alerts_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    narrowed = generated(('namespace="monitoring"',))
    (fault,) = operator_readback.added_matcher(narrowed, RUNS)
    assert 'added a matcher to our routes: namespace="monitoring", a label that our alerts do not have' in fault
    assert operator_readback.added_matcher(generated(), RUNS) == []
    monkeypatch.setattr(operator_overrides, "external_label", lambda _props, _label: "monitoring")
    assert operator_readback.added_matcher(narrowed, RUNS) == []


def test_where_nothing_goes_by_the_operator_the_configuration_is_read_as_it_is() -> None:
    config = {"route": {"receiver": "default"}, "receivers": [{"name": "default"}]}
    assert operator_names.our_part(config, {"namespace": "monitoring", "operated": None}) is config


def test_what_the_operator_last_said_of_ours_is_told(cluster: tuple[Api, str]) -> None:
    def event(name: str, at: str, message: str) -> JsonObject:
        return {"involvedObject": {"name": name}, "lastTimestamp": at, "message": message}

    cluster[0].objects[f"{NAMESPACE}/events"] = {
        "items": [
            event("api-monitoring", "2026-11-24T12:00:01Z", "rejected: later"),
            event("api-monitoring", "2026-11-24T12:00:00Z", "rejected: before"),
            event("platform", "2026-11-24T12:00:02Z", "of others"),
        ]
    }
    said = {**props(cluster[1]), "operated": {"routing": ROUTING}}
    assert operator_readback.rejections(said) == ["the operator said at 2026-11-24T12:00:01Z: rejected: later"]
    cluster[0].forbid.add(f"{NAMESPACE}/events")
    assert operator_readback.rejections(said) == []


# ── what we ask of it ───────────────────────────────────────────────────────────────────────────────


def test_one_route_takes_our_alerts_and_none_of_others() -> None:
    config = {"route": {"receiver": "-", "routes": list(PARTS.routes)}}
    plain = routing.load().config
    for labels in [*LABELS, DRILL]:
        assert [m.receiver for m in tree.matches(config, labels)] == [m.receiver for m in tree.matches(plain, labels)]
    for others in ({}, {"severity": "critical"}, {"component": "api"}, {"component": "api", "severity": "page"}):
        assert [match.receiver for match in tree.matches(config, others)] == ["-"]


def test_older_forms_of_matchers_are_not_lost() -> None:
    """A route without its matchers would take every alert."""
    route = {"receiver": "x", "match": {"a": "1"}, "match_re": {"b": "2|3"}, "matchers": ['c!="4"']}
    parts = routing.Parts(receivers=(), routes=(route,), inhibit_rules=(), time_intervals=())
    matched = alertmanager_config.spec(parts, None)["route"]["matchers"]
    assert [(m["name"], m["matchType"], m["value"]) for m in matched] == [
        ("a", "=", "1"),
        ("b", "=~", "2|3"),
        ("c", "!=", "4"),
    ]
