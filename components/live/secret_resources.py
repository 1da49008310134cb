"""The dynamic resource of a text in a Secret: its inputs and its provider.

As in components.live.resources: the state of every stack has the names of the provider and of this module.
"""

from collections.abc import Mapping, Sequence

import pulumi

from components.live.inputs import SecretTextInputs, cluster_inputs, server_inputs
from components.live.provider import Provider
from components.live.resources import HANDLERS, DynamicResource
from components.settings import Cluster, Server


class SecretTextProvider(Provider):
    """The provider of `SecretText`."""

    handler = f"{HANDLERS}.secret_text_handler:SecretTextHandler"


class SecretText(DynamicResource, module="monitoring", name="SecretText"):
    """Our part of a text that others keep in a Secret; the arguments are those of `ConfigText`.

    `password`: goes into `ours` where that has its place (routing.inline_password).
    """

    provider = SecretTextProvider
    secret = ("password", "before", "after", "kubeconfig")
    hidden = ("ours", "alerts")  # the component says it in words

    def __init__(
        self,
        name: str,
        *,
        cluster: Cluster,
        server: Server,
        editor: str,
        ours: str,
        password: str | None,
        alerts: Sequence[Mapping[str, str]],
        sent_by: Server,
        ask: bool,
        opts: pulumi.ResourceOptions,
    ) -> None:
        inputs: SecretTextInputs = {
            **cluster_inputs(cluster),
            "secret_name": server.secret_name,
            "key": server.config_key,
            "editor": editor,
            "ours": ours,
            "password": pulumi.Output.secret(password) if password else None,
            "alerts": [dict(sorted(labels.items())) for labels in alerts],
            "prometheus": server_inputs(sent_by),
            "ask": ask,
            "before": None,
            "after": None,
            "drift": None,
        }
        super().__init__(name, {**inputs}, opts)
