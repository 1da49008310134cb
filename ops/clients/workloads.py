"""The workload that runs a server: a Deployment or a StatefulSet, by its name in the settings or found by looking.

A KIND/NAME in the settings counts alone. Without one it is the Deployment that the settings name, and where that is not
there, the one workload whose container is the server's and that mounts its ConfigMap.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from formats.json_types import JsonObject, JsonValue
from ops.clients.kubernetes import Kubernetes
from ops.errors import Forbidden, Misconfigured, NotFound

RESOURCES = {"Deployment": "deployments", "StatefulSet": "statefulsets"}
_ENDED = ("Failed", "Succeeded")  # phases of pods that keep their labels and never run again


class NotOne(Misconfigured):
    """Several workloads could be meant, or the only one is of a kind that cannot be used."""


@dataclass(frozen=True)
class WantedWorkload:
    """What the settings say of a server's workload (components.settings.Server has what each is)."""

    namespace: str
    server: str  # prometheus or alertmanager
    workload: str
    deployment: str
    container: str
    config_maps: tuple[str, ...]
    secret: str = ""  # that has its configuration, in the place of a ConfigMap

    @classmethod
    def of(cls, namespace: str, server: Mapping[str, JsonValue]) -> Self:
        """From a `Server` of the settings, as a mapping of its fields."""
        maps = tuple(server.get("config_maps") or (server["config_map"],))
        workload = server.get("workload") or ""  # Pulumi keeps no property that is None
        names = (server["kind"], workload, server["deployment"], server["container"])
        return cls(namespace, *names, maps, server.get("secret_name") or "")

    @property
    def title(self) -> str:
        """The server as messages name it."""
        return self.server.capitalize()

    @property
    def mounted(self) -> str:
        """What its pods mount, as messages name it."""
        return f"Secret {self.secret}" if self.secret else f"ConfigMap {' or '.join(self.config_maps)}"


@dataclass(frozen=True)
class Workload:
    """A Deployment or StatefulSet as the API gives it, and the name of the server's container in it.

    `looked_for`: the settings do not name it.
    """

    kind: str
    namespace: str
    name: str
    container: str
    content: JsonObject
    looked_for: bool = False

    @property
    def reference(self) -> str:
        """`StatefulSet/alertmanager`."""
        return f"{self.kind}/{self.name}"

    @property
    def title(self) -> str:
        """`StatefulSet monitoring/alertmanager`."""
        return f"{self.kind} {self.namespace}/{self.name}"

    @property
    def pod(self) -> JsonObject:
        """`spec.template.spec`."""
        found: JsonObject = self.content["spec"]["template"]["spec"]
        return found

    @property
    def selector(self) -> str:
        """The selector of its pods, as the API takes it in a request."""
        selector = self.content["spec"].get("selector") or {}
        terms = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
        return ",".join(terms + [_term(one) for one in selector.get("matchExpressions") or ()])


def path(namespace: str, reference: str) -> str:
    """Where the API has a workload, given as KIND/NAME."""
    kind, _, name = reference.partition("/")
    return f"/apis/apps/v1/namespaces/{namespace}/{RESOURCES[kind]}/{name}"


def read(cluster: Kubernetes, namespace: str, reference: str, container: str) -> Workload:
    """The workload KIND/NAME. Raises NotFound, ops.errors."""
    kind, _, name = reference.partition("/")
    return Workload(kind, namespace, name, container, cluster.get(path(namespace, reference)))


def find(cluster: Kubernetes, wanted: WantedWorkload) -> Workload:
    """The workload that runs the server.

    Raises NotFound where there is none, NotOne where it is not clear which or its kind cannot be used, ops.errors.
    """
    named = wanted.workload or f"Deployment/{wanted.deployment}"
    kind, _, name = named.partition("/")
    try:
        content = cluster.get(path(wanted.namespace, named))
    except NotFound as missing:
        if not wanted.workload:
            return _look(cluster, wanted, missing)
        raise NotFound(
            f"{kind} {wanted.namespace}/{name} is not there: is {wanted.server}Workload in the stack file right?",
            status=missing.status,
            words=missing.words,
        ) from None
    container = server_container(content["spec"]["template"]["spec"], wanted.server, wanted.container)
    return Workload(kind, wanted.namespace, name, container or wanted.container, content)


def running(pods: Iterable[JsonObject]) -> list[JsonObject]:
    """Those of these pods that run, or will: not what has failed, was evicted, has ended or is being deleted."""
    return [
        pod
        for pod in pods
        if (pod.get("status") or {}).get("phase") not in _ENDED and not pod["metadata"].get("deletionTimestamp")
    ]


def behind_service(cluster: Kubernetes, namespace: str, service: Mapping[str, JsonValue]) -> list[JsonObject]:
    """The pods that run and that a Service selects; none where it has no selector. Raises ops.errors."""
    labels = service["spec"].get("selector") or {}
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    return running(cluster.pods(namespace, selector)) if selector else []


def pod_state(pod: Mapping[str, JsonValue]) -> str:
    """`Running`, or the state that kubectl would show."""
    status = pod.get("status") or {}
    for container in status.get("containerStatuses") or ():
        waiting = (container.get("state") or {}).get("waiting")
        if waiting:
            return str(waiting.get("reason", "waiting"))
        if not container.get("ready"):
            return "not ready"
    return str(status.get("phase", "Unknown"))


def server_container(pod: Mapping[str, JsonValue], server: str, name: str) -> str | None:
    """The server's container in a pod: the one of this name, else the only one whose image is named `server`."""
    containers: Sequence[Mapping[str, JsonValue]] = pod.get("containers") or ()
    if any(one.get("name") == name for one in containers):
        return name
    by_image = [str(one["name"]) for one in containers if _image_name(str(one.get("image") or "")) == server]
    return by_image[0] if len(by_image) == 1 else None


def _look(cluster: Kubernetes, wanted: WantedWorkload, missing: NotFound) -> Workload:
    """The one workload that runs the server with one of its ConfigMaps."""
    matches = [
        Workload(kind, wanted.namespace, content["metadata"]["name"], container, content, looked_for=True)
        for kind, resource in RESOURCES.items()
        for content, container in _matches(cluster, wanted, resource)
    ]
    if len(matches) == 1:
        return matches[0]
    if matches:
        names = ", ".join(one.reference for one in matches)
        raise NotOne(
            f"namespace {wanted.namespace} has no Deployment {wanted.deployment}, and several workloads run "
            f"{wanted.title} with {wanted.mounted}: set {wanted.server}Workload to one of {names}"
        )
    with suppress(Forbidden, NotFound):  # only for the message
        for content, _ in _matches(cluster, wanted, "daemonsets"):
            raise NotOne(
                f"DaemonSet {wanted.namespace}/{content['metadata']['name']} runs {wanted.title}, so each node has a "
                "pod with data of its own: run it as a Deployment or a StatefulSet"
            )
    raise NotFound(
        f"Deployment {wanted.namespace}/{wanted.deployment} is not there, and no workload in that namespace runs "
        f"{wanted.title} with {wanted.mounted}: set {wanted.server}Workload in the stack file to KIND/NAME",
        status=missing.status,
        words=missing.words,
    )


def _matches(cluster: Kubernetes, wanted: WantedWorkload, resource: str) -> list[tuple[JsonObject, str]]:
    """The objects of this resource whose container is the server's and mounts a ConfigMap of its; with its name."""
    listed: list[JsonObject] = cluster.get(f"/apis/apps/v1/namespaces/{wanted.namespace}/{resource}")["items"]
    found = []
    for content in listed:
        pod = content["spec"]["template"]["spec"]
        container = server_container(pod, wanted.server, wanted.container)
        if container and _mounts(pod, container, wanted):
            found.append((content, container))
    return found


def sources(volume: Mapping[str, JsonValue], name: str, kind: str) -> list[Mapping[str, JsonValue]]:
    """Where a volume shows the ConfigMap or Secret of this name: each a source with its `items`, if it has any."""
    field = "secret" if kind == "Secret" else "configMap"
    every = [volume, *((volume.get("projected") or {}).get("sources") or ())]
    held = [one[field] for one in every if one.get(field)]
    return [one for one in held if name in (one.get("name"), one.get("secretName"))]


def _mounts(pod: Mapping[str, JsonValue], container: str, wanted: WantedWorkload) -> bool:
    """Whether the container mounts what has the server's configuration; a Secret may be unpacked by another one."""
    # What the operator makes of a Secret has this name, where the Secret's own is the default one.
    names = [wanted.secret, f"{wanted.secret}-generated"] if wanted.secret else wanted.config_maps
    kind = "Secret" if wanted.secret else "ConfigMap"
    volumes = {
        volume["name"] for volume in pod.get("volumes") or () if any(sources(volume, name, kind) for name in names)
    }
    return any(
        mount.get("name") in volumes
        for one in pod.get("containers") or ()
        if one.get("name") == container or wanted.secret
        for mount in one.get("volumeMounts") or ()
    )


def _image_name(image: str) -> str:
    """`quay.io/prometheus/prometheus:v3.16.0` → `prometheus`."""
    return image.rpartition("/")[2].partition("@")[0].partition(":")[0]


def _term(expression: Mapping[str, JsonValue]) -> str:
    """An expression of a label selector, as the API takes it in a request."""
    key, values = expression["key"], ",".join(expression.get("values") or ())
    match expression["operator"]:
        case "In":
            return f"{key} in ({values})"
        case "NotIn":
            return f"{key} notin ({values})"
        case "Exists":
            return str(key)
    return f"!{key}"  # DoesNotExist
