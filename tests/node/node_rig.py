"""The hand-made stack in the pods of a real node, deployed to by a real engine: tests/e2e/rig.py without a sandbox."""

from collections.abc import Callable, Mapping
from pathlib import Path

import yaml

import routing
import rules
from formats.json_types import JsonObject
from ops.clients import workloads
from ops.clients.alertmanager import Alertmanager
from ops.clients.http import Http
from ops.clients.kubernetes import Kubernetes
from ops.clients.prometheus import Prometheus
from ops.sandbox import handmade_stack, pulumi_stack
from ops.sandbox.cluster import NAMESPACE
from ops.targets import stack_values
from tests.e2e.rig import Rig
from tests.support.node.real_node import Node
from tests.support.waiting import until

OURS = {*rules.alerts(), *rules.recordings()}
RECEIVERS = {receiver["name"] for receiver in routing.load().parts(None).receivers}
SERVERS = {"prometheus": 9090, "alertmanager": 9093}
# Theirs, so that Prometheus needs no DNS to reach Alertmanager. Nothing scrapes or mails: both are held elsewhere.
ADDRESSES = {"prometheus": "10.0.0.90", "alertmanager": "10.0.0.93"}
_WRITTEN = {
    "@alertmanager@": f"{ADDRESSES['alertmanager']}:9093",
    "@prometheus@": "localhost:9090",
    "@application@": "localhost:4000",
    "@smtp@": "localhost:2525",
}
_TEXTS = {
    "prometheus-config": ("prometheus.yml",),
    "prometheus-rules": ("rules/billing-alerts.yml", "rules/rfc-060-alerts.yml"),
    "alertmanager-config": ("alertmanager.yml",),
}


def deployments() -> list[JsonObject]:
    """The Deployments of the hand-made stack, with the probe that a stack on a node has."""
    found: list[JsonObject] = list(yaml.safe_load_all(handmade_stack.deployments()))
    for deployment in found:
        container = deployment["spec"]["template"]["spec"]["containers"][0]
        port = container["ports"][0]["containerPort"]
        container["readinessProbe"] = {"httpGet": {"path": "/-/ready", "port": port}, "periodSeconds": 1}
    return found


def images() -> dict[str, str]:
    """Server → the image that its Deployment names."""
    return {one["metadata"]["name"]: one["spec"]["template"]["spec"]["containers"][0]["image"] for one in deployments()}


class NodeRig(Rig):
    """The stack in the node's pods; the servers are reached by the API server's proxy."""

    def __init__(self, folder: Path, node: Node) -> None:
        super().__init__(folder)
        self.node, self.cluster = node, node.cluster

    def start(self) -> None:
        """Create the stack, and wait for its pods."""
        texts = {
            name: {Path(file).name: _read(handmade_stack.FOLDER / file) for file in files}
            for name, files in _TEXTS.items()
        }
        self.cluster.create_handmade_stack(texts, "secret", yaml.safe_dump_all(deployments()))
        for server, port in SERVERS.items():
            spec = {"clusterIP": ADDRESSES[server], "selector": {"app": server}, "ports": [{"port": port}]}
            self.cluster.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": server}, "spec": spec})
        self.usual = {
            **stack_values("prod"),
            **{"namespace": NAMESPACE, "kubeconfig": str(self.cluster.kubeconfig), "grafanaMode": "sidecar"},
            **{"annotatePods": True, "liveTimeout": 120},
        }
        home = self.sandbox.home
        self.engine = pulumi_stack.create(home, pulumi_stack.access(home), self.usual).at(self.program)
        self.copy_program()
        self.settle()
        self.before = self.objects()

    # ── pods ──────────────────────────────────────────────────────────────────────────────────────

    def pods(self, server: str) -> dict[str, JsonObject]:
        """The pods of a server that run, or will: name → the pod."""
        found = workloads.running(self.cluster.items("pods").values())
        return {one["metadata"]["name"]: one for one in found if one["metadata"]["labels"].get("app") == server}

    def settle(self) -> None:
        """Each Deployment has the pods that it asks for, all of them ready, and no other pod is there."""
        until(lambda: all(map(self._rolled_out, SERVERS)), self._states)

    def _rolled_out(self, server: str) -> bool:
        deployment = self.cluster.items("deployments")[server]
        status, wanted = deployment.get("status") or {}, deployment["spec"]["replicas"]
        counts = [status.get(f"{what}Replicas", 0) for what in ("updated", "ready", "available")]
        seen = status.get("observedGeneration") == deployment["metadata"]["generation"]
        every = [one for one in self.cluster.items("pods").values() if one["metadata"]["labels"].get("app") == server]
        return seen and counts == [wanted] * 3 and len(every) == wanted

    def _states(self) -> str:
        every = self.cluster.items("pods")
        return f"pods are {', '.join(f'{name}: {workloads.pod_state(pod)}' for name, pod in every.items())}"

    # ── what others do ────────────────────────────────────────────────────────────────────────────

    def change(self, server: str, change: Callable[[JsonObject], None]) -> None:
        """Somebody else replaces a Deployment by what `change` makes of its spec, and waits for its pods."""
        self.patch_spec(server, change)
        self.settle()

    def patch_spec(self, server: str, change: Callable[[JsonObject], None]) -> None:
        """The same without waiting."""
        found = self.cluster.items("deployments")[server]
        change(found["spec"])
        self.cluster.http.request("PUT", f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{server}", json=found)

    def remove_pod(self, name: str) -> None:
        """Delete a pod at once."""
        path = f"/api/v1/namespaces/{NAMESPACE}/pods/{name}?gracePeriodSeconds=0"
        self.cluster.http.request("DELETE", path)

    # ── what the servers run ──────────────────────────────────────────────────────────────────────

    def runs_ours(self) -> bool:
        """Whether both servers run all of ours."""
        return OURS.issubset(self.rules()) and RECEIVERS.issubset(self.receivers())

    def rules(self) -> set[str]:
        return {rule.name for group in self._prometheus().rules() for rule in group.rules}

    def expressions(self) -> Mapping[str, str]:
        """Rule → its expression, as Prometheus runs it."""
        return {rule.name: rule.query for group in self._prometheus().rules() for rule in group.rules}

    def receivers(self) -> set[str]:
        return set(Alertmanager(self._http("alertmanager")).receivers())

    def _prometheus(self) -> Prometheus:
        return Prometheus(self._http("prometheus"))

    def _http(self, server: str) -> Http:
        cluster = Kubernetes(str(self.cluster.kubeconfig))
        return cluster.service_http(NAMESPACE, server, SERVERS[server], name=server.capitalize())


def _read(file: Path) -> str:
    text = file.read_text("utf-8")
    for place, address in _WRITTEN.items():
        text = text.replace(place, address)
    return text
