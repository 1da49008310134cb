"""Whether the pods of a workload take up a change of their template by themselves."""

from components.live.text.edit_errors import EditRefused
from ops.clients.workloads import Workload


def refuse_paused(found: Workload) -> None:
    """Raises EditRefused for a paused Deployment: its pods would never get our mount."""
    if found.content["spec"].get("paused"):
        where = f"-n {found.namespace} {found.reference.lower()}"
        raise EditRefused(
            f"{found.title} is paused, so its pods would never get our mount: resume it first "
            f"(kubectl rollout resume {where})"
        )


def restart_warning(found: Workload) -> str:
    """What a new mount means for the pods, as a preview says it."""
    by_hand = f"{found.title} gets a mount, and its updateStrategy"
    delete = f"then delete them, one after the other (kubectl -n {found.namespace} delete pod NAME)"
    if found.kind == "StatefulSet":
        strategy = found.content["spec"].get("updateStrategy") or {}
        if strategy.get("type") == "OnDelete":
            return f"{by_hand} OnDelete restarts no pod: `up` waits until they have it, {delete}"
        partition = (strategy.get("rollingUpdate") or {}).get("partition") or 0
        if partition:
            pods = f"{found.name}-0" if partition == 1 else f"{found.name}-0 to {found.name}-{partition - 1}"
            return f"{by_hand} (partition {partition}) does not restart {pods}: `up` waits until they have it, {delete}"
    return f"{found.title} gets a mount, so its pods restart; a single replica is away meanwhile"
