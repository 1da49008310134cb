"""Nothing of somebody else's that stands under a name of ours is taken over."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from components.live.cluster import workload
from components.live.cluster.ownership_checks import refuse_others, refuse_taken_keys
from components.live.provider import Props
from components.live.resources import WithdrawnProvider
from components.live.text.edit_errors import EditRefused
from ops.clients.kubernetes import Kubernetes
from tests.live.api_server import Api, serving
from tests.live.shapes import wanted_workload

PATH = "/api/v1/namespaces/monitoring/configmaps/api-performance-alerts"
OURS = "api-monitoring/prod"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[Api, Kubernetes, str]]:
    with serving(tmp_path) as (api, kubeconfig):
        yield api, Kubernetes(kubeconfig), kubeconfig


def applied_by(api: Api, *managers: str) -> None:
    api.put(PATH)
    api.objects[PATH]["metadata"]["managedFields"] = [{"manager": manager} for manager in managers]


@pytest.mark.parametrize("managers", [("kubectl-create",), ("api-monitoring/staging",), ()])
def test_an_object_of_somebody_elses_is_refused(
    cluster: tuple[Api, Kubernetes, str], managers: tuple[str, ...]
) -> None:
    api, kubernetes, _ = cluster
    applied_by(api, *managers)
    with pytest.raises(
        EditRefused, match=r"^configmaps/api-performance-alerts is in namespace monitoring already"
    ) as no:
        refuse_others(kubernetes, [PATH], OURS)
    assert all(manager in str(no.value) for manager in managers)


@pytest.mark.parametrize("managers", [(OURS,), ("kubectl-edit", OURS), None])
def test_ours_and_nothing_pass(cluster: tuple[Api, Kubernetes, str], managers: tuple[str, ...] | None) -> None:
    api, kubernetes, _ = cluster
    if managers:
        applied_by(api, *managers)
    refuse_others(kubernetes, [PATH], OURS)


def test_what_is_known_already_is_not_looked_at_again(cluster: tuple[Api, Kubernetes, str]) -> None:
    """Somebody may have made ours anew from a backup: a later `up` puts it right instead of refusing it."""
    api, _, kubeconfig = cluster
    applied_by(api, "kubectl-create")
    news: Props = {"kubeconfig": kubeconfig, "context": None, "own": [PATH], "manager": OURS}
    assert WithdrawnProvider().check({}, news).failures
    assert not WithdrawnProvider().check({"own": [PATH]}, news).failures


def test_an_account_that_may_not_look_is_told_so(
    cluster: tuple[Api, Kubernetes, str], capsys: pytest.CaptureFixture[str]
) -> None:
    api, _, kubeconfig = cluster
    api.forbid.add(PATH)
    news: Props = {"kubeconfig": kubeconfig, "context": None, "own": [PATH], "manager": OURS}
    assert not WithdrawnProvider().check({}, news).failures
    assert "warning: could not check whether somebody else uses a name of ours" in capsys.readouterr().out


SHARED = {"config_map": "prometheus-rules", "keys": ["api.yml", "watchdog.yml"]}


def shares(api: Api, mount: dict[str, str] | None, keys: dict[str, str]) -> None:
    """A rules ConfigMap of others; `keys`: each key's field manager."""
    path = "/api/v1/namespaces/monitoring/configmaps/prometheus-rules"
    api.put(path, data={f"{key}.yml": "groups: []" for key in keys})
    api.objects[path]["metadata"]["managedFields"] = [
        {"manager": manager, "fieldsV1": {"f:data": {f"f:{key}.yml": {}}}} for key, manager in keys.items()
    ]
    volumes = [{"name": "rules", "configMap": {"name": "prometheus-rules"}}]
    pod = {"volumes": volumes, "containers": [{"name": "prometheus", "volumeMounts": [mount] if mount else []}]}
    api.put("/apis/apps/v1/namespaces/monitoring/deployments/prometheus", spec={"template": {"spec": pod}})


FOLDER = {"name": "rules", "mountPath": "/etc/prometheus/rules"}


@pytest.mark.parametrize(
    ("mount", "keys", "says"),
    [
        (FOLDER, {"api": "kubectl-edit"}, r"has a key api.yml already, and it is not ours \(written by kubectl-edit\)"),
        ({**FOLDER, "subPath": "a.yml"}, {"billing": "x"}, r"prometheus mounts it by subPath, which kubelet never up"),
        (None, {"billing": "x"}, r"container prometheus does not mount it"),
    ],
)
def test_keys_that_cannot_stand_in_somebodys_config_map_are_refused(
    cluster: tuple[Api, Kubernetes, str], mount: dict[str, str] | None, keys: dict[str, str], says: str
) -> None:
    api, kubernetes, _ = cluster
    shares(api, mount, keys)

    def look() -> None:
        refuse_taken_keys(kubernetes, SHARED, "monitoring", OURS)
        workload.read(kubernetes, wanted_workload()).refuse_dead_mount("prometheus-rules", ["ours.yml"])

    with pytest.raises(EditRefused, match=says):
        look()


def test_keys_of_ours_and_free_ones_pass(cluster: tuple[Api, Kubernetes, str]) -> None:
    api, kubernetes, _ = cluster
    shares(api, FOLDER, {"billing": "kubectl-create", "api": OURS})
    refuse_taken_keys(kubernetes, SHARED, "monitoring", OURS)


def test_a_shared_config_map_that_is_not_there_is_named(cluster: tuple[Api, Kubernetes, str]) -> None:
    with pytest.raises(EditRefused, match=r"^ConfigMap monitoring/prometheus-rules is not there"):
        refuse_taken_keys(cluster[1], SHARED, "monitoring", OURS)
