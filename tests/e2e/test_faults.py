"""Each fault: one sentence, no traceback of ours, nothing half written, and the next `up` converges."""

import os
import signal
from collections.abc import Callable, Iterator

import pytest

import rules
from ops.errors import Unreachable
from tests.e2e.rig import Rig

OTHERS = ("configmap/prometheus-config", "configmap/alertmanager-config", "configmap/prometheus-rules")


def converges(rig: Rig) -> None:
    """The next `up` deploys all of it, and what was there before comes back by `destroy`."""
    rig.up()
    assert set(rules.alerts()) <= rig.rules()
    assert rig.preview(refresh=True) == {}
    rig.destroy()
    assert {name: rig.objects()[name] for name in OTHERS} == {name: rig.before[name] for name in OTHERS}


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
    writable = ["prometheus-config", "prometheus-rules", "api-performance-alerts"]
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
    rig.configure(kubeconfig=str(rig.cluster.kubeconfig_of_nobody))
    words = rig.refused(rig.up)
    assert "alertmanager-config" in words
    assert rig.objects()["configmap/alertmanager-config"] == rig.before["configmap/alertmanager-config"]
    rig.configure()
    converges(rig)


@pytest.mark.parametrize("server", ["prometheus", "alertmanager"])
def test_a_server_that_is_down_fails_the_update_and_the_next_one_converges(rig: Rig, server: str) -> None:
    rig.configure(rulesMode="shared", liveTimeout=4)
    rig.box.stop(server, kill=True)
    words = rig.refused(rig.up)
    assert f"{server.capitalize()}: " in words
    assert "cannot be reached" in words
    rig.box.start(server)
    converges(rig)


def test_files_that_prometheus_refuses_fail_the_update_in_its_own_words(rig: Rig) -> None:
    broken = "groups:\n  - name: x\n    rules:\n      - {alert: X, expr: 'sum('}\n"
    rig.configure(rulesMode="shared", liveTimeout=4)
    rig.write("prometheus-rules", {"broken.yml": broken})
    assert "Prometheus: it refuses its files" in rig.refused(rig.up)
    rig.write("prometheus-rules", {"broken.yml": None})
    converges(rig)


def test_of_two_updates_at_once_one_is_told_of_the_other(rig: Rig) -> None:
    locks = rig.box.home / "pulumi" / "backend" / ".pulumi" / "locks"
    first = rig.up_in_a_process()
    rig.until(lambda: list(locks.rglob("*.json")))
    try:
        with pytest.raises(Unreachable, match=r"^Stack sandbox is locked by .* another update runs"):
            rig.up()
    finally:
        out, _ = first.communicate(timeout=60)
    assert first.returncode == 0, out
    assert rig.preview() == {}


def changed(name: str) -> Callable[[Rig], bool]:
    return lambda rig: rig.objects().get(name) != rig.before.get(name)


@pytest.fixture
def killed(rig: Rig) -> Iterator[Callable[[Callable[[Rig], bool]], None]]:
    """Kills an `up`, and all that it has started, as soon as something has happened."""

    def kill(when: Callable[[Rig], bool]) -> None:
        process = rig.up_in_a_process()
        try:
            rig.until(lambda: when(rig) or process.poll() is not None, 60)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=30)
        rig.engine.cancel()

    yield kill


@pytest.mark.parametrize(
    "name",
    [
        "configmap/api-performance-alerts",
        "deployment/prometheus",
        "configmap/prometheus-config",
        "configmap/alertmanager-config",
    ],
)
def test_a_killed_update_is_finished_by_the_next(rig: Rig, killed: Callable[..., None], name: str) -> None:
    killed(changed(name))
    assert changed(name)(rig)
    converges(rig)
    assert rig.objects() == rig.before


def test_an_api_server_that_goes_away_midway(rig: Rig) -> None:
    process = rig.up_in_a_process()
    rig.until(lambda: changed("deployment/prometheus")(rig), 60)
    rig.box.stop("kube-apiserver", kill=True)
    out, _ = process.communicate(timeout=120)
    rig.box.start("kube-apiserver")
    assert process.returncode != 0, out
    converges(rig)
