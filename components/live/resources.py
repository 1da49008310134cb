"""The dynamic resources: what each is given, and by which provider it is kept.

A provider is pickled by reference: its name and that of this module stand in the state of every stack. Its handler,
which does the work, is loaded in the plugin's process alone (components.live.provider).
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
    WithdrawnInputs,
    cluster_inputs,
)
from components.live.provider import Provider
from components.settings import Cluster, Server
from formats.json_types import JsonValue

_HANDLERS = "components.live.handlers"


class ConfigTextProvider(Provider):
    handler = f"{_HANDLERS}.config_text_handler:ConfigTextHandler"


class MountProvider(Provider):
    handler = f"{_HANDLERS}.mount_handler:MountHandler"


class DashboardFolderProvider(Provider):
    handler = f"{_HANDLERS}.dashboard_folder_handler:DashboardFolderHandler"


class PreviousDashboardProvider(Provider):
    handler = f"{_HANDLERS}.previous_dashboard_handler:PreviousDashboardHandler"


class LiveProvider(Provider):
    handler = f"{_HANDLERS}.live_handler:LiveHandler"


class WithdrawnProvider(Provider):
    handler = f"{_HANDLERS}.withdrawn_handler:WithdrawnHandler"


class _Resource(Resource):
    """A dynamic resource: its provider, and what of its inputs and outputs is kept as a secret.

    `hidden`: inputs whose differences a preview does not show.
    """

    provider: ClassVar[type[Provider]]
    secret: ClassVar[Sequence[str]]
    hidden: ClassVar[Sequence[str]] = ()

    def __init__(self, name: str, inputs: Mapping[str, object], opts: pulumi.ResourceOptions | None) -> None:
        own = pulumi.ResourceOptions(additional_secret_outputs=[*self.secret], hide_diffs=[*self.hidden] or None)
        super().__init__(self.provider(), name, {**inputs}, pulumi.ResourceOptions.merge(opts, own))


class ConfigText(_Resource, module="monitoring", name="ConfigText"):
    """Our part of a text that others wrote: `ours` (see components.live.text.editors) in `server`'s configuration.

    `alerts`: the label sets of our alerts, for what a preview says of what changes for others; `ask`: it stops where
    routes of others would match them too.
    """

    provider = ConfigTextProvider
    secret = ("before", "after", "kubeconfig")

    def __init__(
        self,
        name: str,
        *,
        cluster: Cluster,
        server: Server,
        editor: str,
        ours: str,
        alerts: Sequence[Mapping[str, str]] = (),
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
            "ask": ask,
            "before": None,
            "after": None,
            "drift": None,
        }
        super().__init__(name, {**inputs}, opts)


class Mount(_Resource, module="monitoring", name="Mount"):
    """Volume `name` from `source`, mounted read-only at `path` in `server`'s container; its pods restart.

    `manager`: the field manager that the API server writes down, by which a killed `up` knows its own again.
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
            "deployment": server.deployment,
            "container": server.container,
            "volume": name,
            "source": dict(source),
            "path": path,
            "manager": manager,
            "made": None,
            "drift": None,
        }
        super().__init__(name, {**inputs}, opts)


class DashboardFolder(_Resource, module="monitoring", name="DashboardFolder"):
    """The folder in which our dashboard stands, by its `uid`; `title` is that of one that we make.

    Not the provider's `Folder`: that one cannot take up what a killed `up` has made, nor leave what others have put
    in it (docs/adr/0009-what-stands-in-grafana.md).
    """

    provider = DashboardFolderProvider
    secret = ("auth",)
    uid: pulumi.Output[str]

    def __init__(
        self, name: str, *, url: str, auth: str, uid: str, title: str, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        inputs: DashboardFolderInputs = {
            "url": url,
            "auth": pulumi.Output.secret(auth),
            "uid": uid,
            "title": title,
            "ours": None,
        }
        super().__init__(name, {**inputs}, opts)


class PreviousDashboard(_Resource, module="monitoring", name="PreviousDashboard"):
    """What stood in Grafana under our dashboard's `uid` before us: refused, or with `adopt` kept and put back.

    Made before our dashboard, so taken back after it.
    """

    provider = PreviousDashboardProvider
    secret = ("auth", "before")
    made: pulumi.Output[int]

    def __init__(
        self, name: str, *, url: str, auth: str, uid: str, adopt: bool, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        inputs: PreviousDashboardInputs = {
            "url": url,
            "auth": pulumi.Output.secret(auth),
            "uid": uid,
            "adopt": adopt,
            "before": None,
            "made": None,
        }
        super().__init__(name, {**inputs}, opts)


class _Proof(_Resource):
    """What `Live` and `Withdrawn` share: the same things to look at; their providers do it at different ends."""

    secret = ("kubeconfig",)
    # What is proved stands line by line where it is written; here once more it would bury that in a preview.
    hidden = ("wanted", "texts", "needs")


class Live(_Proof, module="monitoring", name="Live"):
    """Made last, after all it proves (`opts.depends_on`): waits until both servers run all of it."""

    provider = LiveProvider

    def __init__(self, name: str, inputs: ProofInputs, opts: pulumi.ResourceOptions) -> None:
        super().__init__(name, {**inputs}, opts)


class Withdrawn(_Proof, module="monitoring", name="Withdrawn"):
    """Made first, so taken back last: then both servers must run, and nothing of ours.

    Named after the way in which ours gets there, it also closes a change of that way: the former is taken back after
    the new one has been proved. `more`: what is looked at before anything is written.
    """

    provider = WithdrawnProvider

    def __init__(self, name: str, inputs: ProofInputs, more: WithdrawnInputs) -> None:
        super().__init__(name, {**inputs, **more}, None)
