"""The workload that runs a server: whether it sees changes of a ConfigMap, and reloads on request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.live.cluster.pod_mount import named
from components.live.provider import warn
from components.live.text.edit_errors import EditRefused
from formats.json_types import JsonObject, JsonValue
from ops.clients import workloads
from ops.clients.kubernetes import Kubernetes
from ops.clients.workloads import WantedWorkload
from ops.errors import Forbidden, NotFound


@dataclass(frozen=True)
class RunningServer:
    """`title`: KIND NAMESPACE/NAME of the workload; `container`: the server's; `pod`: `spec.template.spec`.

    `pod` is {} where this account may not look, or where there is no such workload: then nothing is refused.
    """

    title: str
    container: str
    pod: JsonObject

    def refuse_dead_mount(self, name: str, keys: Sequence[str], *, kind: str = "ConfigMap") -> None:
        """Raises EditRefused where the pods would never see a change of these keys of the ConfigMap or Secret."""
        if self.pod and (why := self._why_no_change_arrives(name, keys, kind)):
            namespace = self.title.split()[1].partition("/")[0]
            raise EditRefused(f"{self.title} {why} ({kind} {namespace}/{name})")

    def mounts(self, name: str, kind: str) -> bool:
        """Whether the pods have it as a volume."""
        return any(workloads.sources(volume, name, kind) for volume in self.pod.get("volumes") or ())

    def files(self, name: str, keys: Sequence[str]) -> list[str]:
        """The paths at which the server's container has these keys of a ConfigMap; none where it has no mount of it."""
        volumes = {one["name"]: workloads.sources(one, name, "ConfigMap") for one in self.pod.get("volumes") or ()}
        ours = named(self._containers(), self.container) or {}
        found = []
        for mount in ours.get("volumeMounts") or ():
            for key in keys:
                for file in {path for source in volumes.get(mount["name"], ()) if (path := _path(source, key))}:
                    inside = mount.get("subPath") or ""
                    if inside in ("", file):
                        found.append(mount["mountPath"] if inside else f"{mount['mountPath'].rstrip('/')}/{file}")
        return found

    def refuse_unwatched(self, folder: str) -> None:
        """Raises EditRefused where a config-reloader beside Prometheus never looks into this folder of rule files."""
        for one in self._containers():
            options = [str(word).partition("=") for word in one.get("args") or ()]
            watched = [value for option, _, value in options if option in ("--watched-dir", "--volume-dir")]
            if "reload" in str(one.get("image")) and watched and folder not in watched:
                raise EditRefused(
                    f"{self.title}: {one['name']} watches {', '.join(watched)} and not {folder}, where our rules are, "
                    "so Prometheus would never load a changed one: set prometheusReload to lifecycle or signal"
                )

    def refuse_no_reload(self) -> None:
        """Raises EditRefused where Prometheus would not reload on request, as far as its arguments show it."""
        containers = self._containers()
        words = [str(word) for one in containers for word in (*(one.get("command") or ()), *(one.get("args") or ()))]
        if not words or any("web.enable-lifecycle" in word and not word.endswith("=false") for word in words):
            return  # without arguments the image's own count, which are not known here
        sidecar = next((str(one.get("image")) for one in containers if "reload" in str(one.get("image"))), "")
        remedy = "add that argument, or set prometheusReload to signal"
        if sidecar:
            remedy = f"{sidecar} beside it reloads by itself: set prometheusReload to sidecar"
        raise EditRefused(
            f"{self.title} starts Prometheus without --web.enable-lifecycle, so it does not reload: {remedy}"
        )

    def _why_no_change_arrives(self, name: str, keys: Sequence[str], kind: str) -> str:
        shown = {volume["name"]: workloads.sources(volume, name, kind) for volume in self.pod.get("volumes") or ()}
        volumes = {name for name, sources in shown.items() if sources}
        if not volumes:
            return "does not mount it"
        ours = named(self._containers(), self.container)
        # A config-reloader may unpack a Secret for the server, which then does not mount it itself.
        containers = [ours] if ours and kind == "ConfigMap" else self._containers()
        mounts = [mount for one in containers for mount in one.get("volumeMounts") or () if mount["name"] in volumes]
        if not mounts:
            return f"has it as a volume, but container {self.container} does not mount it"
        if all(mount.get("subPath") or mount.get("subPathExpr") for mount in mounts):
            return "mounts it by subPath, which kubelet never updates: mount the folder instead"
        sources = [source for mount in mounts for source in shown[mount["name"]]]
        lacking = [key for key in keys if not any(_path(source, key) for source in sources)]
        if lacking:
            return (
                f"shows only some keys of it (`items` of its volume), and {', '.join(lacking)} would never arrive: add "
                "it to them, or leave `items` out"
            )
        return ""

    def _containers(self) -> Sequence[Mapping[str, JsonValue]]:
        return self.pod.get("containers") or []


def read(cluster: Kubernetes, wanted: WantedWorkload) -> RunningServer:
    """The workload as it is now. Raises NotOne where it is not clear which, ops.errors but Forbidden and NotFound."""
    try:
        found = workloads.find(cluster, wanted)
    except (Forbidden, NotFound):
        return RunningServer(f"Deployment {wanted.namespace}/{wanted.deployment}", wanted.container, {})
    say_which(found, wanted)
    return RunningServer(found.title, found.container, found.pod)


def say_which(found: workloads.Workload, wanted: WantedWorkload) -> None:
    """Warn of a workload or a container that the settings do not name, with the command that makes them name it."""
    if found.looked_for:
        warn(
            f"{wanted.title} is taken to be {found.title}, as there is no Deployment {wanted.deployment}; "
            f"`pulumi config set {wanted.server}Workload {found.reference}` keeps it so"
        )
    if found.container != wanted.container:
        warn(
            f"{found.title} has no container {wanted.container}; by its image, {found.container} is taken; "
            f"`pulumi config set {wanted.server}Container {found.container}` keeps it so"
        )


def _path(source: Mapping[str, JsonValue], key: str) -> str:
    """Where a volume's source has a key, below the mount; "" where its `items` leave the key out."""
    items = source.get("items")
    return next((str(item.get("path")) for item in items if item.get("key") == key), "") if items else key
