"""The clients of a resource's cluster and servers, made from its inputs (components.live.inputs)."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from components.live.provider import warn
from ops.clients.alertmanager import Alertmanager
from ops.clients.http import Http
from ops.clients.kubernetes import Kubernetes
from ops.clients.prometheus import Prometheus
from ops.errors import Forbidden

Inputs = Mapping[str, Any]


def kubernetes(inputs: Inputs) -> Kubernetes:
    return _connected(inputs.get("kubeconfig"), inputs.get("context"))


@lru_cache(maxsize=8)
def _connected(kubeconfig: str | None, context: str | None) -> Kubernetes:
    """One for the life of a plugin, which is one operation: credentials are read, and exec plugins run, once."""
    return Kubernetes(kubeconfig, context)


def try_merge(cluster: Kubernetes, path: str, patch: Inputs, **options: Any) -> None:
    """Raises ops.errors where the API server would not take a patch (Kubernetes.merge), without writing it.

    That this account may not write is said and no more: a pull request's is allowed less.
    """
    try:
        cluster.merge(path, patch, dry_run=True, **options)
    except Forbidden as no:
        warn(f"`up` would fail with this account: {no}")


def http(inputs: Inputs, server: Inputs, name: str) -> Http:
    """By the server's URL, or through the API server's service proxy."""
    if server.get("url"):
        return Http(server["url"], name=name)
    service, _, port = str(server["service"]).partition(":")
    return kubernetes(inputs).service_http(inputs["namespace"], service, port, name=name)


def prometheus(inputs: Inputs) -> Prometheus:
    return Prometheus(http(inputs, inputs["prometheus"], "Prometheus"))


def alertmanager(inputs: Inputs) -> Alertmanager:
    return Alertmanager(http(inputs, inputs["alertmanager"], "Alertmanager"))
