"""Where a resource's text and servers are, as plain inputs that the state keeps."""

from typing import Any, Protocol


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
