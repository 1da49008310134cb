"""A reload by signal: in pods that run, and at once to its end where a role or `kill` is missing.

The answers of a real API server and of a kubelet are held by tests/e2e/test_workloads.py.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from components.live.provider import Props
from components.live.running import wait
from components.live.text.edit_errors import EditRefused
from ops.clients import pod_exec
from ops.errors import Forbidden, Unreachable
from tests.live.api_server import Api, serving
from tests.live.shapes import WORKLOADS, server_props

NAMESPACE = "/api/v1/namespaces/monitoring"
SET = "/apis/apps/v1/namespaces/monitoring/statefulsets/alertmanager"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Api, Props]]:
    with serving(tmp_path) as (api, kubeconfig):
        api.objects["/version/"] = {"major": "1", "minor": "35", "gitVersion": "v1.35.0"}  # kr8s asks for it first
        api.put(SET, spec=WORKLOADS["chart alertmanager"][1])
        server = server_props("alertmanager", workload="StatefulSet/alertmanager", url="http://127.0.0.1:1")
        props = {
            **{"kubeconfig": kubeconfig, "context": None, "namespace": "monitoring", "timeout": 1.0},
            **{"alertmanager": {**server, "reload": "signal"}, "routing": {}},
        }
        yield api, props


def pod(api: Api, name: str, phase: str) -> None:
    ready = [{"type": kind, "status": "True"} for kind in ("Ready", "ContainersReady")]  # kr8s waits for both
    status = {"phase": phase, "conditions": ready}
    api.put(f"{NAMESPACE}/pods/{name}", status=status, kind="Pod", apiVersion="v1", spec={"containers": []})


def test_without_the_role_it_ends_at_once_and_names_the_role(place: tuple[Api, Props]) -> None:
    api, props = place
    pod(api, "alertmanager-0", "Running")
    api.forbid.add(f"{NAMESPACE}/pods/alertmanager-0/exec")
    words = (
        r"^this account may not send SIGHUP to Alertmanager in pod monitoring/alertmanager-0 \(403 on pods/exec\): its "
        r"role needs get and create on pods/exec, or set alertmanagerReload to lifecycle or sidecar$"
    )
    with pytest.raises(EditRefused, match=words):
        wait.until_gone(props)  # a failure that is waited for begins with "after 1 s"


def test_pods_that_have_ended_get_no_signal(place: tuple[Api, Props]) -> None:
    api, props = place
    for name, phase in (("alertmanager-0", "Failed"), ("alertmanager-1", "Succeeded")):
        pod(api, name, phase)
        api.forbid.add(f"{NAMESPACE}/pods/{name}/exec")
    with pytest.raises(EditRefused, match=r"no pod of StatefulSet monitoring/alertmanager runs, so none got SIGHUP"):
        wait.until_gone(props)


def test_a_workload_that_is_gone_is_named(place: tuple[Api, Props]) -> None:
    api, props = place
    del api.objects[SET]
    with pytest.raises(EditRefused, match=r"^no pod gets SIGHUP: StatefulSet monitoring/alertmanager is not there: is"):
        wait.until_gone(props)


def test_what_goes_wrong_is_said_without_the_group_that_wraps_it(place: tuple[Api, Props]) -> None:
    api, props = place
    pod(api, "alertmanager-0", "Running")
    where = (props["kubeconfig"], None, "monitoring", "alertmanager-0", "alertmanager", ["kill", "-HUP", "1"])
    with pytest.raises(Unreachable) as broken:  # the stand-in knows no exec
        pod_exec.run(*where)
    assert "TaskGroup" not in str(broken.value) and "404" in str(broken.value)
    api.forbid.add(f"{NAMESPACE}/pods/alertmanager-0")
    with pytest.raises(Forbidden):
        pod_exec.run(*where)
