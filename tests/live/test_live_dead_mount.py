"""A volume that shows only some keys of a ConfigMap: what is not among them would never arrive."""

import contextlib
from pathlib import Path

import pytest

from components.live.cluster import workload
from components.live.text.edit_errors import EditRefused
from formats.json_types import JsonObject
from ops.clients.kubernetes import Kubernetes
from tests.live.api_server import serving
from tests.live.shapes import wanted_workload

POD = "/apis/apps/v1/namespaces/monitoring/deployments/prometheus"
OURS = {"key": "ours.yml", "path": "ours.yml"}
THEIRS = {"key": "theirs.yml", "path": "theirs.yml"}


def plain(*items: JsonObject) -> JsonObject:
    return {"configMap": {"name": "rules", **({"items": [*items]} if items else {})}}


def projected(*sources: JsonObject) -> JsonObject:
    return {"projected": {"sources": [*sources]}}


@pytest.mark.parametrize(
    ("volumes", "arrives"),
    [
        ([plain()], True),
        ([plain(OURS)], True),
        ([plain(THEIRS, {"key": "ours.yml", "path": "elsewhere.yml"})], True),
        ([plain(THEIRS)], False),
        ([projected(plain(THEIRS))], False),
        ([projected(plain(THEIRS), plain(OURS))], True),
        ([projected(plain(THEIRS), {"secret": {"name": "rules"}})], False),
        ([plain(THEIRS), plain()], True),
    ],
    ids=[
        "all",
        "ours",
        "ours by another path",
        "others",
        "others, projected",
        "both",
        "a Secret beside",
        "two volumes",
    ],
)
def test_a_key_that_is_not_shown_is_refused(tmp_path: Path, volumes: list[JsonObject], arrives: bool) -> None:
    named = [{"name": f"v{number}", **volume} for number, volume in enumerate(volumes)]
    mounts = [{"name": volume["name"], "mountPath": f"/{volume['name']}"} for volume in named]
    spec = {"template": {"spec": {"containers": [{"name": "prometheus", "volumeMounts": mounts}], "volumes": named}}}
    with serving(tmp_path) as (api, kubeconfig):
        api.put(POD, spec=spec)
        found = workload.read(Kubernetes(kubeconfig), wanted_workload())
    words = r"shows only some keys of it \(`items` of its volume\), and ours.yml would never arrive"
    with contextlib.nullcontext() if arrives else pytest.raises(EditRefused, match=words):
        found.refuse_dead_mount("rules", ["ours.yml"])
