"""A rolling update beside which the old pod still has the volume of the data: refused, or warned of, in preview."""

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.live.cluster import data_volume
from components.live.resources import MountProvider
from components.live.text.edit_errors import EditRefused
from formats.json_types import JsonObject
from ops.clients import workloads
from ops.clients.kubernetes import Kubernetes
from tests.live.api_server import Api, serving
from tests.live.shapes import server_props, wanted_workload

APPS = "/apis/apps/v1/namespaces/monitoring"
CLAIM = "/api/v1/namespaces/monitoring/persistentvolumeclaims/data"
DATA = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}
REFUSED = (
    "Deployment monitoring/prometheus has strategy RollingUpdate and its data in PersistentVolumeClaim data "
    "(ReadWriteOnce): with our mount a new pod starts beside the old one and never gets ready, as the old one has "
    "locked its folder; set its strategy to Recreate, or rulesMode to shared"
)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Api, str]]:
    with serving(tmp_path) as (api, kubeconfig):
        api.put(CLAIM, spec={"accessModes": ["ReadWriteOnce"]})
        yield api, kubeconfig


def put(api: Api, changes: JsonObject | None = None, kind: str = "deployments", name: str = "prometheus") -> None:
    """A server whose data are on a claim; `changes`: of its container (`args`, `mount`), its `volume` or its spec."""
    changes = dict(changes or {})
    mount = {"name": "data", "mountPath": f"/{name}", **changes.pop("mount", {})}
    args, volume = changes.pop("args", []), changes.pop("volume", DATA)
    mounts = [mount, {"name": "config", "mountPath": "/etc/config"}]
    config = {"name": "config", "configMap": {"name": f"{name}-config"}}
    pod = {"containers": [{"name": name, "args": args, "volumeMounts": mounts}], "volumes": [volume, config]}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": {"spec": pod}, "strategy": ROLLING}
    api.put(f"{APPS}/{kind}/{name}", spec={**copy.deepcopy(spec), **changes})


def said(place: tuple[Api, str], capsys: pytest.CaptureFixture[str], server: str = "prometheus", kind: str = "") -> str:
    """What is said of it: the refusal, or the warning."""
    cluster = Kubernetes(place[1])
    found = workloads.find(cluster, wanted_workload(server, workload=f"{kind or 'Deployment'}/{server}"))
    try:
        data_volume.refuse_stuck_update(cluster, found, server)
    except EditRefused as refusal:
        assert capsys.readouterr().out == ""
        return f"refused: {refusal}"
    return capsys.readouterr().out.strip()


def test_it_is_refused_in_one_sentence(place: tuple[Api, str], capsys: pytest.CaptureFixture[str]) -> None:
    put(place[0])
    assert said(place, capsys) == f"refused: {REFUSED}"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"strategy": {}},  # what a Deployment has that says nothing
        {"strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}},
        {"strategy": {"rollingUpdate": {"maxSurge": "1%", "maxUnavailable": "99%"}}},
        {"args": ["--storage.tsdb.path=/data/prometheus"], "mount": {"mountPath": "/data", "subPath": "one"}},
        {"args": ["--storage.tsdb.path", "/data"], "mount": {"mountPath": "/data/"}},
        {"args": ["--storage.tsdb.no-lockfile=false"]},
    ],
)
def test_these_are_refused_too(place: tuple[Api, str], capsys: pytest.CaptureFixture[str], changes: JsonObject) -> None:
    put(place[0], changes)
    assert said(place, capsys).startswith("refused: ")


@pytest.mark.parametrize(
    "changes",
    [
        {"strategy": {"type": "Recreate"}},
        {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}},  # the old one ends first
        {"strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}}},
        {"replicas": 0},
        {"volume": {"name": "data", "emptyDir": {}}},
        {"volume": {"name": "data", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}}},
        {"mount": {"mountPath": "/backup"}},  # of something else
        {"mount": {"subPathExpr": "$(POD_NAME)"}},
    ],
)
def test_in_these_a_new_pod_starts(
    place: tuple[Api, str], capsys: pytest.CaptureFixture[str], changes: JsonObject
) -> None:
    put(place[0], changes)
    assert said(place, capsys) == ""


def test_pods_of_a_stateful_set_have_a_claim_each(place: tuple[Api, str], capsys: pytest.CaptureFixture[str]) -> None:
    put(place[0], kind="statefulsets")
    assert said(place, capsys, kind="StatefulSet") == ""


ONCE, POD, MANY = "ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany"


@pytest.mark.parametrize(
    ("modes", "locks", "replicas", "verdict"),
    [
        ([ONCE], True, 1, "never starts"),
        ([ONCE], False, 1, "may not start"),
        ([ONCE], True, 2, "may not start"),  # both are on one node, and the third may be on another
        ([POD], False, 1, "never starts"),
        ([MANY], True, 1, "may not start"),
        ([MANY], False, 1, "starts"),
        ([MANY], True, 2, "starts"),
        ([ONCE, MANY], False, 1, "starts"),
        ([], True, 1, "may not start"),
        ([], False, 1, "may not start"),
        ([], True, 2, "starts"),
    ],
)
def test_what_is_certain_and_what_is_not(modes: list[str], locks: bool, replicas: int, verdict: str) -> None:
    assert data_volume.judged(modes, locks=locks, replicas=replicas) == verdict


def test_what_may_be_is_a_warning(place: tuple[Api, str], capsys: pytest.CaptureFixture[str]) -> None:
    api, _ = place
    put(api)
    api.put(CLAIM, spec={"accessModes": [MANY]})
    assert said(place, capsys) == "warning: " + REFUSED.replace(ONCE, MANY).replace("and never", "and perhaps never")


def test_an_account_that_may_not_look_at_claims_is_warned(
    place: tuple[Api, str], capsys: pytest.CaptureFixture[str]
) -> None:
    api, _ = place
    put(api)
    api.forbid.add(CLAIM)
    assert said(place, capsys).startswith("warning: Deployment monitoring/prometheus has strategy RollingUpdate and ")


def test_alertmanager_locks_nothing(place: tuple[Api, str], capsys: pytest.CaptureFixture[str]) -> None:
    put(place[0], name="alertmanager")
    words = said(place, capsys, "alertmanager")
    assert words.startswith("warning: ")
    assert words.endswith("as one pod or node alone can have that volume; set its strategy to Recreate")


def test_only_a_mount_that_is_not_there_yet_is_refused(place: tuple[Api, str]) -> None:
    api, kubeconfig = place
    put(api)
    props: JsonObject = {
        **{"kubeconfig": kubeconfig, "context": None, "namespace": "monitoring", "manager": "us"},
        **{"workload": "Deployment/prometheus", "server": server_props("prometheus"), "container": "prometheus"},
        **{"volume": "ours", "source": {"configMap": {"name": "ours"}}, "path": "/etc/ours"},
    }
    (failure,) = MountProvider().check({}, props).failures
    assert failure.reason == REFUSED
    pod = api.objects[f"{APPS}/deployments/prometheus"]["spec"]["template"]["spec"]
    pod["volumes"].append({"name": "ours", "configMap": {"name": "ours"}})
    pod["containers"][0]["volumeMounts"].append({"name": "ours", "mountPath": "/etc/ours", "readOnly": True})
    assert not MountProvider().check({}, props).failures
