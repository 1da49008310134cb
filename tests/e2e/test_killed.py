"""SIGKILL of `up` and all that it has started, at every resource: the next `up` converges, and destroy gives back."""

from collections.abc import Callable

import pytest

from tests.e2e.rig import Rig, kill
from tests.support.waiting import PATIENCE, until

# Every resource of the guide's way, in the order in which they are made; where it can be seen in the cluster, by what.
RESOURCES = {
    "pulumi:providers:kubernetes::cluster": "",
    "pulumi-python:dynamic/monitoring:Withdrawn::withdrawn-dedicated-configmap": "",
    "kubernetes:core/v1:ConfigMap::api-performance-alerts": "configmap/api-performance-alerts",
    "pulumi-python:dynamic/monitoring:Mount::api-performance-alerts": "deployment/prometheus",
    "pulumi-python:dynamic/monitoring:ConfigText::prometheus-config": "configmap/prometheus-config",
    "pulumi-python:dynamic/monitoring:ConfigText::alertmanager-config": "configmap/alertmanager-config",
    "pulumi-python:dynamic/monitoring:PreviousDashboard::previous-dashboard": "",
    "kubernetes:core/v1:ConfigMap::api-performance-baseline": "configmap/dashboard-api-performance-baseline",
    "pulumi-python:dynamic/monitoring:Live::live": "",
}

PULUMIS = {"pulumi:pulumi:Stack::api-monitoring-sandbox", "pulumi:providers:pulumi-python::default"}


def killed(rig: Rig, when: Callable[[], bool]) -> None:
    """Kill an `up` as soon as something has happened."""
    process = rig.up_in_a_process()

    def hit() -> bool:
        assert process.poll() is None, f"it ended before: {process.communicate()[0]}"
        return when()

    try:
        until(hit, every=0.01)  # what is to be hit is short
    finally:
        kill(process)
    rig.engine.cancel()


def test_the_list_of_resources_is_whole(rig: Rig) -> None:
    out, _ = rig.up_in_a_process().communicate(timeout=PATIENCE)
    assert set(rig.begun()) - {
        "pulumi:pulumi:Stack::api-monitoring-sandbox",
        "pulumi:providers:pulumi-python::default",
    } == set(RESOURCES), out


# Of the kills those that `make test` has too: of an object of ours, of an edit of a text, of the proof.
CORE = (
    "kubernetes:core/v1:ConfigMap::api-performance-alerts",
    "pulumi-python:dynamic/monitoring:ConfigText::alertmanager-config",
    "pulumi-python:dynamic/monitoring:Live::live",
)


@pytest.mark.parametrize(
    "resource", [pytest.param(name, marks=pytest.mark.core if name in CORE else ()) for name in RESOURCES]
)
def test_killed_when_it_has_begun(rig: Rig, resource: str) -> None:
    killed(rig, lambda: resource in rig.begun())
    rig.converges()


@pytest.mark.parametrize("name", [name for name in RESOURCES.values() if name])
def test_killed_when_it_is_written_and_the_state_may_not_know(rig: Rig, name: str) -> None:
    killed(rig, lambda: rig.changed(name))
    assert rig.changed(name)
    rig.converges()
