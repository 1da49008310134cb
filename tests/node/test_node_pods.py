"""What real pods do to an `up`: they fail, keep a lock, have no shell, restart in the wrong order, or are several."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from formats.json_types import JsonObject
from ops.clients import workloads
from ops.sandbox.cluster import NAMESPACE
from tests.node.node_rig import OURS, RECEIVERS, SERVERS, NodeRig, images
from tests.node.test_node_life import MOUNT, change_a_limit
from tests.support.node.node_images import WITHOUT_SHELL
from tests.support.waiting import until

SIGNALS = {"rulesMode": "shared", "prometheusReload": "signal", "alertmanagerReload": "signal"}


@contextmanager
def failed_pods(rig: NodeRig) -> Iterator[None]:
    """Beside each server's pod one with the same labels that has failed, as after an eviction."""

    def has_failed(name: str) -> bool:
        return bool(rig.cluster.items("pods")[name]["status"].get("phase") == "Failed")

    for server, image in images().items():
        container = {"name": server, "image": image, "command": ["/bin/sh", "-c", "exit 1"]}
        spec = {"restartPolicy": "Never", "containers": [container]}
        metadata = {"name": f"{server}-failed", "labels": {"app": server}}
        rig.cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    try:
        for server in SERVERS:
            until(partial(has_failed, f"{server}-failed"))
        yield
    finally:
        for server in SERVERS:
            rig.remove_pod(f"{server}-failed")


def test_a_signal_by_exec_reaches_the_pod_that_runs_and_not_one_that_failed(rig: NodeRig) -> None:
    rig.configure(**SIGNALS)
    with failed_pods(rig):
        rig.up()
        assert rig.runs_ours()
        alert, ending = change_a_limit(rig)
        rig.up()
        assert rig.expressions()[alert].endswith(ending)
        assert rig.preview() == {}
        rig.destroy()
    assert rig.objects() == rig.before
    assert not OURS & rig.rules()


def test_an_image_without_kill_is_one_sentence(rig: NodeRig) -> None:
    def distroless(spec: JsonObject) -> None:
        spec["template"]["spec"]["containers"][0]["image"] += WITHOUT_SHELL

    rig.change("prometheus", distroless)
    rig.configure(**SIGNALS)
    (pod,) = rig.pods("prometheus")
    words = rig.refused(rig.up)
    assert f"in pod {NAMESPACE}/{pod} has no `kill`, so Prometheus cannot get SIGHUP" in words
    rig.configure(rulesMode="shared")
    rig.up()
    assert rig.runs_ours()


def test_each_replica_is_proved_by_the_pod_proxy(rig: NodeRig) -> None:
    rig.change("alertmanager", lambda spec: spec.update(replicas=2))
    rig.configure(rulesMode="shared")
    rig.up()
    assert "Alertmanager runs what was written on 2 replicas" in "".join(rig.said)
    for pod in rig.pods("alertmanager"):
        path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}:9093/proxy/api/v2/receivers"
        assert RECEIVERS.issubset(one["name"] for one in rig.cluster.http.get_json(path))
    assert rig.preview() == {}


def test_a_mount_that_is_put_back_under_recreate_is_waited_for(rig: NodeRig) -> None:
    """The only pod is away while `up` looks whether anything has changed."""
    rig.change("prometheus", lambda spec: spec.update(strategy={"type": "Recreate"}))
    rig.up()

    def without_our_mount(spec: JsonObject) -> None:
        pod = spec["template"]["spec"]
        pod["volumes"] = [one for one in pod["volumes"] if one["name"] != MOUNT]
        mounts = pod["containers"][0]["volumeMounts"]
        pod["containers"][0]["volumeMounts"] = [one for one in mounts if one["name"] != MOUNT]

    rig.change("prometheus", without_our_mount)
    assert not OURS & rig.rules()
    rig.up()
    assert rig.runs_ours(), "it was proved, so a pod is ready and runs it"
    assert "Prometheus runs what was written" in "".join(rig.said)


def test_a_new_pod_that_waits_for_the_lock_of_the_old_one_is_named(rig: NodeRig) -> None:
    """Storage that stays: a rolling update starts the new pod beside the old one, which has the lock of the data."""
    volume = rig.node.home / "volume"
    volume.chmod(0o777)

    def stays(spec: JsonObject) -> None:
        spec["strategy"] = {"type": "Recreate"}
        (storage,) = [one for one in spec["template"]["spec"]["volumes"] if one["name"] == "storage"]
        del storage["emptyDir"]
        storage["hostPath"] = {"path": str(volume)}

    rig.change("prometheus", stays)
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    rig.change("prometheus", lambda spec: spec.update(strategy=rolling))
    (old,) = rig.pods("prometheus")
    rig.configure(liveTimeout=30)
    words = rig.refused(rig.up)
    (new,) = rig.pods("prometheus").keys() - {old}
    assert new in words, words
    assert workloads.pod_state(rig.pods("prometheus")[new]) in words
    assert OURS.isdisjoint(rig.rules()), "the old pod still answers"


@pytest.mark.parametrize("server", SERVERS)
def test_a_pod_that_is_evicted_on_the_way_is_not_waited_for(rig: NodeRig, server: str) -> None:
    """By the API of evictions, as a drain does it."""
    rig.configure(rulesMode="shared")
    (pod,) = rig.pods(server)
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}"
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": NAMESPACE}}
    rig.cluster.http.request("POST", f"{path}/eviction", json=eviction)
    rig.up()
    assert rig.runs_ours()
    rig.settle()
    assert pod not in rig.pods(server)
