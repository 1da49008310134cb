"""Each fault: one sentence, no traceback of ours, nothing half written, and the next `up` converges."""

import pytest

import rules
from formats.json_types import JsonObject
from ops.errors import Unreachable
from tests.e2e.rig import Rig
from tests.support.waiting import PATIENCE, until


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("rules/api-performance-alerts.yml", "histogram_quantile(", "histogram_quantile((", "rules/api-performance-al"),
        ("routing/alertmanager.yml", "receiver: ", "receiver: nobody-", "routing/alertmanager.yml"),
    ],
)
def test_preview_refuses_what_would_break(rig: Rig, file: str, old: str, new: str, says: str) -> None:
    rig.edit(file, old, new)
    assert says in rig.refused(rig.preview)
    assert says in rig.refused(rig.up)
    assert rig.objects() == rig.before


def test_a_missing_object_is_named_in_preview(rig: Rig) -> None:
    rig.delete("configmaps", "alertmanager-config")
    assert "ConfigMap monitoring/alertmanager-config is not there" in rig.refused(rig.preview)


def test_a_missing_key_is_named_in_preview(rig: Rig) -> None:
    text = rig.text("prometheus-config", "prometheus.yml")
    rig.write("prometheus-config", {"prometheus.yml": None, "prometheus.yaml": text})
    words = rig.refused(rig.preview)
    assert "prometheus-config has no key prometheus.yml; it holds prometheus.yaml" in words


def test_a_missing_deployment_is_not_made(rig: Rig) -> None:
    rig.delete("deployments", "prometheus")
    assert "prometheus" in rig.refused(rig.up)
    assert "deployment/prometheus" not in rig.objects()


def test_what_somebody_else_has_under_our_name_is_not_taken(rig: Rig) -> None:
    theirs = {"their.yml": "groups: []\n"}
    metadata = {"name": "api-performance-alerts"}
    rig.cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": theirs})
    try:
        for act in (rig.preview, rig.up):
            assert "configmaps/api-performance-alerts is in namespace monitoring already and is not" in rig.refused(act)
        assert rig.objects()["configmap/api-performance-alerts"] == theirs
        rig.destroy()
        assert rig.objects()["configmap/api-performance-alerts"] == theirs
    finally:
        rig.delete("configmaps", "api-performance-alerts")


def test_a_missing_permission_is_named_and_nothing_is_half_written(rig: Rig) -> None:
    """Everything but one ConfigMap may be written."""
    group = "rbac.authorization.k8s.io"
    everything = ["get", "list", "watch", "create", "update", "patch", "delete"]
    writable = ["prometheus-config", "api-performance-alerts", "dashboard-api-performance-baseline"]
    granted = [
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "watch", "create"]},
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": everything, "resourceNames": writable},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": everything},
    ]
    role = {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": {"name": "almost"}, "rules": granted}
    rig.cluster.apply(role)
    rig.cluster.apply(
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "almost"},
            "roleRef": {"apiGroup": group, "kind": "Role", "name": "almost"},
            "subjects": [{"apiGroup": group, "kind": "User", "name": "nobody"}],
        }
    )
    rig.configure(kubeconfig=str(rig.cluster.unprivileged_kubeconfig))
    words = rig.refused(rig.up)
    assert "alertmanager-config" in words
    assert rig.objects()["configmap/alertmanager-config"] == rig.before["configmap/alertmanager-config"]
    rig.configure()
    rig.converges()


@pytest.mark.parametrize("server", ["prometheus", "alertmanager"])
def test_a_server_that_is_down_fails_the_update_and_the_next_one_converges(rig: Rig, server: str) -> None:
    rig.configure(rulesMode="shared", liveTimeout=4)
    rig.sandbox.stop(server, kill=True)
    words = rig.refused(rig.up)
    assert f"{server.capitalize()} at http" in words
    assert "cannot be reached" in words
    rig.sandbox.start(server)
    rig.converges()


def test_files_that_prometheus_refuses_fail_the_update_in_its_own_words(rig: Rig) -> None:
    broken = "groups:\n  - name: x\n    rules:\n      - {alert: X, expr: 'sum('}\n"
    rig.configure(rulesMode="shared", liveTimeout=4)
    rig.write("prometheus-rules", {"broken.yml": broken})
    until((rig.sandbox.mounts.rules / "broken.yml").exists)
    assert "Prometheus: it refuses its files" in rig.refused(rig.up)
    rig.write("prometheus-rules", {"broken.yml": None})
    rig.converges()


def test_of_two_updates_at_once_one_is_told_of_the_other(rig: Rig) -> None:
    locks = rig.sandbox.home / "pulumi" / "backend" / ".pulumi" / "locks"
    rig.configure(rulesMode="shared")  # Prometheus is not restarted, so that it can be held
    go_on = rig.pause("prometheus")  # the first one cannot end, as it waits for what Prometheus runs
    first = rig.up_in_a_process()
    try:
        until(lambda: list(locks.rglob("*.json")))
        with pytest.raises(Unreachable, match=r"^the stack sandbox is locked by .* another update runs"):
            rig.up()
        assert first.poll() is None
    finally:
        go_on()
        out, _ = first.communicate(timeout=PATIENCE)
    assert first.returncode == 0, out
    assert rig.preview() == {}


def test_an_api_server_that_goes_away_midway(rig: Rig) -> None:
    def cut_off() -> bool:
        """Whether an update failed; one that had written all when the API server went away is taken back."""
        process = rig.up_in_a_process()
        until(lambda: rig.changed("deployment/prometheus"))
        rig.sandbox.stop("kube-apiserver", kill=True)
        process.communicate(timeout=2 * PATIENCE)
        rig.sandbox.start("kube-apiserver")
        if process.returncode == 0:
            rig.destroy()
        return process.returncode != 0

    until(cut_off, "each update had written all before the API server went away")
    rig.converges()


def test_a_mount_by_subpath_is_named_before_anything_is_written(rig: Rig) -> None:
    def by_sub_path(pod: JsonObject) -> None:
        (mount,) = [one for one in pod["containers"][0]["volumeMounts"] if one["name"] == "config"]
        mount |= {"mountPath": "/etc/prometheus/prometheus.yml", "subPath": "prometheus.yml"}

    rig.alter("prometheus", by_sub_path)
    before = rig.objects()
    for act in (rig.preview, rig.up):
        assert "Deployment monitoring/prometheus mounts it by subPath, which kubelet never updates" in rig.refused(act)
    assert rig.objects() == before


def test_a_reload_that_is_switched_off_is_named_before_anything_is_written(rig: Rig) -> None:
    def without_lifecycle(pod: JsonObject) -> None:
        pod["containers"][0]["args"].remove("--web.enable-lifecycle")

    rig.alter("prometheus", without_lifecycle)
    before = rig.objects()
    words = rig.refused(rig.preview)
    assert "starts Prometheus without --web.enable-lifecycle" in words
    assert "set prometheusReload to signal" in words
    assert rig.objects() == before


def test_a_slow_prometheus_is_waited_for(rig: Rig) -> None:
    rig.configure(rulesMode="shared")
    go_on = rig.pause("prometheus")
    waited: list[str] = []

    def heard(line: str) -> None:
        if "waiting for Prometheus" in line:
            waited.append(line)
            go_on()

    try:
        rig.engine.up(heard)
    finally:
        go_on()
    assert waited, "it was called done before Prometheus could say so"
    assert set(rules.alerts()) <= rig.rules()
    assert rig.preview(refresh=True) == {}


def test_a_prometheus_that_never_answers_fails_the_update_in_one_sentence(rig: Rig) -> None:
    rig.configure(rulesMode="shared", liveTimeout=4)
    go_on = rig.pause("prometheus")
    try:
        words = rig.refused(rig.up)
    finally:
        go_on()
    assert "not all servers run what was written. Prometheus at http" in words
    assert "did not answer within" in words
    rig.configure()
    rig.converges()


def test_a_prometheus_that_is_restarted_during_the_update_is_waited_for(rig: Rig) -> None:
    rig.configure(rulesMode="shared")
    go_on = rig.pause("alertmanager")  # so that the update does not end before
    process = rig.up_in_a_process()
    try:
        until(lambda: rig.changed("configmap/prometheus-rules"))
        rig.sandbox.stop("prometheus", kill=True)
        rig.sandbox.start("prometheus")
        assert process.poll() is None
    finally:
        go_on()
        out, _ = process.communicate(timeout=2 * PATIENCE)
    assert process.returncode == 0, out
    assert rig.preview(refresh=True) == {}
