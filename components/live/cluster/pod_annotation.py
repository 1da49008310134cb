"""An annotation on the pods that mount what was written: kubelet looks at a changed pod at once (docs/adr/0029).

Otherwise it looks about once a minute. No pod template is changed, so nothing restarts.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from components.live.cluster import connections
from components.live.provider import Props, warn
from components.live.text.edit_errors import EditRefused
from formats.json_types import JsonObject
from ops.clients import workloads
from ops.clients.kubernetes import Kubernetes
from ops.errors import Forbidden, NotFound, OpsError

WRITTEN = "api-monitoring/written"  # when, as of our clock: each write has to be a change of the pod
ROLE = "docs/rbac/annotate-pods.yml"


def refuse_forbidden(cluster: Kubernetes, props: Props) -> None:
    """Raises EditRefused where pods are to be annotated and this account, which may write something, may not."""
    if not props.get("annotated"):
        return
    namespace = props["namespace"]
    if not cluster.may("patch", "pods", namespace) and not cluster.is_read_only(namespace):
        raise EditRefused(_lacking(namespace))


class PodAnnotations:
    """The pods of one resource's `annotated` (components.live.inputs.ProofInputs); without that nothing is done.

    A failure is a warning: kubelet comes by itself, only later.
    """

    def __init__(self, props: Props) -> None:
        self._props, self._mounted = props, props.get("annotated") or ()

    def write(self) -> None:
        """Annotate each pod that mounts one of the objects."""
        self._patch(datetime.now(UTC).isoformat())

    def remove(self) -> None:
        """Take the annotation from these pods."""
        self._patch(None)

    def _patch(self, value: str | None) -> None:
        if not self._mounted:
            return
        cluster, namespace = connections.kubernetes(self._props), self._props["namespace"]
        try:
            for pod in workloads.running(cluster.pods(namespace, "")):
                if _mounts(pod, self._mounted):
                    _annotate(cluster, f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}", value)
        except Forbidden:
            self._mounted = ()  # it stays so
            warn(f"{_lacking(namespace)}; until then kubelet takes its time")
        except OpsError as problem:
            warn(f"pods were not annotated, so kubelet takes its time: {problem}")


def _annotate(cluster: Kubernetes, path: str, value: str | None) -> None:
    try:
        cluster.merge(path, {"metadata": {"annotations": {WRITTEN: value}}})
    except NotFound:  # it has gone meanwhile; the one in its place mounts what is there now
        return


def _mounts(pod: JsonObject, objects: Sequence[str]) -> bool:
    """Whether a pod has one of these objects, KIND/NAME, as a volume."""
    volumes = pod["spec"].get("volumes") or ()
    each = [one.partition("/") for one in objects]
    return any(workloads.sources(volume, name, kind) for volume in volumes for kind, _, name in each)


def _lacking(namespace: str) -> str:
    return (
        f"annotatePods is true, and this account may not patch pods in namespace {namespace}: apply {ROLE}, or set "
        "annotatePods to false"
    )
