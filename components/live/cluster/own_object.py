"""An object that is ours alone: whether it is there, and deleted before Pulumi would do it."""

from components.live.cluster.ownership_checks import applied_by
from ops.clients.kubernetes import Kubernetes
from ops.errors import NotFound


def is_there(cluster: Kubernetes, path: str, manager: str) -> bool:
    """Whether there is an object at `path` that field manager `manager` has applied. Raises ops.errors."""
    try:
        return applied_by(cluster.get(path)["metadata"], manager)
    except NotFound:
        return False


def delete(cluster: Kubernetes, path: str, manager: str) -> bool:
    """Delete the object at `path` where field manager `manager` has applied it; whether there was one.

    Raises ops.errors; Conflict where somebody has made another one of that name meanwhile.
    """
    try:
        metadata = cluster.get(path)["metadata"]
        if not applied_by(metadata, manager):
            return False
        cluster.delete(path, uid=metadata["uid"])
    except NotFound:
        return False
    return True
