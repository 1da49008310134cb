"""Which Secret is meant: the one that the operator reads, or that the pods mount, and never the one that it makes."""

import pytest

from components.live.cluster import operator_secret, workload
from components.live.provider import NotDone, Props
from components.live.resources import SecretTextProvider, WithdrawnProvider
from formats.json_types import JsonObject
from ops.clients.kubernetes import Kubernetes
from tests.live import secret_props
from tests.live.api_server import Api
from tests.live.operator_objects import ROOT
from tests.live.secret_props import KEY, NAME, hold
from tests.live.shapes import ALERTMANAGER, server_props, wanted_workload

Cluster = tuple[Api, str]
THEIRS = ALERTMANAGER["everything there"].encode()
POD = "/apis/apps/v1/namespaces/monitoring/{}/alertmanager"
ITEMS = [{"key": KEY, "path": "alertmanager.yml"}]


def objects(api: Api, **specs: JsonObject) -> None:
    """Alertmanager objects, by name."""
    items = [{"metadata": {"name": name}, "spec": spec} for name, spec in specs.items()]
    api.objects[f"{ROOT}/v1/namespaces/monitoring/alertmanagers"] = {"items": items}


def withdrawn(kubeconfig: str, **server: object) -> Props:
    return {
        **{"kubeconfig": kubeconfig, "context": None, "namespace": "monitoring", "prometheus": None},
        **{"own": [], "shared": None, "edited": ["alertmanager"], "manager": "m", "needs": "{}", "silenced": None},
        "wanted": "{}",
        "alertmanager": server_props("alertmanager", **{"secret_name": NAME, "config_key": KEY, **server}),
    }


def refused(kubeconfig: str, **server: object) -> str:
    failures = WithdrawnProvider().check({}, withdrawn(kubeconfig, **server)).failures
    return "; ".join(str(failure.reason) for failure in failures)


@pytest.mark.parametrize(
    ("found", "server", "said"),
    [
        ({"main": {}}, {}, ""),
        ({"k8s": {"configSecret": NAME}, "other": {}}, {}, ""),
        (
            {"stack": {}},
            {},
            "no Alertmanager object in namespace monitoring reads Secret alertmanager-main (stack reads "
            "alertmanager-stack): set alertmanagerSecret to the one that is meant",
        ),
        (
            {"main": {"configSecret": "mine"}},
            {},
            "reads Secret alertmanager-main (main reads mine): set alertmanagerSecret to the one that is meant",
        ),
        (
            {"main": {"alertmanagerConfiguration": {"name": "x"}}},
            {},
            "Alertmanager object monitoring/main has alertmanagerConfiguration, so the operator does not read Secret",
        ),
        (
            {"main": {}},
            {"config_key": "team.tmpl"},
            "of which the operator takes key alertmanager.yaml and no other: set alertmanagerSecretKey",
        ),
    ],
)
def test_the_operators_objects_say_which_secret_it_reads(
    cluster: Cluster, found: dict[str, JsonObject], server: JsonObject, said: str
) -> None:
    api, kubeconfig = cluster
    hold(api, THEIRS)
    objects(api, **found)
    words = refused(kubeconfig, **server)
    assert said in words if said else words == ""


@pytest.mark.parametrize("spec", [{"configSecret": "mine"}, {}])
def test_what_the_operator_makes_is_refused_with_the_right_name(cluster: Cluster, spec: JsonObject) -> None:
    api, kubeconfig = cluster
    name = f"{NAME}-generated"
    owner = {"kind": "Alertmanager", "name": "main", "controller": True}
    path = f"/api/v1/namespaces/monitoring/secrets/{name}"
    api.put(path, data={"alertmanager.yaml.gz": "H4sIAAAA"})
    api.objects[path]["metadata"] |= {"labels": {"managed-by": "prometheus-operator"}, "ownerReferences": [owner]}
    if spec:
        api.objects[f"{ROOT}/v1/namespaces/monitoring/alertmanagers/main"] = {
            "metadata": {"name": "main"},
            "spec": spec,
        }
    right = spec.get("configSecret", "alertmanager-main")
    words = (
        f"Secret monitoring/{name} is made by the Prometheus Operator, which writes it anew from another one: set "
        f"alertmanagerSecret to {right}"
    )
    assert refused(kubeconfig, secret_name=name) == words
    props = secret_props.props(kubeconfig, secret_name=name, key="alertmanager.yaml.gz")
    assert [failure.reason for failure in SecretTextProvider().check({}, props).failures] == [words]
    with pytest.raises(NotDone):
        SecretTextProvider().create(props)


def test_a_missing_secret_is_one_sentence_before_anything_is_written(cluster: Cluster) -> None:
    _, kubeconfig = cluster
    assert refused(kubeconfig).startswith("Secret monitoring/alertmanager-main is not there: is alertmanagerSecret ")


def pod(volumes: list[JsonObject], mounted_by: str = "alertmanager", **mount: object) -> JsonObject:
    containers = [
        {"name": name, "image": f"prom/{name}", "volumeMounts": [{"name": "config", "mountPath": "/c", **mount}]}
        if name == mounted_by
        else {"name": name, "image": f"prom/{name}"}
        for name in ("alertmanager", "config-reloader")
    ]
    return {"template": {"spec": {"containers": containers, "volumes": volumes}}}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (pod([{"name": "config", "secret": {"secretName": NAME}}]), ""),
        (pod([{"name": "config", "secret": {"secretName": NAME, "items": ITEMS}}]), ""),
        (pod([{"name": "config", "projected": {"sources": [{"secret": {"name": NAME}}]}}]), ""),
        (pod([{"name": "config", "secret": {"secretName": NAME}}], "config-reloader"), ""),
        (pod([{"name": "config", "secret": {"secretName": NAME}}], subPath=KEY), "mounts it by subPath"),
        (pod([{"name": "config", "configMap": {"name": NAME}}]), "does not mount it"),
        (
            pod([{"name": "config", "secret": {"secretName": NAME, "items": [{"key": "b", "path": "b"}]}}]),
            "shows only some keys of it",
        ),
    ],
)
@pytest.mark.parametrize("operated", [False, True])
def test_without_the_operator_the_pods_have_to_mount_it(
    cluster: Cluster, spec: JsonObject, said: str, operated: bool
) -> None:
    api, kubeconfig = cluster
    hold(api, THEIRS)
    objects(api, **({"stack": {}} if operated else {}))  # an Alertmanager of the operator's stands beside
    api.put(POD.format("deployments"), spec=spec)
    words = refused(kubeconfig)
    if said == "does not mount it" and operated:
        assert "no Alertmanager object in namespace monitoring reads Secret" in words
    elif said:
        assert words.startswith("Deployment monitoring/alertmanager ") and said in words
        assert words.endswith("(Secret monitoring/alertmanager-main)")
    else:
        assert words == ""


@pytest.mark.parametrize("name", [NAME, f"{NAME}-generated"])
def test_a_workload_is_found_by_the_secret_that_it_mounts(cluster: Cluster, name: str) -> None:
    api, kubeconfig = cluster
    api.put(POD.format("statefulsets"), spec=pod([{"name": "config", "secret": {"secretName": name}}]))
    wanted = wanted_workload("alertmanager", secret_name=NAME)
    assert workload.read(Kubernetes(kubeconfig), wanted).title == "StatefulSet monitoring/alertmanager"
    assert workload.read(Kubernetes(kubeconfig), wanted_workload("alertmanager")).pod == {}


def test_who_may_not_read_the_secret_is_held_to_all_else(cluster: Cluster) -> None:
    api, kubeconfig = cluster
    api.forbid = {secret_props.PATH}
    objects(api, main={})
    assert refused(kubeconfig) == ""
    objects(api, stack={})
    assert "no Alertmanager object in namespace monitoring reads Secret" in refused(kubeconfig)


def test_who_may_not_list_the_operators_objects_is_warned(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    api, kubeconfig = cluster
    api.forbid = {f"{ROOT}/v1/namespaces/monitoring/alertmanagers"}
    server = {"secret_name": NAME, "config_key": KEY}
    operator_secret.refuse_unread(Kubernetes(kubeconfig), "monitoring", server, lambda: pytest.fail("asked"))
    assert "could not check whether an Alertmanager object reads Secret monitoring/alert" in capsys.readouterr().out
