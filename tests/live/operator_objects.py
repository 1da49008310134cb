"""The operator's objects in the API stand-in, as the tests of what goes by the Prometheus Operator use them."""

from collections.abc import Mapping

from components.live.provider import Props
from formats.json_types import JsonValue
from tests.live.api_server import Api

OURS = {"release": "prometheus"}
ROUTING = {"name": "api-monitoring", "labels": OURS, "secrets": [{"name": "mail", "key": "password"}], "bare": True}
RULES = {"name": "api-monitoring-", "labels": OURS}
ROOT = "/apis/monitoring.coreos.com"
NAMESPACE = "/api/v1/namespaces/monitoring"
STRATEGY = {"alertmanagerConfigMatcherStrategy": {"type": "None"}}


def servers(api: Api, **specs: Mapping[str, JsonValue]) -> None:
    for plural, spec in specs.items():
        path = f"{ROOT}/v1/namespaces/monitoring/{plural}"
        api.objects[path] = {"items": [{"metadata": {"name": "one"}, "spec": dict(spec)}]}


def props(kubeconfig: str) -> Props:
    return {
        **{"kubeconfig": kubeconfig, "context": None, "namespace": "monitoring", "prometheus": None},
        "operated": {"routing": ROUTING, "rules": RULES},
    }
