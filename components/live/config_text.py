"""The dynamic resource that keeps our part in a text of somebody else's."""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi.dynamic import Resource, ResourceProvider

from components.live import places
from components.live.provider import Provider


class ConfigTextProvider(Provider):
    def work(self) -> ResourceProvider:
        from components.live.providers.config_text import Work

        return Work()


class ConfigText(Resource, module="monitoring", name="ConfigText"):
    """Our part of a text that others wrote: `ours` (see components.live.editors) in `server`'s configuration.

    `alerts`: the label sets of our alerts, for what a preview says of what changes for others; `ask`: it stops where
    routes of others would match them too.
    """

    def __init__(
        self,
        name: str,
        *,
        cluster: places.ClusterLike,
        server: places.ServerLike,
        editor: str,
        ours: str,
        alerts: Sequence[Mapping[str, str]] = (),
        ask: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            **places.of_cluster(cluster),
            "kubeconfig": pulumi.Output.secret(cluster.kubeconfig) if cluster.kubeconfig else None,
            "config_map": server.config_map,
            "key": server.config_key,
            "editor": editor,
            "ours": ours,
            "alerts": [dict(sorted(labels.items())) for labels in alerts],
            "ask": ask,
            "before": None,
            "after": None,
            "drift": None,
        }
        secret = pulumi.ResourceOptions(additional_secret_outputs=["before", "after", "kubeconfig"])
        super().__init__(ConfigTextProvider(), name, props, pulumi.ResourceOptions.merge(opts, secret))


__all__ = ["ConfigText", "ConfigTextProvider"]
