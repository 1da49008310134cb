"""What test_reach.py runs in a network of its own, in which 192.0.2.1 is this very host."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import rules
from ops.sandbox.cluster import NAMESPACE
from tests.e2e import kubelet
from tests.e2e.rig import Rig

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
        rig.cluster.apply(kubelet.pod(name, name, {"app": name}))
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
            core, more = f"/api/v1/namespaces/{NAMESPACE}", f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}"
            for path in (f"{more}/endpointslices", f"{core}/services", f"{core}/pods"):
                rig.cluster.http.request("DELETE", f"{path}/{name}?gracePeriodSeconds=0")


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
