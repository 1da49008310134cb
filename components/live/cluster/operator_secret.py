"""Which Secret the Prometheus Operator reads an Alertmanager's configuration from, as its objects say."""

from collections.abc import Callable, Mapping

from components.live.cluster.workload import RunningServer
from components.live.provider import warn
from components.live.text.edit_errors import EditRefused
from formats.json_types import JsonObject, JsonValue
from ops.clients.kubernetes import Kubernetes
from ops.errors import Forbidden, NotFound, OpsError

KEY = "alertmanager.yaml"  # the only one that the operator reads
_ALERTMANAGERS = "/apis/monitoring.coreos.com/v1/namespaces/{}/alertmanagers"
_GENERATED = "-generated"


def refuse_generated(cluster: Kubernetes, namespace: str, metadata: Mapping[str, JsonValue]) -> None:
    """Raises EditRefused for a Secret that the operator makes, with the name of the one from which it makes it."""
    owners = [one for one in metadata.get("ownerReferences") or () if one.get("kind") == "Alertmanager"]
    if not owners and (metadata.get("labels") or {}).get("managed-by") != "prometheus-operator":
        return
    name = str(metadata["name"])
    owner = owners[0]["name"] if owners else name.removeprefix("alertmanager-").removesuffix(_GENERATED)
    try:
        found = cluster.get(f"{_ALERTMANAGERS.format(namespace)}/{owner}")
    except OpsError:  # only for the message
        found = {"metadata": {"name": owner}, "spec": {}}
    raise EditRefused(
        f"Secret {namespace}/{name} is made by the Prometheus Operator, which writes it anew from another one: set "
        f"alertmanagerSecret to {config_secret(found)}"
    )


def config_secret(alertmanager: JsonObject) -> str:
    """The name of the Secret that an Alertmanager object reads."""
    name = (alertmanager.get("spec") or {}).get("configSecret")
    return str(name or f"alertmanager-{alertmanager['metadata']['name']}")


def refuse_unread(
    cluster: Kubernetes, namespace: str, server: Mapping[str, JsonValue], runs: Callable[[], RunningServer]
) -> None:
    """Raises EditRefused where no Alertmanager would see a change of the Secret of `server`.

    Either an object of the operator reads it, or the pods of the workload (`runs`) mount it. Raises ops.errors.
    """
    secret, key = str(server["secret_name"]), str(server["config_key"])
    try:
        objects = cluster.get(_ALERTMANAGERS.format(namespace))["items"]
    except NotFound:
        objects = []
    except Forbidden as error:
        warn(f"could not check whether an Alertmanager object reads Secret {namespace}/{secret}: {error}")
        return
    readers = [one for one in objects if config_secret(one) == secret]
    for one in readers:
        title = f"Alertmanager object {namespace}/{one['metadata']['name']}"
        if one["spec"].get("alertmanagerConfiguration"):
            raise EditRefused(
                f"{title} has alertmanagerConfiguration, so the operator does not read Secret {secret}: take that out "
                "there, or set alertmanagerMode to operator"
            )
        if key != KEY:
            raise EditRefused(
                f"{title} reads Secret {secret}, of which the operator takes key {KEY} and no other: set "
                f"alertmanagerSecretKey to {KEY}"
            )
    if readers:
        return
    found = runs()
    if objects and not found.mounts(secret, "Secret"):
        read = ", ".join(f"{one['metadata']['name']} reads {config_secret(one)}" for one in objects)
        raise EditRefused(
            f"no Alertmanager object in namespace {namespace} reads Secret {secret} ({read}): set alertmanagerSecret "
            "to the one that is meant"
        )
    found.refuse_dead_mount(secret, [key], kind="Secret")
