"""What test_reach.py runs in a network of its own, in which 192.0.2.1 is this very host."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import rules
from ops.clients.kubernetes import Kubernetes
from ops.clients.replicas import replicas_of
from ops.sandbox.cluster import NAMESPACE
from ops.sandbox.mounts import Mounts
from tests.e2e import kubelet
from tests.e2e.rig import Rig
from tests.support import real_servers

ADDRESS = "192.0.2.1"


class Forwarding(socketserver.ThreadingTCPServer):
    """Hands connections on to a port on loopback."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int) -> None:
        self.port = port
        super().__init__((ADDRESS, 0), _Connection)


class _Connection(socketserver.BaseRequestHandler):
    server: Forwarding

    def handle(self) -> None:
        with socket.create_connection(("127.0.0.1", self.server.port)) as other:
            back = threading.Thread(target=_pump, args=(other, self.request), daemon=True)
            back.start()
            _pump(self.request, other)
            back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


def gone(rig: Rig, path: str) -> None:
    """Delete an object at once."""
    rig.cluster.http.request("DELETE", f"{path}?gracePeriodSeconds=0")


@contextmanager
def service(rig: Rig, name: str, port: int, server: int | None = None) -> Iterator[None]:
    """Service `name`:`port`, behind which the sandbox's server of that name stands, or the one on port `server`."""
    assert rig.sandbox.state is not None
    with Forwarding(server or rig.sandbox.state.ports[name]) as forwarding:
        threading.Thread(target=forwarding.serve_forever, args=(0.05,), daemon=True).start()
        rig.cluster.apply(
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": name},
                "spec": {"ports": [{"name": "web", "port": port, "targetPort": port}]},
            }
        )
        # The API server proxies to a pod's own address alone.
        rig.cluster.apply(kubelet.pod(name, name, name))
        rig.report(f"/api/v1/namespaces/{NAMESPACE}/pods/{name}", {"podIP": ADDRESS, "podIPs": [{"ip": ADDRESS}]})
        rig.cluster.apply(
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {"name": name, "labels": {"kubernetes.io/service-name": name}},
                "addressType": "IPv4",
                "endpoints": [
                    {
                        "addresses": [ADDRESS],
                        "conditions": {"ready": True},
                        "targetRef": {"kind": "Pod", "namespace": NAMESPACE, "name": name},
                    }
                ],
                "ports": [{"name": "web", "port": forwarding.server_address[1], "protocol": "TCP"}],
            }
        )
        try:
            yield
        finally:
            forwarding.shutdown()
            gone(rig, f"/api/v1/namespaces/{NAMESPACE}/services/{name}")
            gone(rig, f"/api/v1/namespaces/{NAMESPACE}/pods/{name}")
            gone(rig, f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices/{name}")


def test_deploy_and_take_back_through_the_service_proxy(rig: Rig) -> None:
    rig.configure(prometheusUrl="", alertmanagerUrl="")
    with ExitStack() as services:
        services.enter_context(service(rig, "prometheus", 9090))
        services.enter_context(service(rig, "alertmanager", 9093))
        rig.up()
        assert set(rules.alerts()) <= rig.rules()
        assert rig.preview(refresh=True) == {}
        rig.destroy()
        assert not set(rules.alerts()) & rig.rules()
        assert rig.objects() == rig.before


@contextmanager
def pods(rig: Rig, server: str, port: int, served: list[int]) -> Iterator[None]:
    """Service `server`:`port`, which selects a pod for each of the ports on loopback that are `served`."""
    with ExitStack() as running:
        web = {"name": "web", "port": port, "targetPort": "web"}
        spec = {"selector": {"app": server}, "ports": [web]}
        rig.cluster.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": server}, "spec": spec})
        for number, of_server in enumerate(served):
            forwarding = running.enter_context(Forwarding(of_server))
            threading.Thread(target=forwarding.serve_forever, args=(0.05,), daemon=True).start()
            running.callback(forwarding.shutdown)
            pod = kubelet.pod(f"{server}-{number}", server, server)
            pod["spec"]["containers"][0]["ports"] = [{"name": "web", "containerPort": forwarding.server_address[1]}]
            rig.cluster.apply(pod)
            at = {"podIP": ADDRESS, "podIPs": [{"ip": ADDRESS}]}
            path = f"/api/v1/namespaces/{NAMESPACE}/pods/{server}-{number}"
            rig.report(path, at)
            running.callback(gone, rig, path)
        yield


def test_each_pod_is_reloaded_and_looked_at_through_the_pod_proxy(rig: Rig, tmp_path: Path) -> None:
    rig.configure(alertmanagerUrl="")
    assert rig.sandbox.state is not None
    own = rig.sandbox.state.ports["alertmanager"]
    with ExitStack() as running:
        config = Mounts(rig.sandbox.home).alertmanager_config
        second = running.enter_context(real_servers.alertmanager(tmp_path, config))
        running.enter_context(pods(rig, "alertmanager", 9093, [own, int(second.url.rpartition(":")[2])]))
        server = {"service": "alertmanager:9093"}
        found = replicas_of(server, lambda: (Kubernetes(str(rig.cluster.kubeconfig)), NAMESPACE), name="Alertmanager")
        assert [replica.pod for replica in found.each] == ["alertmanager-0", "alertmanager-1"]
        rig.up()
        said = "".join(rig.said)
        assert "Alertmanager runs what was written on 2 replicas" in said, said
        ours = set(second.receivers())
        assert len(ours) > 3
        assert rig.preview(refresh=True) == {}
        rig.destroy()
        assert len(set(second.receivers())) < len(ours)
        assert rig.objects() == rig.before
