"""Whether a rolling update leaves a pod that cannot start, as the pod before it still has the volume of the data."""

import math
from collections.abc import Callable, Collection, Mapping
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Literal

from components.live.cluster.pod_mount import named
from components.live.provider import warn
from components.live.text.edit_errors import EditRefused
from formats.json_types import JsonValue
from ops.clients.kubernetes import Kubernetes
from ops.clients.workloads import Workload
from ops.errors import OpsError

# Server → the option that names the folder of its data, and where that is without it, by the images.
_FOLDERS = {"prometheus": ("--storage.tsdb.path", "/prometheus"), "alertmanager": ("--storage.path", "/alertmanager")}
_NO_LOCK = "--storage.tsdb.no-lockfile"
_ONE_POD, _ONE_NODE = "ReadWriteOncePod", "ReadWriteOnce"  # access modes of a claim

Verdict = Literal["starts", "may not start", "never starts"]


def refuse_stuck_update(cluster: Kubernetes, found: Workload, server: str) -> None:
    """Raises EditRefused where a change of the template leaves a pod that never gets ready; warns where it may.

    Of Deployments only: in a StatefulSet each pod has a claim of its own and starts when the one before it has ended.
    """
    claim = _claim_of_data(found, server)
    if found.kind != "Deployment" or not claim or not starts_beside_the_old(found.content["spec"]):
        return
    modes = _access_modes(cluster, f"/api/v1/namespaces/{found.namespace}/persistentvolumeclaims/{claim}")
    locks = server == "prometheus" and _option(found, _NO_LOCK) in (None, "false")
    verdict = judged(modes, locks=locks, replicas=found.content["spec"].get("replicas", 1))
    if verdict == "starts":
        return
    reason = "the old one has locked its folder" if locks else "one pod or node alone can have that volume"
    remedy = "set its strategy to Recreate" + (", or rulesMode to shared" if server == "prometheus" else "")
    kind = f" ({', '.join(sorted(modes))})" if modes else ""
    sentence = (
        f"{found.title} has strategy RollingUpdate and its data in PersistentVolumeClaim {claim}{kind}: with our mount "
        f"a new pod starts beside the old one and {'never' if verdict == 'never starts' else 'perhaps never'} gets "
        f"ready, as {reason}; {remedy}"
    )
    if verdict == "never starts":
        raise EditRefused(sentence)
    warn(sentence)


def judged(modes: Collection[str], *, locks: bool, replicas: int) -> Verdict:
    """Of a new pod beside an old one with the same claim. `modes`: the claim's, none where they are not known.

    `locks`: the server locks the folder of its data. Several replicas that share it run, so that no lock is in the way.
    """
    if modes and set(modes) <= {_ONE_POD}:
        return "never starts"
    if modes and set(modes) <= {_ONE_POD, _ONE_NODE}:  # on another node it gets no volume, on this one no lock
        return "never starts" if locks and replicas == 1 else "may not start"
    if replicas > 1:
        return "starts"
    return "may not start" if locks or not modes else "starts"  # not every file system has locks


def starts_beside_the_old(spec: Mapping[str, JsonValue]) -> bool:
    """Whether a Deployment has to start a new pod before an old one is ended."""
    strategy, replicas = spec.get("strategy") or {}, spec.get("replicas", 1)
    if strategy.get("type", "RollingUpdate") != "RollingUpdate" or not replicas:
        return False
    limits = strategy.get("rollingUpdate") or {}
    surge = _pods(limits.get("maxSurge", "25%"), replicas, math.ceil)
    return surge > 0 and _pods(limits.get("maxUnavailable", "25%"), replicas, math.floor) == 0


def _pods(limit: JsonValue, replicas: int, rounded: Callable[[float], int]) -> int:
    """A number of pods, or a share of the replicas such as `25%`."""
    text = str(limit)
    return rounded(int(text[:-1]) * replicas / 100) if text.endswith("%") else int(text)


def _claim_of_data(found: Workload, server: str) -> str:
    """The claim of the volume on which the server keeps its data; "" for none, and for a folder of each pod's own."""
    option, usual = _FOLDERS[server]
    folder = PurePosixPath("/", _option(found, option) or usual)
    container = named(found.pod.get("containers"), found.container) or {}
    above = [one for one in container.get("volumeMounts") or () if folder.is_relative_to(one["mountPath"])]
    mount = max(above, key=lambda one: len(PurePosixPath(one["mountPath"]).parts), default=None)
    if mount is None or mount.get("subPathExpr"):
        return ""
    volume = named(found.pod.get("volumes"), mount["name"]) or {}
    return str((volume.get("persistentVolumeClaim") or {}).get("claimName") or "")


def _option(found: Workload, name: str) -> str | None:
    """The value of an option of the server's container, "" without one; None where the option is not there."""
    container = named(found.pod.get("containers"), found.container) or {}
    words = [str(word) for word in (*(container.get("command") or ()), *(container.get("args") or ()))]
    for word, following in pairwise([*words, ""]):
        option, equals, value = word.partition("=")
        if option == name:
            return value if equals or following.startswith("-") else following
    return None


def _access_modes(cluster: Kubernetes, path: str) -> list[str]:
    """A claim's; none where this account may not look, or it is not there."""
    try:
        return [str(mode) for mode in cluster.get(path)["spec"].get("accessModes") or ()]
    except OpsError:
        return []
