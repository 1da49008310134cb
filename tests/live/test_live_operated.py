"""What the Prometheus Operator would not take up, without one: tests/e2e/test_operator_refused.py asks the real one."""

from collections.abc import Callable, Mapping

import pytest

from components.live.cluster.operator_preflight import refuse_what_operator_ignores
from components.live.cluster.selectors import selects
from components.live.resources import WithdrawnProvider
from components.live.text.edit_errors import EditRefused
from formats.json_types import JsonValue
from ops.clients.kubernetes import Kubernetes
from tests.live.api_server import Api
from tests.live.operator_objects import NAMESPACE, ROOT, ROUTING, RULES, props, servers


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
def test_selectors_are_read_as_kubernetes_does(selector: Mapping[str, JsonValue] | None, selected: bool) -> None:
    assert selects(selector, {"a": "1", "b": "2"}) == selected
