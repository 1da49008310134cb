"""Servers that run in StatefulSets, as the charts have them; and what a real node showed of pods and roles."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import routing
import rules
from formats.json_types import JsonObject
from ops.sandbox.cluster import NAMESPACE
from tests.e2e import kubelet
from tests.e2e.rig import Rig
from tests.support.waiting import until

SETS = {"prometheus": "stack-prometheus-server", "alertmanager": "stack-alertmanager"}
IMAGES = {
    "prometheus": "quay.io/prometheus/prometheus:v3.7.3",
    "alertmanager": "quay.io/prometheus/alertmanager:v0.29.0",
}
PASSWORD = {
    "smtpPassword": "hunter2",
    "smtpPasswordFile": "/etc/api-monitoring/password",
}  # so Alertmanager gets a mount
DATA = {"name": "data", "mountPath": "/prometheus"}
HELM = {"app.kubernetes.io/managed-by": "Helm"}


@pytest.fixture
def sets(rig: Rig) -> Rig:
    in_sets(rig)
    rig.configure(**PASSWORD)
    return rig


def in_sets(rig: Rig) -> None:
    """Both servers of the hand-made stack in StatefulSets under other names; Prometheus' container has another, too."""
    for server, name in SETS.items():
        spec = copy.deepcopy(rig.before[f"deployment/{server}"])
        (container,) = spec["template"]["spec"]["containers"]
        container |= {"image": IMAGES[server], "name": "prometheus-server" if server == "prometheus" else server}
        wanted = {key: spec[key] for key in ("replicas", "selector", "template")} | {"serviceName": name}
        rig.delete("deployments", server)
        metadata = {"name": name, "labels": HELM}
        rig.cluster.apply({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata, "spec": wanted})
    rig.settle()  # both have started anew


def test_a_life_on_stateful_sets_that_are_found_by_looking(sets: Rig) -> None:
    ours = {*rules.alerts(), *rules.recordings()}
    receivers = {receiver["name"] for receiver in routing.load().parts(None).receivers}
    before = sets.objects()

    planned = sets.preview()
    said = "".join(sets.said)
    assert f"Prometheus is taken to be StatefulSet monitoring/{SETS['prometheus']}, as there is no Deployment" in said
    assert f"{SETS['prometheus']} has no container prometheus; by its image, prometheus-server is taken" in said
    assert f"`pulumi config set alertmanagerWorkload StatefulSet/{SETS['alertmanager']}` keeps it so" in said
    assert f"StatefulSet monitoring/{SETS['alertmanager']} gets a mount, so its pods restart" in said
    assert sets.objects() == before, "a preview writes nothing"

    assert sets.up() == planned
    assert ours <= sets.rules() and receivers <= sets.receivers()
    for server, volume in (("prometheus", "api-performance-alerts"), ("alertmanager", "api-monitoring-smtp")):
        pod = sets.objects()[f"statefulset/{SETS[server]}"]["template"]["spec"]
        assert volume in [one["name"] for one in pod["volumes"]]
    assert sets.preview() == {}
    assert sets.preview(refresh=True) == {}, "".join(sets.said)

    # The name in the settings is the one that was found: nothing changes, least of all the pods.
    sets.configure(**PASSWORD, prometheusWorkload=f"StatefulSet/{SETS['prometheus']}")
    assert set(sets.preview()) <= {"update"}
    sets.configure(**PASSWORD)

    # Somebody else edits the text and the workload, and takes our mount out on the way.
    text = sets.text("prometheus-config", "prometheus.yml")
    sets.write("prometheus-config", {"prometheus.yml": f"# edited\n{text}"})

    def edited(pod: JsonObject) -> None:
        pod["terminationGracePeriodSeconds"] = 77
        pod["volumes"] = [one for one in pod["volumes"] if one["name"] != "api-performance-alerts"]
        for container in pod["containers"]:
            container["volumeMounts"] = [
                one for one in container["volumeMounts"] if one["name"] != "api-performance-alerts"
            ]

    sets.alter(SETS["prometheus"], edited, "statefulsets")
    assert sets.preview()["update"] >= 1
    assert f"StatefulSet monitoring/{SETS['prometheus']} is gone or was changed by somebody else" in "".join(sets.said)
    sets.up()
    until(lambda: ours <= sets.rules())

    sets.destroy()
    wanted = copy.deepcopy(before)
    wanted[f"statefulset/{SETS['prometheus']}"]["template"]["spec"]["terminationGracePeriodSeconds"] = 77
    wanted["configmap/prometheus-config"]["prometheus.yml"] = (
        "# edited\n" + before["configmap/prometheus-config"]["prometheus.yml"]
    )
    assert sets.objects() == wanted
    assert not ours & sets.rules()


def test_several_workloads_are_named_and_a_wrong_name_too(sets: Rig) -> None:
    spec = sets.objects()[f"statefulset/{SETS['prometheus']}"]
    twin = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "twin"}, "spec": spec}
    sets.cluster.apply(twin)
    before = sets.objects()
    words = sets.refused(sets.preview)
    assert f"set prometheusWorkload to one of StatefulSet/{SETS['prometheus']}, StatefulSet/twin" in words
    sets.configure(**PASSWORD, prometheusWorkload="StatefulSet/third")
    assert "StatefulSet monitoring/third is not there: is prometheusWorkload in the st" in sets.refused(sets.preview)
    assert sets.objects() == before


def test_a_paused_deployment_and_an_immutable_config_map_are_refused_in_preview(rig: Rig) -> None:
    deployment = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/prometheus"
    config_map = f"/api/v1/namespaces/{NAMESPACE}/configmaps/alertmanager-config"

    def patch(path: str, body: JsonObject) -> None:
        headers = {"Content-Type": "application/merge-patch+json"}
        rig.cluster.http.request("PATCH", path, json=body, headers=headers)

    patch(deployment, {"spec": {"paused": True}})
    assert "Deployment monitoring/prometheus is paused, so its pods would never get" in rig.refused(rig.preview)
    patch(deployment, {"spec": {"paused": None}})
    patch(config_map, {"immutable": True})
    try:
        assert "ConfigMap monitoring/alertmanager-config has `immutable: true`" in rig.refused(rig.preview)
        assert rig.objects() == rig.before
    finally:
        rig.delete("configmaps", "alertmanager-config")  # nobody can change it back


def test_a_rolling_update_that_could_not_get_ready_is_refused_in_preview(rig: Rig) -> None:
    """The data on a claim of one node, and the strategy as the API server fills it in."""
    claims = f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims"
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    rig.cluster.apply({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": spec})

    def on_a_claim(pod: JsonObject) -> None:
        pod["volumes"] = [*pod["volumes"], {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
        mounts = pod["containers"][0]["volumeMounts"]
        mounts[:] = [*(one for one in mounts if one["mountPath"] != "/prometheus"), DATA]

    try:
        rig.alter("prometheus", on_a_claim)
        rig.settle()
        before = rig.objects()
        strategy = before["deployment/prometheus"]["strategy"]
        assert (strategy["type"], strategy["rollingUpdate"]["maxSurge"]) == ("RollingUpdate", "25%")
        words = rig.refused(rig.preview)
        assert "has strategy RollingUpdate and its data in PersistentVolumeClaim data (ReadWriteOnce)" in words
        assert "set its strategy to Recreate, or rulesMode to shared" in words
        assert rig.objects() == before

        headers = {"Content-Type": "application/merge-patch+json"}
        body = {"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}}
        rig.cluster.http.request(
            "PATCH", f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/prometheus", json=body, headers=headers
        )
        before = rig.objects()
        rig.up()
        assert set(rules.alerts()) <= rig.rules()
        rig.destroy()
        assert rig.objects() == before
    finally:
        rig.cluster.http.request("DELETE", f"{claims}/data")


# ── pods, and what may be done to them ────────────────────────────────────────────────────────────


@contextmanager
def pods(rig: Rig, *, has_kill: bool = True) -> Iterator[list[list[str]]]:
    """A pod for each StatefulSet, and before it one that was evicted; what kubelet is told to run."""
    running = kubelet.server_pids(rig)
    with kubelet.node(rig, {f"{name}-0": running[server] for server, name in SETS.items()}, has_kill=has_kill) as node:
        for server, name in SETS.items():
            container = "prometheus-server" if server == "prometheus" else server
            node.run(f"{name}-0", container, server, {**kubelet.READY, "phase": "Running"})
            node.run(f"{name}-evicted", container, server, {"phase": "Failed", "reason": "Evicted"})
        yield node.commands


SIGNALS = {"rulesMode": "shared", "prometheusReload": "signal", "alertmanagerReload": "signal"}


def test_a_signal_goes_to_the_pods_that_run_and_not_to_one_that_failed(sets: Rig) -> None:
    before = sets.objects()
    sets.configure(**SIGNALS)
    with pods(sets) as commands:
        sets.up()
        assert set(rules.alerts()) <= sets.rules()
        assert commands
        sets.destroy()
    assert sets.objects() == before


def test_an_image_without_kill_is_one_sentence(sets: Rig) -> None:
    sets.configure(**SIGNALS)
    with pods(sets, has_kill=False):
        words = sets.refused(sets.up)
        assert f"in pod monitoring/{SETS['prometheus']}-0 has no `kill`, so Prometheus cannot get SIGHUP" in words
        assert "set prometheusReload to lifecycle or sidecar" in words
    with pods(sets):
        sets.up()
        sets.destroy()


def test_a_role_without_exec_is_named_at_once(sets: Rig) -> None:
    """Everything else is allowed; the time limit is not waited for."""
    group = "rbac.authorization.k8s.io"
    verbs = ["get", "list", "watch", "create", "update", "patch", "delete"]
    granted = [
        {"apiGroups": [""], "resources": ["configmaps", "pods"], "verbs": verbs},
        {"apiGroups": ["apps"], "resources": ["deployments", "statefulsets"], "verbs": verbs},
    ]
    named = {"name": "without-exec"}
    sets.cluster.apply({"apiVersion": f"{group}/v1", "kind": "Role", "metadata": named, "rules": granted})
    subject = {"apiGroup": group, "kind": "User", "name": "nobody"}
    role = {"apiGroup": group, "kind": "Role", **named}
    binding = {"kind": "RoleBinding", "metadata": named, "roleRef": role, "subjects": [subject]}
    sets.cluster.apply({"apiVersion": f"{group}/v1", **binding})
    sets.configure(**SIGNALS, kubeconfig=str(sets.cluster.unprivileged_kubeconfig))
    with pods(sets):
        words = sets.refused(sets.up)
        assert "this account may not send SIGHUP to Prometheus in pod monitoring/" in words
        assert "its role needs get and create on pods/exec" in words and "not all servers" not in words
        sets.configure(**SIGNALS)
        sets.up()
        sets.destroy()
