"""Where a resource's text and servers are: as plain inputs that the state keeps, and as clients made from them."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Protocol

from ops.clients.alertmanager import Alertmanager
from ops.clients.http import Http
from ops.clients.kubernetes import Kubernetes
from ops.clients.prometheus import Prometheus

Inputs = Mapping[str, Any]


class ClusterLike(Protocol):
    """How to reach the Kubernetes API: a kubeconfig (path or contents; None for the ambient one) and its context."""

    @property
    def kubeconfig(self) -> str | None: ...
    @property
    def context(self) -> str | None: ...
    @property
    def namespace(self) -> str: ...


class ServerLike(Protocol):
    """A Prometheus or an Alertmanager that runs as a Deployment; `service` is NAME:PORT, for want of a `url`."""

    @property
    def deployment(self) -> str: ...
    @property
    def container(self) -> str: ...
    @property
    def config_map(self) -> str: ...
    @property
    def config_key(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def url(self) -> str | None: ...
    @property
    def reload(self) -> str: ...


ACCESS = ("kubeconfig", "context")


def of_cluster(cluster: ClusterLike) -> dict[str, Any]:
    return {"kubeconfig": cluster.kubeconfig, "context": cluster.context, "namespace": cluster.namespace}


def of_server(server: ServerLike) -> dict[str, Any]:
    names = ("deployment", "container", "config_map", "config_key", "service", "url", "reload")
    return {name: getattr(server, name) for name in names}


def kubernetes(inputs: Inputs) -> Kubernetes:
    return _connected(inputs.get("kubeconfig"), inputs.get("context"))


@lru_cache(maxsize=8)
def _connected(kubeconfig: str | None, context: str | None) -> Kubernetes:
    """One for the life of a plugin, which is one operation: credentials are read, and exec plugins run, once."""
    return Kubernetes(kubeconfig, context)


def http(inputs: Inputs, server: Inputs, name: str) -> Http:
    """By the server's URL, or through the API server's service proxy."""
    if server.get("url"):
        return Http(server["url"], name=name)
    service, _, port = str(server["service"]).partition(":")
    return kubernetes(inputs).service_http(inputs["namespace"], service, port, name=name)


def prometheus(inputs: Inputs) -> Prometheus | None:
    return Prometheus(http(inputs, inputs["prometheus"], "Prometheus")) if inputs.get("prometheus") else None


def alertmanager(inputs: Inputs) -> Alertmanager | None:
    return Alertmanager(http(inputs, inputs["alertmanager"], "Alertmanager")) if inputs.get("alertmanager") else None
