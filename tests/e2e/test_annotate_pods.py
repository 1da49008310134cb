"""annotatePods: pods that mount what was written are annotated, on a real API server; kubelet's part: tests/node."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

import pytest

import rules
from components.live.cluster.pod_annotation import ROLE, WRITTEN
from formats.json_types import JsonObject
from ops.errors import NotFound
from ops.sandbox.cluster import NAMESPACE
from tests.e2e.accounts import DEPLOY, PREVIEW, applied
from tests.e2e.rig import Rig
from tests.e2e.test_rbac import warned
from tests.support.limits import changed, other

# Of each what it mounts. A Deployment's own pods are not there, as nothing here makes them.
PODS: dict[str, list[JsonObject]] = {
    "rules": [{"configMap": {"name": "prometheus-rules"}}],
    "routing": [{"projected": {"sources": [{"configMap": {"name": "alertmanager-config"}}]}}],
    "another": [{"configMap": {"name": "other"}}, {"emptyDir": {}}],
    "ended": [{"configMap": {"name": "prometheus-rules"}}],
}


def path(name: str) -> str:
    return f"/api/v1/namespaces/{NAMESPACE}/pods/{name}"


def written(rig: Rig) -> dict[str, str]:
    """Pod → what our annotation says, of those that have it."""
    found = {name: pod["metadata"].get("annotations") or {} for name, pod in rig.cluster.items("pods").items()}
    return {name: annotations[WRITTEN] for name, annotations in found.items() if WRITTEN in annotations}


@pytest.fixture
def pods(rig: Rig) -> Iterator[Rig]:
    """Pods of nobody, so that no controller and no scheduler is missing."""
    for name, sources in PODS.items():
        volumes = [{"name": f"volume-{number}", **source} for number, source in enumerate(sources)]
        spec = {"containers": [{"name": "main", "image": "none"}], "volumes": volumes}
        metadata = {"name": name, "annotations": {"team": "other"}}
        rig.cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    rig.report(path("ended"), {"phase": "Failed"})
    try:
        yield rig
    finally:
        for name in PODS:
            with suppress(NotFound):
                rig.cluster.http.request("DELETE", f"{path(name)}?gracePeriodSeconds=0")


def test_each_pod_that_mounts_what_was_written_is_annotated_and_no_other(pods: Rig) -> None:
    rig = pods
    rig.configure(rulesMode="shared", annotatePods=True)
    rig.up()
    first = written(rig)
    assert sorted(first) == ["routing", "rules"]
    assert all(datetime.fromisoformat(moment).tzinfo for moment in first.values())
    assert rig.cluster.items("pods")["rules"]["metadata"]["annotations"]["team"] == "other"

    assert rig.preview(refresh=True) == {}
    rig.up()
    assert written(rig) == first  # nothing was written

    rig.cluster.http.request("DELETE", f"{path('routing')}?gracePeriodSeconds=0")
    alert = rules.alerts()["APIP95LatencyHigh"]
    file = rig.program / "rules" / alert.file.name
    file.write_text(changed(alert, other(alert))(file.read_text("utf-8")), "utf-8")
    rig.up()
    assert written(rig).keys() == {"rules"} and written(rig) != first
    for kind in ("deployments", "statefulsets"):  # a changed template would restart pods
        assert WRITTEN not in str(rig.cluster.items(kind))

    rig.destroy()
    assert written(rig) == {}
    assert rig.cluster.items("pods")["rules"]["metadata"]["annotations"] == {"team": "other"}
    assert rig.objects() == rig.before


def test_it_is_off_unless_it_is_set_and_destroy_goes_by_what_was_set_last(pods: Rig) -> None:
    rig = pods
    rig.configure(rulesMode="shared")
    rig.up()
    assert written(rig) == {}
    rig.configure(rulesMode="shared", annotatePods=True)
    assert rig.preview() == {"update": 2}  # the first and the last resource know of it
    rig.up()
    assert sorted(written(rig)) == ["routing", "rules"]


def test_it_needs_one_more_role_which_is_named(pods: Rig) -> None:
    rig = pods
    settings = {"rulesMode": "shared", "annotatePods": True}
    with applied(rig) as accounts:
        rig.configure(**settings, kubeconfig=str(accounts.kubeconfig))
        accounts.use(PREVIEW)
        assert rig.preview()["create"] > 0
        assert ROLE not in warned(rig)  # that account may write nothing, which is no news
        accounts.use(DEPLOY)
        assert rig.refused(rig.preview).endswith(
            f"annotatePods is true, and this account may not patch pods in namespace {NAMESPACE}: apply {ROLE}, or set "
            "annotatePods to false"
        )
        assert rig.objects() == rig.before
    with applied(rig, "annotate-pods.yml") as accounts:
        rig.configure(**settings, kubeconfig=str(accounts.kubeconfig))
        accounts.use(DEPLOY)
        rig.up()
        assert sorted(written(rig)) == ["routing", "rules"]
    with applied(rig) as accounts:  # the role was taken back: a destroy does not need it
        accounts.use(DEPLOY)
        rig.destroy()
        assert ROLE in warned(rig)
    assert rig.objects() == rig.before
