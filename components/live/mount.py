"""The dynamic resource that keeps a volume of ours, and its mount, in a Deployment of somebody else's."""

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.dynamic import Resource, ResourceProvider

from components.live import places
from components.live.provider import Provider


class MountProvider(Provider):
    def work(self) -> ResourceProvider:
        from components.live.providers.mount import Work

        return Work()


class Mount(Resource, module="monitoring", name="Mount"):
    """Volume `name` from `source`, mounted read-only at `path` in `server`'s container; its pods restart.

    `manager`: the field manager that the API server writes down, by which a killed `up` knows its own again.
    """

    def __init__(
        self,
        name: str,
        *,
        cluster: places.ClusterLike,
        server: places.ServerLike,
        source: Mapping[str, Any],
        path: str,
        manager: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            **places.of_cluster(cluster),
            "kubeconfig": pulumi.Output.secret(cluster.kubeconfig) if cluster.kubeconfig else None,
            "deployment": server.deployment,
            "container": server.container,
            "volume": name,
            "source": dict(source),
            "path": path,
            "manager": manager,
            "made": None,
            "drift": None,
        }
        secret = pulumi.ResourceOptions(additional_secret_outputs=["kubeconfig"])
        super().__init__(MountProvider(), name, props, pulumi.ResourceOptions.merge(opts, secret))


__all__ = ["Mount", "MountProvider"]
