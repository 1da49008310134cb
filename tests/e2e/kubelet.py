"""Of a kubelet what a reload by signal needs: `exec` over WebSocket, as the API server hands it on.

No kubelet can run here, for there are no containers. The API server is real, and so is what it is told: a Node, and a
Pod for each server; a `kill` in a "container" goes to the sandbox's process.
"""

import contextlib
import json
import os
import signal
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import trustme
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Request

from formats.json_types import JsonObject
from ops.sandbox.cluster import NAMESPACE
from tests.e2e.rig import Rig
from tests.support.waiting import PATIENCE

NODE = "node"
STATUS = b"\x03"  # the channel on which a command's end is told


class Node:
    """Our Node, and the pods on it. `commands`: what the kubelet was told to run in them."""

    def __init__(self, rig: Rig, commands: list[list[str]]) -> None:
        self.commands = commands
        self._rig = rig
        self._pods: list[str] = []

    def run(self, name: str, container: str, app: str, status: JsonObject) -> None:
        """A pod with this container, the label `app` and this status."""
        self._rig.cluster.apply(pod(name, container, app))
        self._pods.append(f"/api/v1/namespaces/{NAMESPACE}/pods/{name}")
        self._rig.report(self._pods[-1], status)

    def remove(self) -> None:
        """The pods, and the Node."""
        for pod in self._pods:
            self._rig.cluster.http.request("DELETE", f"{pod}?gracePeriodSeconds=0")
        self._rig.cluster.http.request("DELETE", f"/api/v1/nodes/{NODE}")


@contextmanager
def node(rig: Rig, pids: Mapping[str, int], *, has_kill: bool = True) -> Iterator[Node]:
    """A Node whose kubelet signals the process of a pod (`pids`, by its name); removed at the end, with its pods."""
    with _serving(pids, has_kill=has_kill) as (manifest, commands):
        found = Node(rig, commands)
        rig.cluster.http.request("POST", "/api/v1/nodes", json=manifest)
        try:
            rig.report(f"/api/v1/nodes/{NODE}", manifest["status"])
            yield found
        finally:
            found.remove()


def server_pids(rig: Rig) -> dict[str, int]:
    """The processes of the sandbox's Prometheus and Alertmanager."""
    assert rig.sandbox.state is not None
    return {name: int(rig.sandbox.state.processes[name]["pid"]) for name in ("prometheus", "alertmanager")}


@contextmanager
def _serving(pids: Mapping[str, int], *, has_kill: bool) -> Iterator[tuple[JsonObject, list[list[str]]]]:
    """A kubelet for pods named like `pids`: its Node object, and what it was told to run.

    `has_kill`: the images have that command.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    commands: list[list[str]] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.2)
        done = threading.Event()

        def accept() -> None:
            while not done.is_set():
                try:
                    plain, _ = listening.accept()
                except TimeoutError:
                    continue
                plain.settimeout(PATIENCE)
                with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as stream:
                    _answer(stream, pids if has_kill else {}, commands)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield _node(listening.getsockname()[1]), commands
        finally:
            done.set()
            thread.join()


def pod(name: str, container: str, app: str) -> JsonObject:
    """A Pod on our Node."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": app}},
        "spec": {"nodeName": NODE, "containers": [{"name": container, "image": "none"}]},
    }


READY = {"conditions": [{"type": kind, "status": "True"} for kind in ("Ready", "ContainersReady")]}


def _node(port: int) -> JsonObject:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": NODE},
        "status": {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
            # So the API server hands a WebSocket on as it is, instead of speaking SPDY.
            "declaredFeatures": ["ExtendWebSocketsToKubelet"],
        },
    }


def _answer(stream: ssl.SSLSocket, pids: Mapping[str, int], commands: list[list[str]]) -> None:
    connection = WSConnection(ConnectionType.SERVER)
    while True:
        data = stream.recv(65536)
        if not data:
            return
        connection.receive_data(data)
        for event in connection.events():
            if isinstance(event, Request):
                url = urlsplit(event.target)
                command = parse_qs(url.query)["command"]
                commands.append(command)
                end = STATUS + json.dumps(_run(command, pids.get(url.path.split("/")[3]))).encode()
                for said in (
                    AcceptConnection(subprotocol=event.subprotocols[0]),
                    BytesMessage(end),
                    CloseConnection(code=1000),
                ):
                    stream.sendall(connection.send(said))
            if isinstance(event, CloseConnection):
                return


def _run(command: list[str], pid: int | None) -> JsonObject:
    """Send the signal; the status that kubelet gives. `pid`: None where the image has no such command."""
    assert command == ["kill", "-HUP", "1"], command
    if pid is not None:
        os.kill(pid, signal.SIGHUP)
        return {"status": "Success"}
    message = (
        "error executing command in container: failed to exec in container: failed to start exec: OCI runtime exec "
        'failed: exec failed: unable to start container process: exec: "kill": executable file not found in $PATH'
    )
    details = {"causes": [{"message": message}]}
    failure = {"status": "Failure", "reason": "InternalError", "code": 500, "details": details}
    return {**failure, "message": f"Internal error occurred: {message}: unknown"}
