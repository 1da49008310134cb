"""What the policy pack refuses, by its pure rules: no engine, and none of Pulumi's libraries, is needed."""

from types import ModuleType
from typing import Any

import pytest

import routing
from refusals import one_namespace, others_work, our_kinds, our_names, plain_secrets
from refusals.seen import HIDDEN, UNKNOWN, Seen, settings

POLICIES = (our_kinds, one_namespace, our_names, plain_secrets, others_work)


def refused(policy: ModuleType, seen: Seen, **given: object) -> list[str]:
    return list(policy.refuse(seen, settings(policy.SCHEMA, given)))


def config_map(name: str = "api-performance-alerts", namespace: object = "monitoring", **data: object) -> Seen:
    return Seen("kubernetes:core/v1:ConfigMap", "a", {"metadata": {"name": name, "namespace": namespace}, "data": data})


def kubernetes_provider(**inputs: object) -> Seen:
    return Seen("pulumi:providers:kubernetes", "cluster", {"namespace": "monitoring", **inputs})


# ── kinds ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "kind",
    [
        *("apps/v1:Deployment", "core/v1:Namespace", "core/v1:PersistentVolumeClaim", "core/v1:SecretPatch"),
        *("apiextensions.k8s.io/v1:CustomResourceDefinition", "v1:Secret", "rbac.authorization.k8s.io/v1:ClusterRole"),
    ],
)
def test_any_other_kind_is_refused_once(kind: str) -> None:
    seen = Seen(f"kubernetes:{kind}", "it", {"metadata": {"name": "api-performance", "namespace": "monitoring"}})
    (sentence,) = [sentence for policy in POLICIES for sentence in refused(policy, seen)]
    name = kind.rpartition(":")[2]
    assert sentence == (
        f"{name} it is of a kind that this program may not make (kubernetes:{kind}): take it out of the program, or "
        "ask the owners of the stack to allow it by alsoKinds"
    )
    assert refused(our_kinds, seen, alsoKinds=[seen.type]) == []


@pytest.mark.parametrize("kind", ["pulumi-python:dynamic:Resource", "pulumi-python:dynamic/monitoring:Anything"])
def test_code_of_another_kind_is_refused(kind: str) -> None:
    assert len(refused(our_kinds, Seen(kind, "it", {}))) == 1


# ── namespace ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_another_namespace_is_refused_and_the_setting_says_which() -> None:
    assert refused(one_namespace, config_map(namespace="default")) == [
        "ConfigMap a is in namespace default, and this program may write to monitoring only: give it the namespace "
        "monitoring"
    ]
    assert refused(one_namespace, config_map(namespace="default"), namespace="default") == []


def test_no_namespace_is_that_of_the_provider() -> None:
    seen = config_map(namespace=None)
    assert "is without a namespace" in refused(one_namespace, seen)[0]
    assert refused(one_namespace, Seen(seen.type, "a", seen.inputs, {"namespace": "monitoring"})) == []
    assert refused(one_namespace, Seen(seen.type, "a", seen.inputs, {"namespace": "default"})) != []


def test_the_default_provider_is_refused() -> None:
    (sentence,) = refused(one_namespace, Seen("pulumi:providers:kubernetes", "default_4_34_2", {}))
    assert sentence.startswith("kubernetes provider default_4_34_2 is without a namespace")


def test_what_counts_as_ours_is_in_the_namespace_too() -> None:
    inputs = {"namespace": "monitoring", "own": ["/api/v1/namespaces/default/configmaps/api-performance-alerts"]}
    (sentence,) = refused(one_namespace, Seen("pulumi-python:dynamic/monitoring:Withdrawn", "w", inputs))
    assert "counts /api/v1/namespaces/default/" in sentence


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["prometheus-rules", "api-performancex", "api", "", None])
def test_a_name_that_is_not_ours_is_refused(name: Any) -> None:
    (sentence,) = refused(our_names, config_map(name=name))
    assert "begins with api-performance, api-monitoring or dashboard-api-performance" in sentence
    assert (f"the name {name}" if name else "no name") in sentence


@pytest.mark.parametrize("name", ["api-performance", "api-performance-alerts-2", "api-monitoring-watchdog", UNKNOWN])
def test_a_name_of_ours_passes(name: Any) -> None:
    assert refused(our_names, config_map(name=name)) == []


def test_prefixes_are_a_setting() -> None:
    assert refused(our_names, config_map(name="team-a.rules"), prefixes=["team-a"]) == []
    assert refused(our_names, config_map(), prefixes=["team-a"]) != []


@pytest.mark.parametrize(
    ("kind", "inputs", "what"),
    [
        ("kubernetes:core/v1:ConfigMapPatch", {"metadata": {"name": "coredns"}}, "ConfigMap coredns"),
        ("pulumi-python:dynamic/monitoring:ConfigText", {"config_map": "coredns"}, "ConfigMap coredns"),
        ("pulumi-python:dynamic/monitoring:SecretText", {"secret_name": "tls"}, "Secret tls"),
        (
            "pulumi-python:dynamic/monitoring:Mount",
            {
                "workload": "Deployment/shop",
                "volume": "api-monitoring",
                "source": {"secret": {"secretName": "api-monitoring"}},
            },
            "Workload shop",
        ),
        ("pulumi-python:dynamic/monitoring:Withdrawn", {"shared": {"config_map": "coredns"}}, "ConfigMap coredns"),
    ],
)
def test_an_object_of_others_that_is_not_named_is_refused(kind: str, inputs: dict[str, Any], what: str) -> None:
    (sentence,) = refused(our_names, Seen(kind, "it", inputs))
    assert f"changes {what} of others, and this program may change " in sentence
    setting = f"{what[0].lower()}{what.partition(' ')[0][1:]}sOfOthers"
    assert refused(our_names, Seen(kind, "it", inputs), **{setting: [what.partition(" ")[2]]}) == []


@pytest.mark.parametrize(
    "source",
    [
        {"secret": {"secretName": "alertmanager-main"}},
        {"projected": {"sources": [{"configMap": {"name": "api-performance"}}, {"secret": {"name": "tls"}}]}},
        {"hostPath": {"path": "/"}},
    ],
)
def test_only_objects_of_ours_are_mounted(source: dict[str, Any]) -> None:
    inputs = {"workload": "StatefulSet/prometheus", "volume": "api-performance-alerts", "source": source}
    assert len(refused(our_names, Seen("pulumi-python:dynamic/monitoring:Mount", "m", inputs))) == 1


@pytest.mark.parametrize("model", ['{"uid": "node-exporter"}', "[]", "{", '{"title": "no uid"}'])
def test_a_dashboard_of_others_is_refused(model: str) -> None:
    seen = Seen("grafana:oss/dashboard:Dashboard", "d", {"configJson": model})
    assert len(refused(our_names, seen)) == 1
    assert refused(our_names, Seen(seen.type, "d", {"configJson": UNKNOWN})) == []


# ── secrets ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("part", ["data", "stringData"])
def test_a_secrets_data_in_plain_text_is_refused_without_the_value(part: str) -> None:
    (sentence,) = refused(plain_secrets, Seen("kubernetes:core/v1:Secret", "s", {part: {"key": "hunter2"}}))
    assert sentence.startswith(f"Secret s has {part}.key in plain text")
    for hidden in ({"key": HIDDEN}, HIDDEN, {"key": UNKNOWN}, None):
        assert refused(plain_secrets, Seen("kubernetes:core/v1:Secret", "s", {part: hidden})) == []


@pytest.mark.parametrize("key", ["auth", "kubeconfig", "password"])
def test_an_input_in_plain_text_is_refused_wherever_it_stands(key: str) -> None:
    for inputs in ({key: "hunter2"}, {"deep": [{"er": {key: "hunter2"}}]}):
        (sentence,) = refused(plain_secrets, kubernetes_provider(**inputs))
        assert f"has {key} in plain text" in sentence and "hunter2" not in sentence
    for value in (HIDDEN, "", None, UNKNOWN, {"name": "a-secret", "key": "a-key"}):
        assert refused(plain_secrets, kubernetes_provider(**{key: value})) == []


@pytest.mark.parametrize(
    "text",
    [
        "global:\n  smtp_auth_password: hunter2\n",
        '{"receivers": [{"email_configs": [{"auth_password": "hunter2"}]}]}',
        "receivers:\n  - pagerduty_configs:\n      - routing_key: 'hunter2' # of the team\n",
        "basic_auth: {username: me, password: hunter2}",
    ],
)
def test_a_secret_in_a_configuration_is_refused_without_the_value(text: str) -> None:
    for seen in (config_map(key=text), Seen("pulumi-python:dynamic/monitoring:ConfigText", "c", {"ours": text})):
        (sentence,) = refused(plain_secrets, seen)
        assert "in plain text into a ConfigMap" in sentence and "hunter2" not in sentence


@pytest.mark.parametrize(
    "text",
    [
        "smtp_auth_password_file: /etc/alertmanager/smtp/password",
        "auth_password: ''\ntoken:\n",
        '{"auth_password": ""}',
        "# auth_password\ndescription: the password of the relay",
        routing.load().text,
    ],
)
def test_a_file_with_a_secret_and_an_empty_one_pass(text: str) -> None:
    assert refused(plain_secrets, config_map(key=text)) == []


# ── the work of others ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("on", [True, "true"])
def test_a_patch_by_force_is_refused_and_an_object_of_ours_may_have_it(on: object) -> None:
    metadata = {"name": "prometheus-rules", "annotations": {"pulumi.com/patchForce": on}}
    (sentence,) = refused(others_work, Seen("kubernetes:core/v1:ConfigMapPatch", "p", {"metadata": metadata}))
    assert "overwrites what others wrote into prometheus-rules" in sentence
    assert refused(others_work, Seen("kubernetes:core/v1:ConfigMap", "c", {"metadata": metadata})) == []


@pytest.mark.parametrize("kind", ["ConfigText", "SecretText"])
def test_an_unknown_editor_is_refused_even_then(kind: str) -> None:
    seen = Seen(f"pulumi-python:dynamic/monitoring:{kind}", "c", {"editor": "anything"})
    assert len(refused(others_work, seen, wholeAlertmanagerConfig=True)) == 1


def test_a_state_that_forgets_what_it_cannot_reach_is_refused() -> None:
    assert refused(others_work, kubernetes_provider(deleteUnreachable="true")) != []
    assert refused(others_work, kubernetes_provider(deleteUnreachable="false")) == []
