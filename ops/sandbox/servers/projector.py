"""Does what kubelet does: writes ConfigMaps and Secrets to the mounted folders, restarts a server whose pod changed.

    python -m ops.sandbox.servers.projector --home FOLDER

For each server it reads the volumes and mounts of its pod, in a Deployment or a StatefulSet (ConfigMaps, Secrets, and
both projected together), and writes their data below HOME/mnt, unpacked where it is gzip. A changed pod template
restarts the server's process, as a new pod would.
"""

import argparse
import base64
import gzip
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from formats.json_types import JsonValue
from ops.errors import OpsError
from ops.sandbox.cluster import Cluster
from ops.sandbox.lifecycle import Sandbox
from ops.sandbox.mounts import ALERTMANAGER, PROMETHEUS, Mounts

PAUSE = 2.0  # seconds between two rounds in which nothing changes
GATHER = 0.02  # seconds after a change in which others may follow
KINDS = ("deployments", "statefulsets", "configmaps", "secrets")
RETRY_AFTER = 2.0  # seconds until a server that did not start is started again
GZIP = b"\x1f\x8b"
SERVERS = (PROMETHEUS, ALERTMANAGER)

Data = dict[str, str]
Objects = Mapping[str, Mapping[str, JsonValue]]


class Missing(Exception):
    """A pod cannot start yet, as the source of a volume is missing."""


@dataclass
class Projector:
    """Keeps what was written, and the pod templates by which servers were started."""

    home: Path
    say: Callable[[str], None] = print
    _written: dict[tuple[str, str], Data] = field(default_factory=dict)
    _templates: dict[str, str] = field(default_factory=dict)
    _crashed: dict[str, float] = field(default_factory=dict)
    _said: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._cluster = Cluster(self.home)
        self._mounts = Mounts(self.home)
        self._sandbox = Sandbox(self.home)

    def synchronize(self) -> None:
        """One round: write what changed, restart what changed. Raises ops.errors where the API does not answer."""
        deployments, sets, maps, secrets = (self._cluster.items(kind) for kind in KINDS)
        templates = [one["spec"]["template"] for one in (*deployments.values(), *sets.values())]
        for server in SERVERS:
            pod = next((one for one in templates if container(one["spec"], server)), None)
            if pod is None:
                continue
            try:
                self._project(server, mounted(pod["spec"], container(pod["spec"], server), maps, secrets))
            except (Missing, OpsError) as why:
                self._say_once(f"{server}: {why}")
                continue
            self._link(server, config_file(pod["spec"], server))
            self._roll(server, json.dumps(pod, sort_keys=True))

    def _project(self, server: str, wanted: Mapping[str, Data]) -> None:
        for path, data in sorted(wanted.items()):  # a folder before what is mounted inside it
            if self._written.get((server, path)) != data:
                self._mounts.write(server, path, data, only=True)
                self._written[server, path] = data
                self.say(f"{server}: wrote {path}: {', '.join(sorted(data)) or 'nothing'}")
        for known, path in sorted(self._written, reverse=True):  # what is mounted inside a folder before that folder
            if known == server and path not in wanted:
                self._mounts.write(server, path, {}, only=True)
                self._mounts.folder(server, path).rmdir()
                del self._written[known, path]
                self.say(f"{server}: emptied {path}")

    def _link(self, server: str, path: str) -> None:
        """Let the server's process, which looks in /etc/SERVER, find a configuration that its pod has elsewhere."""
        link = self._mounts.folder(server, f"{server}.yml")
        if path and link != self._mounts.folder(server, path) and not link.is_symlink():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(self._mounts.folder(server, path))

    def _roll(self, server: str, template: str) -> None:
        """Restart the server where its pod changed, or where it did not start last time."""
        before = self._templates.setdefault(server, template)
        again = server in self._crashed and time.monotonic() > self._crashed[server]
        if before == template and not again:
            return
        self._templates[server] = template
        self.say(f"{server}: {'trying again' if before == template else 'its pod changed; restarting it'}")
        try:
            self._sandbox.stop(server)
            self._sandbox.start(server)
        except OpsError as why:
            self._crashed[server] = time.monotonic() + RETRY_AFTER
            self._say_once(str(why))
        else:
            self._crashed.pop(server, None)

    def _say_once(self, line: str) -> None:
        if line not in self._said:
            self._said.add(line)
            self.say(line)


def container(pod: Mapping[str, JsonValue], server: str) -> str:
    """The name of the container that runs the server, by that name or that of its image; "" where there is none."""
    for one in pod["containers"]:
        image = str(one.get("image") or "").rpartition("/")[2]
        if server in (one["name"], image.partition("@")[0].partition(":")[0]):
            return str(one["name"])
    return ""


def config_file(pod: Mapping[str, JsonValue], server: str) -> str:
    """Where the server of a pod has its configuration, as its arguments say; "" where they do not."""
    name = container(pod, server)
    words = [word for one in pod["containers"] if one["name"] == name for word in one.get("args") or ()]
    return next((word.partition("=")[2] for word in words if word.startswith("--config.file=")), "")


def mounted(pod: Mapping[str, JsonValue], container: str, maps: Objects, secrets: Objects) -> dict[str, Data]:
    """What a container of `pod` has in its mounts: path → file → text. Raises Missing where a source is missing.

    Volumes of other kinds (emptyDir, claims) are left out.
    """
    volumes = {volume["name"]: volume for volume in pod.get("volumes") or ()}
    found: dict[str, Data] = {}
    for one in pod["containers"]:
        for mount in one.get("volumeMounts") or () if one["name"] == container else ():
            sources = list(_sources(volumes.get(mount["name"], {})))
            if sources:
                found[mount["mountPath"].rstrip("/")] = {
                    key: text for source in sources for key, text in _data(source, maps, secrets).items()
                }
    return found


def _sources(volume: Mapping[str, JsonValue]) -> Iterator[tuple[str, str, Mapping[str, JsonValue]]]:
    """The (kind, name, details) of which a volume is made."""
    listed: Sequence[Mapping[str, JsonValue]] = (volume.get("projected") or {}).get("sources") or [volume]
    for source in listed:
        if "configMap" in source:
            yield "ConfigMap", source["configMap"]["name"], source["configMap"]
        if "secret" in source:
            details = source["secret"]
            yield "Secret", details.get("secretName") or details.get("name"), details


def _data(source: tuple[str, str, Mapping[str, JsonValue]], maps: Objects, secrets: Objects) -> Data:
    kind, name, details = source
    held = (maps if kind == "ConfigMap" else secrets).get(name)
    if held is None:
        if details.get("optional"):
            return {}
        raise Missing(f"{kind} {name}, which its pod mounts, does not exist")
    data: Data = dict(held.get("data") or {})
    files = {key: base64.b64decode(text) if kind == "Secret" else text.encode() for key, text in data.items()}
    if details.get("items"):
        files = {item["path"]: files[item["key"]] for item in details["items"] if item["key"] in files}
    return dict(_unpacked(name, content) for name, content in files.items())


def _unpacked(name: str, content: bytes) -> tuple[str, str]:
    """A file; what is packed as the operator's config-reloader writes it: unpacked, without `.gz`."""
    if content.startswith(GZIP):
        return name.removesuffix(".gz"), gzip.decompress(content).decode()
    return name, content.decode()


def _watch(cluster: Cluster, kind: str, changed: threading.Event) -> None:
    """Set `changed` at each change of an object of that kind, for ever."""
    while True:
        with suppress(httpx.HTTPError, OSError):
            for _ in cluster.changes(kind):
                changed.set()
        time.sleep(PAUSE)  # the API server is stopped, or starting


def main() -> None:
    """Run rounds until the process is ended."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--home", type=Path, required=True)
    projector = Projector(arguments.parse_args().home)
    stopping, changed = threading.Event(), threading.Event()

    def stop(*_: object) -> None:
        stopping.set()
        changed.set()

    signal.signal(signal.SIGTERM, stop)
    for kind in KINDS:
        threading.Thread(target=_watch, args=(Cluster(projector.home), kind, changed), daemon=True).start()
    mark = projector.home / "cluster" / "projected"
    silent = False
    while not stopping.is_set():
        changed.clear()
        try:
            projector.synchronize()
            mark.touch()
            silent = False
        except OSError as error:
            projector.say(f"could not write: {error}")
        except OpsError as error:
            if not silent:  # said once, as the API server may be stopped or starting
                projector.say(str(error))
            silent = True
        changed.wait(PAUSE)
        stopping.wait(GATHER)
    sys.exit(0)


if __name__ == "__main__":
    main()
