"""A volume in a Deployment of others: what is in its way is refused before anything is written, and only ours goes.

What the API server makes of the patches is held by tests/e2e.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from components.live.cluster import pod_mount
from components.live.cluster.pod_mount import Volume
from components.live.provider import NotDone, Props
from components.live.resources import MountProvider
from components.live.text.edit_errors import EditRefused
from formats.json_types import JsonObject
from tests.live.api_server import Api, serving
from tests.live.shapes import server_props

OURS = Volume("ours", {"configMap": {"name": "ours"}}, "prometheus", "/etc/ours")
THEIRS = {"name": "config", "configMap": {"name": "prometheus-config", "defaultMode": 420}}
STANDING = {"name": "ours", "configMap": {"name": "ours", "defaultMode": 420}}
MOUNTED = {"name": "ours", "mountPath": "/etc/ours", "readOnly": True}
PATH = "/apis/apps/v1/namespaces/monitoring/deployments/prometheus"
PROVIDER = MountProvider()


def pod(volumes: list[JsonObject], mounts: list[JsonObject]) -> JsonObject:
    return {"volumes": volumes, "containers": [{"name": "proxy"}, {"name": "prometheus", "volumeMounts": mounts}]}


def test_what_the_api_fills_in_makes_no_difference() -> None:
    assert pod_mount.is_mounted(pod([THEIRS, STANDING], [MOUNTED]), OURS)


@pytest.mark.parametrize(
    ("volumes", "mounts"),
    [
        ([THEIRS], [MOUNTED]),
        ([STANDING], []),
        ([STANDING], [{**MOUNTED, "subPath": "one.yml"}]),
        ([{"name": "ours", "configMap": {"name": "other"}}], [MOUNTED]),
        ([STANDING], [{**MOUNTED, "mountPath": "/etc/elsewhere"}]),
    ],
)
def test_what_is_missing_or_altered_is_seen(volumes: list[JsonObject], mounts: list[JsonObject]) -> None:
    assert not pod_mount.is_mounted(pod(volumes, mounts), OURS)


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (pod([{"name": "ours", "secret": {"secretName": "x"}}], []), r"a volume ours already.*not ours \(secret x\)"),
        (pod([THEIRS], [{"name": "config", "mountPath": "/etc/ours"}]), r"mounts volume config at /etc/ours already"),
        ({"containers": [{"name": "prom"}]}, r"has no container prometheus; it has prom$"),
    ],
)
def test_what_is_in_the_way_is_named(found: JsonObject, says: str) -> None:
    with pytest.raises(EditRefused, match=says):
        pod_mount.refuse_clashes(found, OURS, ours=False)


def test_what_stands_there_by_our_hand_may_change_its_source() -> None:
    spread = Volume("ours", {"projected": {"sources": [{"configMap": {"name": "ours"}}]}}, "prometheus", "/etc/new")
    pod_mount.refuse_clashes(pod([STANDING], [MOUNTED]), spread, ours=True)
    with pytest.raises(EditRefused):
        pod_mount.refuse_clashes(pod([STANDING], [MOUNTED]), spread, ours=False)
    patch = pod_mount.addition(spread, OURS)["spec"]["template"]["spec"]
    assert patch["volumes"] == [{"name": "ours", **spread.source, "$retainKeys": ["name", "projected"]}]
    assert patch["containers"][0]["volumeMounts"][1] == {"mountPath": "/etc/ours", "$patch": "delete"}


def test_only_what_is_ours_is_taken_out() -> None:
    assert pod_mount.removal(pod([THEIRS], []), OURS) is None
    taken = pod_mount.removal(pod([THEIRS, STANDING], [MOUNTED]), OURS)
    assert taken is not None
    assert taken["spec"]["template"]["spec"] == {
        "volumes": [{"name": "ours", "$patch": "delete"}],
        "containers": [{"name": "prometheus", "volumeMounts": [{"mountPath": "/etc/ours", "$patch": "delete"}]}],
    }
    theirs_by_now = pod([{"name": "ours", "secret": {"secretName": "x"}}], [{"name": "x", "mountPath": "/etc/ours"}])
    assert pod_mount.removal(theirs_by_now, OURS) is None


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Api, Props]]:
    with serving(tmp_path) as (api, kubeconfig):
        yield (
            api,
            {
                **{"kubeconfig": kubeconfig, "context": None, "namespace": "monitoring"},
                **{"server": server_props(), "workload": "Deployment/prometheus", "container": "prometheus"},
                "manager": "api-monitoring/prod/ours",
                **{"volume": "ours", "source": dict(OURS.source), "path": OURS.path},
            },
        )


def stands(api: Api, volumes: list[JsonObject], mounts: list[JsonObject], *managers: str) -> None:
    api.put(PATH, spec={"template": {"spec": pod(volumes, mounts)}})
    api.objects[PATH]["metadata"]["managedFields"] = [{"manager": manager} for manager in managers]


def test_a_restart_is_announced_in_preview(place: tuple[Api, Props], capsys: pytest.CaptureFixture[str]) -> None:
    api, props = place
    stands(api, [THEIRS], [])
    assert not PROVIDER.check({}, props).failures
    assert "so its pods restart" in capsys.readouterr().out


def test_a_missing_deployment_is_named_in_preview(place: tuple[Api, Props]) -> None:
    (failure,) = PROVIDER.check({}, place[1]).failures
    assert failure.reason == (
        "Deployment monitoring/prometheus is not there, and no workload in that namespace runs Prometheus with "
        "ConfigMap prometheus-config: set prometheusWorkload in the stack file to KIND/NAME"
    )


@pytest.mark.parametrize(("manager", "made"), [("kubectl-edit", ""), ("api-monitoring/prod/ours", "yes")])
def test_a_killed_update_knows_its_own_and_leaves_theirs(place: tuple[Api, Props], manager: str, made: str) -> None:
    api, props = place
    stands(api, [STANDING], [MOUNTED], manager)
    assert (PROVIDER.create(props).outs or {})["made"] == made


def test_what_somebody_else_had_put_there_stays_on_destroy(place: tuple[Api, Props]) -> None:
    api, props = place
    stands(api, [STANDING], [MOUNTED], "kubectl-edit")
    api.before_write = lambda: pytest.fail("it was written")
    PROVIDER.delete("id", PROVIDER.create(props).outs or {})


def test_drift_is_seen_without_a_refresh(place: tuple[Api, Props]) -> None:
    api, props = place
    stands(api, [STANDING], [MOUNTED])
    assert not PROVIDER.diff("id", {**props, "made": "yes"}, props).changes
    stands(api, [THEIRS], [])
    assert PROVIDER.diff("id", {**props, "made": "yes"}, props).changes


def test_a_clash_that_came_since_the_preview_writes_nothing(place: tuple[Api, Props]) -> None:
    api, props = place
    stands(api, [THEIRS], [{"name": "config", "mountPath": "/etc/ours"}])
    api.before_write = lambda: pytest.fail("it was written")
    with pytest.raises(NotDone, match=r"^Deployment monitoring/prometheus mounts volume config at /etc/ours already"):
        PROVIDER.create(props)
