"""The dynamic resources: their inputs and their providers.

A provider is pickled by reference: the state of every stack has its name and that of this module. Its handler does
the work, and is loaded in the plugin's process only (components.live.provider).
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import pulumi
from pulumi.dynamic import Resource

from components.live.inputs import (
    ConfigTextInputs,
    DashboardFolderInputs,
    MountInputs,
    PreviousDashboardInputs,
    ProofInputs,
    SecretTextInputs,
    WithdrawnInputs,
    cluster_inputs,
    server_inputs,
)
from components.live.provider import Provider
from components.settings import Cluster, Grafana, Server, Settings
from formats.json_types import JsonValue

HANDLERS = "components.live.handlers"


class ConfigTextProvider(Provider):
    """The provider of `ConfigText`."""

    handler = f"{HANDLERS}.config_text_handler:ConfigTextHandler"


class SecretTextProvider(Provider):
    """The provider of `SecretText`."""

    handler = f"{HANDLERS}.secret_text_handler:SecretTextHandler"


class MountProvider(Provider):
    """The provider of `Mount`."""

    handler = f"{HANDLERS}.mount_handler:MountHandler"


class DashboardFolderProvider(Provider):
    """The provider of `DashboardFolder`."""

    handler = f"{HANDLERS}.dashboard_folder_handler:DashboardFolderHandler"


class PreviousDashboardProvider(Provider):
    """The provider of `PreviousDashboard`."""

    handler = f"{HANDLERS}.previous_dashboard_handler:PreviousDashboardHandler"


class LiveProvider(Provider):
    """The provider of `Live`."""

    handler = f"{HANDLERS}.live_handler:LiveHandler"


class WithdrawnProvider(Provider):
    """The provider of `Withdrawn`."""

    handler = f"{HANDLERS}.withdrawn_handler:WithdrawnHandler"


class DynamicResource(Resource):
    """A dynamic resource: its provider, and which inputs and outputs the state keeps as secrets.

    `hidden`: inputs whose differences a preview does not show.
    """

    provider: ClassVar[type[Provider]]
    secret: ClassVar[Sequence[str]]
    hidden: ClassVar[Sequence[str]] = ()

    def __init__(self, name: str, inputs: Mapping[str, object], opts: pulumi.ResourceOptions | None) -> None:
        own = pulumi.ResourceOptions(additional_secret_outputs=[*self.secret], hide_diffs=[*self.hidden] or None)
        super().__init__(self.provider(), name, {**inputs}, pulumi.ResourceOptions.merge(opts, own))


class ConfigText(DynamicResource, module="monitoring", name="ConfigText"):
    """Our part of a text that others wrote: `ours` (see components.live.text.editors) in `server`'s configuration.

    `alerts`: the label sets of our alerts, from which a preview tells what changes for others, with the labels that
    `sent_by`, a Prometheus, gives them on the way. `ask`: the preview stops where routes of others match them too.
    """

    provider = ConfigTextProvider
    secret = ("before", "after", "kubeconfig")
    hidden = ("ours", "alerts")  # the component says it in words

    def __init__(
        self,
        name: str,
        *,
        cluster: Cluster,
        server: Server,
        editor: str,
        ours: str,
        alerts: Sequence[Mapping[str, str]] = (),
        sent_by: Server | None = None,
        ask: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs: ConfigTextInputs = {
            **cluster_inputs(cluster),
            "config_map": server.config_map,
            "key": server.config_key,
            "editor": editor,
            "ours": ours,
            "alerts": [dict(sorted(labels.items())) for labels in alerts],
            "prometheus": server_inputs(sent_by) if sent_by else None,
            "ask": ask,
            "before": None,
            "after": None,
            "drift": None,
        }
        super().__init__(name, {**inputs}, opts)


class SecretText(DynamicResource, module="monitoring", name="SecretText"):
    """The same in a Secret; `password` goes into `ours` where that has its place (routing.inline_password)."""

    provider = SecretTextProvider
    secret = ("password", "before", "after", "kubeconfig")
    hidden = ("ours", "alerts")

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


class Mount(DynamicResource, module="monitoring", name="Mount"):
    """Volume `name` from `source`, mounted read-only at `path` in `server`'s container; its pods restart.

    `manager`: the field manager, by which the next `up` knows what one that was killed had added.
    """

    provider = MountProvider
    secret = ("kubeconfig",)

    def __init__(
        self,
        name: str,
        *,
        cluster: Cluster,
        server: Server,
        source: Mapping[str, JsonValue],
        path: str,
        manager: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs: MountInputs = {
            **cluster_inputs(cluster),
            "server": server_inputs(server),
            "workload": server.named,
            "container": server.container,
            "volume": name,
            "source": dict(source),
            "path": path,
            "manager": manager,
            "made": None,
            "drift": None,
        }
        super().__init__(name, {**inputs}, opts)


class DashboardFolder(DynamicResource, module="monitoring", name="DashboardFolder"):
    """The folder in which our dashboard stands, by its `uid`; the title in the settings is used where we make it.

    Not the Grafana provider's `Folder`: it cannot adopt what a killed `up` has made, and deletes what others have put
    into the folder (docs/adr/0009-what-stands-in-grafana.md).
    """

    provider = DashboardFolderProvider
    secret = ("auth",)
    uid: pulumi.Output[str]

    def __init__(
        self, name: str, *, auth: str, grafana: Grafana, uid: str, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        inputs: DashboardFolderInputs = {
            "url": grafana.url,
            "auth": pulumi.Output.secret(auth),
            "organisation": grafana.organisation,
            "uid": uid,
            "title": grafana.folder,
            "ours": None,
        }
        super().__init__(name, {**inputs}, opts)


class PreviousDashboard(DynamicResource, module="monitoring", name="PreviousDashboard"):
    """What others have in Grafana in the place of our dashboard, under its `uid` or its `title`: refused, or kept.

    With `grafanaAdopt` it is put back in the end. Made before our dashboard, so deleted after it. It is there in modes
    api and sidecar, as it takes back what the other one has made. `auth` is None in mode sidecar.
    """

    provider = PreviousDashboardProvider
    secret = ("auth", "before", "kubeconfig")
    made: pulumi.Output[int]

    def __init__(
        self,
        name: str,
        *,
        settings: Settings,
        auth: str | None,
        uid: str,
        title: str,
        folder: str,
        config_map: str,
        manager: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        grafana = settings.grafana
        inputs: PreviousDashboardInputs = {
            **cluster_inputs(settings.cluster),
            "url": grafana.url,
            "auth": pulumi.Output.secret(auth) if auth else None,
            "organisation": grafana.organisation,
            "mode": grafana.mode,
            "uid": uid,
            "title": title,
            "folder": folder,
            "adopt": grafana.adopt,
            "config_map": config_map,
            "manager": manager,
            "timeout": settings.live_timeout,
            "before": None,
            "aside": None,
            "made": None,
        }
        super().__init__(name, {**inputs}, opts)


class _Proof(DynamicResource):
    """What `Live` and `Withdrawn` share: both have the same inputs, and look at them at different times."""

    secret = ("kubeconfig", "inlined")
    hidden: ClassVar[Sequence[str]] = ("wanted",)  # the components say it in words


class Live(_Proof, module="monitoring", name="Live"):
    """Made last, after all it proves (`opts.depends_on`): waits until both servers run all of it."""

    provider = LiveProvider
    proved: pulumi.Output[str]  # a fingerprint of what runs; not known before it does

    def __init__(self, name: str, inputs: ProofInputs, opts: pulumi.ResourceOptions) -> None:
        super().__init__(name, {**inputs, "proved": None}, opts)


class Withdrawn(_Proof, module="monitoring", name="Withdrawn"):
    """Made first, so deleted last: then both servers have to run, and nothing of ours.

    Its name has the modes of delivery. When a mode changes, the former `Withdrawn` is deleted after the new `Live` has
    proved that all runs. `more`: what is checked before anything is written.
    """

    provider = WithdrawnProvider
    hidden = ("wanted", "silenced")

    def __init__(self, name: str, inputs: ProofInputs, more: WithdrawnInputs) -> None:
        super().__init__(name, {**inputs, **more}, None)
