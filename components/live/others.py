"""Whose an object is: nothing of somebody else's that stands under a name of ours is ever taken over."""

from collections.abc import Iterable

from components.live.refused import Refused
from ops.clients.kubernetes import Kubernetes
from ops.errors import NotFound


def refuse_others(cluster: Kubernetes, paths: Iterable[str], manager: str) -> None:
    """Raises Refused for the first object that is there and that `manager` never applied; ops.errors for the rest."""
    for path in paths:
        try:
            metadata = cluster.get(path)["metadata"]
        except NotFound:
            continue
        managers = [str(entry.get("manager")) for entry in metadata.get("managedFields") or ()]
        if manager not in managers:
            by = f" (written by {', '.join(dict.fromkeys(managers))})" if managers else ""
            resource, name = path.rsplit("/", 2)[1:]
            raise Refused(
                f"{resource}/{name} is in namespace {metadata['namespace']} already and is not ours{by}: "
                "delete it, or choose another name in the stack file"
            )
