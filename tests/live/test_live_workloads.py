"""Which workload runs a server: named, found, or refused by name; and what its kind means for a mount."""

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.live.provider import Props
from components.live.resources import MountProvider, WithdrawnProvider
from formats.json_types import JsonObject
from ops.clients import workloads
from ops.clients.kubernetes import Kubernetes
from ops.clients.workloads import NotOne
from ops.errors import NotFound
from tests.live.api_server import Api, serving
from tests.live.shapes import WORKLOADS, server_props, wanted_workload

APPS = "/apis/apps/v1/namespaces/monitoring"
SERVER = wanted_workload(config_maps=["kube-prometheus-server"])
ALERTMANAGER = wanted_workload("alertmanager", config_maps=["kube-alertmanager"])


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Api, Kubernetes, str]]:
    with serving(tmp_path) as (api, kubeconfig):
        yield api, Kubernetes(kubeconfig), kubeconfig


def put(api: Api, shape: str, path: str = "", **spec: object) -> JsonObject:
    """One of the shapes; the spec that stands there."""
    where, content = WORKLOADS[shape]
    api.put(f"{APPS}/{path or where}", spec={**copy.deepcopy(content), **spec})
    found: JsonObject = api.objects[f"{APPS}/{path or where}"]["spec"]
    return found


def test_each_layout_is_found_by_its_image_and_its_config_map(place: tuple[Api, Kubernetes, str]) -> None:
    api, cluster, _ = place
    for shape in WORKLOADS:
        put(api, shape)
    server, alertmanager = (workloads.find(cluster, wanted) for wanted in (SERVER, ALERTMANAGER))
    assert (server.reference, server.container) == ("Deployment/kube-prometheus-server", "prometheus-server")
    assert (alertmanager.reference, alertmanager.container) == ("StatefulSet/kube-alertmanager", "alertmanager")
    assert server.looked_for and alertmanager.looked_for
    assert alertmanager.selector == "app.kubernetes.io/name=alertmanager"


def test_the_deployment_of_the_setting_comes_first_and_a_workload_that_is_named_counts_alone(
    place: tuple[Api, Kubernetes, str],
) -> None:
    api, cluster, _ = place
    put(api, "chart prometheus, server")
    put(api, "chart prometheus, server", "deployments/prometheus")
    put(api, "chart prometheus, server", "statefulsets/mine")
    assert workloads.find(cluster, SERVER).reference == "Deployment/prometheus"
    named = wanted_workload(workload="StatefulSet/mine")
    assert workloads.find(cluster, named).reference == "StatefulSet/mine"
    gone = wanted_workload(workload="StatefulSet/other")
    with pytest.raises(NotFound, match=r"^StatefulSet monitoring/other is not there: is prometheusWorkload in the sta"):
        workloads.find(cluster, gone)


def test_of_several_each_is_named_and_none_is_taken(place: tuple[Api, Kubernetes, str]) -> None:
    api, cluster, _ = place
    put(api, "chart prometheus, server", "deployments/blue")
    put(api, "chart prometheus, server", "statefulsets/green")
    with pytest.raises(NotOne, match=r"set prometheusWorkload to one of Deployment/blue, StatefulSet/green$"):
        workloads.find(cluster, SERVER)


def test_a_daemon_set_is_refused(place: tuple[Api, Kubernetes, str]) -> None:
    api, cluster, _ = place
    put(api, "chart prometheus, server", "daemonsets/agent")
    with pytest.raises(NotOne, match=r"^DaemonSet monitoring/agent runs Prometheus, so each node has a pod"):
        workloads.find(cluster, SERVER)
    api.forbid.add(f"{APPS}/daemonsets")  # an older role
    with pytest.raises(NotFound, match=r"no workload in that namespace runs Prometheus with ConfigMap kube-prometheus"):
        workloads.find(cluster, SERVER)


@pytest.mark.parametrize("change", ["another image", "another config map", "not mounted"])
def test_what_is_no_server_of_ours_is_not_taken(place: tuple[Api, Kubernetes, str], change: str) -> None:
    api, cluster, _ = place
    pod = put(api, "chart prometheus, server")["template"]["spec"]
    if change == "another image":
        pod["containers"][1]["image"] = "quay.io/prometheus/blackbox-exporter:v0.27.0"
    elif change == "another config map":
        pod["volumes"][0]["configMap"]["name"] = "other"
    else:
        pod["containers"][1]["volumeMounts"] = []
    with pytest.raises(NotFound):
        workloads.find(cluster, SERVER)


def test_a_selector_by_expressions_reaches_the_pods(place: tuple[Api, Kubernetes, str]) -> None:
    expressions = [
        {"key": "app", "operator": "In", "values": ["a", "b"]},
        {"key": "tier", "operator": "NotIn", "values": ["x"]},
        {"key": "on", "operator": "Exists"},
        {"key": "off", "operator": "DoesNotExist"},
    ]
    api, cluster, _ = place
    put(api, "chart prometheus, server", selector={"matchLabels": {"k": "v"}, "matchExpressions": expressions})
    assert workloads.find(cluster, SERVER).selector == "k=v,app in (a,b),tier notin (x),on,!off"


@pytest.mark.parametrize(
    ("status", "metadata", "runs"),
    [
        ({"phase": "Running"}, {}, True),
        ({"phase": "Pending"}, {}, True),
        ({"phase": "Failed", "reason": "Evicted"}, {}, False),
        ({"phase": "Succeeded"}, {}, False),
        ({"phase": "Running"}, {"deletionTimestamp": "2026-11-25T10:00:00Z"}, False),
    ],
)
def test_a_pod_that_has_ended_is_none_of_the_servers(status: JsonObject, metadata: JsonObject, runs: bool) -> None:
    pod = {"metadata": {"name": "p", **metadata}, "status": status}
    assert workloads.running([pod]) == ([pod] if runs else [])


# ── a mount ───────────────────────────────────────────────────────────────────────────────────────


def mount(kubeconfig: str, **server: object) -> Props:
    props = server_props("alertmanager", **{"config_maps": ["kube-alertmanager"], **server})
    return {
        **{"kubeconfig": kubeconfig, "context": None, "namespace": "monitoring"},
        **{"server": props, "workload": "Deployment/alertmanager", "container": "alertmanager"},
        **{"volume": "ours", "source": {"secret": {"secretName": "ours"}}, "path": "/etc/ours", "manager": "us"},
    }


def test_a_stateful_set_that_was_found_is_said_and_kept_in_the_state(
    place: tuple[Api, Kubernetes, str], capsys: pytest.CaptureFixture[str]
) -> None:
    api, _, kubeconfig = place
    put(api, "chart alertmanager")
    checked = MountProvider().check({}, mount(kubeconfig))
    assert not checked.failures
    assert (checked.inputs["workload"], checked.inputs["container"]) == (
        "StatefulSet/kube-alertmanager",
        "alertmanager",
    )
    said = capsys.readouterr().out
    assert "Alertmanager is taken to be StatefulSet monitoring/kube-alertmanager, as there is no Deployment" in said
    assert "`pulumi config set alertmanagerWorkload StatefulSet/kube-alertmanager` keeps it so" in said
    assert "StatefulSet monitoring/kube-alertmanager gets a mount, so its pods restart" in said


def test_a_container_of_another_name_is_said(
    place: tuple[Api, Kubernetes, str], capsys: pytest.CaptureFixture[str]
) -> None:
    api, _, kubeconfig = place
    put(api, "chart alertmanager")["template"]["spec"]["containers"][0]["name"] = "am"
    checked = MountProvider().check({}, mount(kubeconfig))
    assert checked.inputs["container"] == "am"
    assert (
        "has no container alertmanager; by its image, am is taken; `pulumi config set alertmanagerContainer am` "
        in capsys.readouterr().out
    )


def test_another_workload_is_another_mount(place: tuple[Api, Kubernetes, str]) -> None:
    api, _, kubeconfig = place
    put(api, "chart alertmanager")
    olds = {**mount(kubeconfig), "made": "yes"}
    news = MountProvider().check({}, mount(kubeconfig)).inputs
    assert MountProvider().diff("id", olds, news).replaces == ["workload"]
    assert MountProvider().check(news, mount(kubeconfig)).inputs == news


def test_an_account_that_may_not_look_changes_nothing(
    place: tuple[Api, Kubernetes, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Else a preview with less rights would show a replacement."""
    api, _, kubeconfig = place
    put(api, "chart alertmanager")
    olds = MountProvider().check({}, mount(kubeconfig)).inputs
    api.forbid.add(f"{APPS}/statefulsets")
    checked = MountProvider().check(olds, mount(kubeconfig))
    assert checked.inputs["workload"] == "StatefulSet/kube-alertmanager" and not checked.failures
    assert "warning: could not check what is in the way of our mount" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("strategy", "says"),
    [
        ({"type": "OnDelete"}, "updateStrategy OnDelete restarts no pod: `up` waits until they have it, then delete"),
        ({"rollingUpdate": {"partition": 1}}, "(partition 1) does not restart kube-alertmanager-0: `up` waits"),
        (
            {"type": "RollingUpdate", "rollingUpdate": {"partition": 3}},
            "(partition 3) does not restart kube-alertmanager-0 to kube-alertmanager-2: ",
        ),
    ],
)
def test_pods_that_do_not_restart_by_themselves_are_warned_of(
    place: tuple[Api, Kubernetes, str], strategy: JsonObject, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    api, _, kubeconfig = place
    put(api, "chart alertmanager", updateStrategy=strategy)
    assert not MountProvider().check({}, mount(kubeconfig)).failures
    assert says in capsys.readouterr().out


def test_a_paused_deployment_is_refused_unless_it_has_our_mount(place: tuple[Api, Kubernetes, str]) -> None:
    api, _, kubeconfig = place
    spec = put(api, "chart alertmanager", "deployments/alertmanager", paused=True)
    (failure,) = MountProvider().check({}, mount(kubeconfig)).failures
    assert failure.reason == (
        "Deployment monitoring/alertmanager is paused, so its pods would never get our mount: resume it first "
        "(kubectl rollout resume -n monitoring deployment/alertmanager)"
    )
    pod = spec["template"]["spec"]
    pod["volumes"].append({"name": "ours", "secret": {"secretName": "ours"}})
    pod["containers"][0]["volumeMounts"].append({"name": "ours", "mountPath": "/etc/ours"})
    assert not MountProvider().check({}, mount(kubeconfig)).failures


# ── before anything is written ────────────────────────────────────────────────────────────────────


def withdrawn(kubeconfig: str, **server: object) -> Props:
    usual = {"url": "http://127.0.0.1:1", "config_map": "kube-prometheus-server"}
    prometheus = server_props("prometheus", **usual, config_maps=["kube-prometheus-server"])
    return {
        **{"kubeconfig": kubeconfig, "context": None, "namespace": "monitoring", "own": [], "manager": "us"},
        **{"prometheus": {**prometheus, **server}, "edited": ["prometheus"]},
    }


def test_a_dead_mount_of_a_workload_that_was_found_is_refused(place: tuple[Api, Kubernetes, str]) -> None:
    api, _, kubeconfig = place
    api.config_map("kube-prometheus-server", **{"prometheus.yml": "global: {}\n"})
    pod = put(api, "chart prometheus, server", "statefulsets/server")["template"]["spec"]
    pod["containers"][1]["volumeMounts"][0]["subPath"] = "prometheus.yml"
    (failure,) = WithdrawnProvider().check({}, withdrawn(kubeconfig)).failures
    assert failure.reason.startswith("StatefulSet monitoring/server mounts it by subPath, which kubelet never updates")


@pytest.mark.parametrize("reload", ["lifecycle", "signal"])
def test_several_servers_are_refused_before_anything_is_written(
    place: tuple[Api, Kubernetes, str], reload: str
) -> None:
    api, _, kubeconfig = place
    api.config_map("kube-prometheus-server", **{"prometheus.yml": "global: {}\n"})
    put(api, "chart prometheus, server", "deployments/blue")
    put(api, "chart prometheus, server", "statefulsets/green")
    props = withdrawn(kubeconfig, reload=reload)
    (failure,) = WithdrawnProvider().check({}, props).failures
    assert "several workloads run Prometheus" in failure.reason
    if reload == "signal":
        (failure,) = WithdrawnProvider().check({}, {**props, "edited": []}).failures
        assert "several workloads run Prometheus" in failure.reason
