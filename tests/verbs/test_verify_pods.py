"""The pods of a server, as `verify` sees them: of a Deployment or a StatefulSet, and only those that run."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from components import settings
from ops.checks import Check, prerequisites
from ops.clients.kubernetes import Kubernetes
from ops.diagnosis.chain import log_command
from tests.live.api_server import Api, serving
from tests.live.shapes import WORKLOADS

APPS = "/apis/apps/v1/namespaces/monitoring"


class Place:
    """The chart's Alertmanager, and what is said of it."""

    def __init__(self, api: Api, kubeconfig: str) -> None:
        self.api, self.kubernetes = api, Kubernetes(kubeconfig)
        self.values = {"alertmanagerConfigMap": "kube-alertmanager"}
        api.put(f"{APPS}/statefulsets/kube-alertmanager", spec=WORKLOADS["chart alertmanager"][1])

    def pod(self, name: str, **status: object) -> None:
        self.api.put(f"/api/v1/namespaces/monitoring/pods/{name}", status=status)

    @property
    def target(self) -> SimpleNamespace:
        found = settings.read(self.values, where="nowhere")
        return SimpleNamespace(settings=found, kubernetes=self.kubernetes, is_sandbox=False)

    def check(self) -> Check:
        return prerequisites.pods(self.target, self.target.settings.alertmanager)  # type: ignore[arg-type]

    def log(self) -> str:
        return log_command(self.target, self.target.settings.alertmanager)  # type: ignore[arg-type]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with serving(tmp_path) as (api, kubeconfig):
        yield Place(api, kubeconfig)


def test_a_pod_that_was_evicted_is_not_the_servers(place: Place) -> None:
    place.pod("kube-alertmanager-0", phase="Running", containerStatuses=[{"ready": True}])
    place.pod("kube-alertmanager-old", phase="Failed", reason="Evicted")
    assert (place.check().status, place.check().detail) == ("pass", "1 running: kube-alertmanager-0")


def test_where_none_runs_the_ended_ones_are_named(place: Place) -> None:
    place.pod("kube-alertmanager-0", phase="Failed", reason="Evicted")
    found = place.check()
    assert found.status == "fail"
    assert "no pod with the labels app.kubernetes.io/name=alertmanager runs; kube-alertmanager-0 ended" in found.detail


def test_several_workloads_are_a_failure_with_their_names(place: Place) -> None:
    place.api.put(f"{APPS}/statefulsets/twin", spec=WORKLOADS["chart alertmanager"][1])
    found = place.check()
    assert found.status == "fail"
    assert "set alertmanagerWorkload to one of StatefulSet/kube-alertmanager, StatefulSet/twin" in found.detail


def test_a_workload_that_is_not_there_names_its_settings(place: Place) -> None:
    place.values["alertmanagerWorkload"] = "StatefulSet/other"
    found = place.check()
    assert found.name == "pods/other"
    assert "has neither StatefulSet/other nor a Service alertmanager:9093; set alertmanagerWorkload or " in found.detail


def test_the_next_command_is_about_the_workload_that_was_found(place: Place) -> None:
    assert place.log() == "kubectl -n monitoring logs statefulset/kube-alertmanager --tail=50"
