"""What goes by the Prometheus Operator, without one: tests/e2e/test_operator.py holds the same to the real one."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import routing
import rules
from components.alert_routing import alertmanager_config
from components.live.cluster import operator_overrides
from components.live.cluster.operator_preflight import refuse_what_operator_ignores
from components.live.cluster.selectors import selects
from components.live.resources import WithdrawnProvider
from components.live.running import compare, operator_names, operator_readback
from components.live.running.compare import HIDDEN
from components.live.running.wanted import wanted_routing
from components.live.text.edit_errors import EditRefused
from ops.clients.kubernetes import Kubernetes
from routing import tree
from tests.live.api_server import Api, serving

LABELS = [{**alert.labels, "alertname": alert.name} for alert in rules.alerts().values()]
DRILL = {"alertname": "TestAPIAlert", "severity": "warning", "component": "api"}
OURS = {"release": "prometheus"}
ROUTING = {"name": "api-monitoring", "labels": OURS, "secrets": [{"name": "mail", "key": "password"}], "bare": True}
RULES = {"name": "api-monitoring-", "labels": OURS}
ROOT = "/apis/monitoring.coreos.com"
NAMESPACE = "/api/v1/namespaces/monitoring"
STRATEGY = {"alertmanagerConfigMatcherStrategy": {"type": "None"}}


# ── whether the operator would take it up ───────────────────────────────────────────────────────────


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[Api, str]]:
    with serving(tmp_path) as (api, kubeconfig):
        api.objects[f"{ROOT}/v1"] = {"resources": [{"kind": "PrometheusRule"}]}
        api.objects[f"{ROOT}/v1alpha1"] = {"resources": [{"kind": "AlertmanagerConfig"}]}
        servers(api, prometheuses={"ruleSelector": {"matchLabels": OURS}})
        servers(api, alertmanagers={"alertmanagerConfigSelector": {}, **STRATEGY})
        api.put(f"{NAMESPACE}/secrets/mail", data={"password": "aHVudGVyMg=="})
        api.put(NAMESPACE, kind="Namespace")
        yield api, kubeconfig


def servers(api: Api, **specs: Mapping[str, Any]) -> None:
    for plural, spec in specs.items():
        path = f"{ROOT}/v1/namespaces/monitoring/{plural}"
        api.objects[path] = {"items": [{"metadata": {"name": "one"}, "spec": dict(spec)}]}


def props(kubeconfig: str) -> dict[str, Any]:
    return {
        **{"kubeconfig": kubeconfig, "context": None, "namespace": "monitoring", "prometheus": None},
        "operated": {"routing": ROUTING, "rules": RULES},
    }


def look(cluster: tuple[Api, str]) -> None:
    refuse_what_operator_ignores(Kubernetes(cluster[1]), props(cluster[1]))


def without(path: str) -> Callable[[Api], object]:
    return lambda api: api.objects.pop(path)


def test_what_is_taken_up_passes(cluster: tuple[Api, str]) -> None:
    look(cluster)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            without(f"{ROOT}/v1"),
            r"the cluster knows no PrometheusRule .*: install the Prometheus Operator .* rulesMode ",
        ),
        (
            without(f"{ROOT}/v1alpha1"),
            r"the cluster knows no AlertmanagerConfig .* or set alertmanagerMode to configmap",
        ),
        (
            without(f"{ROOT}/v1/namespaces/monitoring/prometheuses"),
            r"there is no Prometheus object in namespace monitoring .*: is the namespace right\?",
        ),
        (
            lambda api: servers(api, prometheuses={"ruleSelector": {"matchLabels": {"release": "x"}}}),
            r"no Prometheus object in namespace monitoring selects a PrometheusRule there with the labels "
            r"release=prometheus: set operatorLabels to what its ruleSelector .*'release': 'x'",
        ),
        (
            lambda api: servers(api, prometheuses={"ruleSelector": None}),
            "no Prometheus object in namespace monitoring selects",
        ),
        (
            lambda api: servers(
                api, prometheuses={"ruleSelector": {}, "ruleNamespaceSelector": {"matchLabels": {"monitored": "yes"}}}
            ),
            "no Prometheus object in namespace monitoring selects",
        ),
        (
            lambda api: servers(api, prometheuses={"ruleSelector": {}, "enforcedNamespaceLabel": "ns"}),
            r'Prometheus object one has the operator write ns="monitoring" into every query .*excludedFromEnforcement',
        ),
        (
            lambda api: servers(api, alertmanagers={"alertmanagerConfigSelector": {}}),
            r'Alertmanager object one has the operator add a matcher to our routes: namespace="monitoring", a label',
        ),
        (
            without(f"{NAMESPACE}/secrets/mail"),
            r"Secret monitoring/mail, which our AlertmanagerConfig needs, is not th",
        ),
        (
            lambda api: api.put(f"{NAMESPACE}/secrets/mail", data={"x": ""}),
            "Secret monitoring/mail has no key password",
        ),
    ],
)
def test_what_would_not_be_is_refused(cluster: tuple[Api, str], change: Callable[[Api], object], says: str) -> None:
    change(cluster[0])
    with pytest.raises(EditRefused, match=says):
        look(cluster)
    news = {**props(cluster[1]), "own": [], "manager": "m"}
    (failure,) = WithdrawnProvider().check({}, news).failures
    assert "\n" not in failure.reason


def test_of_several_things_the_same_is_named_each_time(cluster: tuple[Api, str]) -> None:
    """The engine hands mappings over in any order."""
    for plural in ("prometheuses", "alertmanagers"):
        servers(cluster[0], **{plural: {}})
    for order in (("rules", "routing"), ("routing", "rules")):
        given = props(cluster[1])
        given["operated"] = {part: given["operated"][part] for part in order}
        with pytest.raises(EditRefused, match="no Prometheus object in namespace monitoring selects"):
            refuse_what_operator_ignores(Kubernetes(cluster[1]), given)


def test_rules_left_out_of_what_is_enforced_and_alerts_with_the_label_pass(cluster: tuple[Api, str]) -> None:
    left_out = [{"resource": "prometheusrules", "namespace": "monitoring", "group": "monitoring.coreos.com"}]
    enforced = {"enforcedNamespaceLabel": "namespace", "excludedFromEnforcement": left_out}
    servers(cluster[0], prometheuses={"ruleSelector": {}, **enforced})
    servers(cluster[0], alertmanagers={"alertmanagerConfigSelector": {}})
    labelled = {"rules": RULES, "routing": {**ROUTING, "bare": False}}
    refuse_what_operator_ignores(Kubernetes(cluster[1]), {**props(cluster[1]), "operated": labelled})


def test_an_account_that_may_not_look_is_told_so(cluster: tuple[Api, str], capsys: pytest.CaptureFixture[str]) -> None:
    for plural in ("prometheuses", "alertmanagers"):
        cluster[0].forbid.add(f"{ROOT}/v1/namespaces/monitoring/{plural}")
    look(cluster)
    said = capsys.readouterr().out
    assert "could not check whether the operator takes up our PrometheusRule" in said
    assert "could not check whether the operator takes up our AlertmanagerConfig" in said


def test_a_secret_that_it_may_not_read_is_left_to_the_operator(cluster: tuple[Api, str]) -> None:
    cluster[0].forbid.add(f"{NAMESPACE}/secrets/mail")
    look(cluster)


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"a": "1"}}, True),
        ({"matchLabels": {"a": "1", "c": "3"}}, False),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["0", "1"]}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["0", "1"]}]}, False),
        ({"matchExpressions": [{"key": "c", "operator": "NotIn", "values": ["3"]}]}, True),
        ({"matchExpressions": [{"key": "b", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "c", "operator": "Exists"}]}, False),
        ({"matchLabels": {"a": "1"}, "matchExpressions": [{"key": "b", "operator": "DoesNotExist"}]}, False),
    ],
)
def test_selectors_are_read_as_kubernetes_does(selector: Mapping[str, Any] | None, selected: bool) -> None:
    assert selects(selector, {"a": "1", "b": "2"}) == selected


# ── what it makes of ours ───────────────────────────────────────────────────────────────────────────

PARTS = alertmanager_config.below_one_route(routing.load().parts(), LABELS)
BEGIN = "monitoring/api-monitoring/"
RUNS: dict[str, Any] = {"namespace": "monitoring", "prometheus": None, "operated": {"routing": ROUTING}}


def generated(matchers: tuple[str, ...] = ()) -> dict[str, Any]:
    """What the operator makes of `PARTS`, among parts of others; `matchers`: what it adds."""

    def named(route: Mapping[str, Any]) -> dict[str, Any]:
        below = [named(child) for child in route.get("routes") or ()]
        return {**route, "receiver": BEGIN + route["receiver"], **({"routes": below} if below else {})}

    def mail(entry: Mapping[str, Any]) -> dict[str, Any]:
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
                {"name": BEGIN + one["name"], "email_configs": [mail(entry) for entry in one["email_configs"]]}
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


def lacks(config: Mapping[str, Any]) -> list[str]:
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
    def event(name: str, at: str, message: str) -> dict[str, Any]:
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
