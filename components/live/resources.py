"""The dynamic resources: what each is given, and by which provider it is kept.

A provider is pickled by reference: its name and that of this module stand in the state of every stack. Its handler,
which does the work, is loaded in the plugin's process alone (components.live.provider).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pulumi
from pulumi.dynamic import Resource

from components.live.inputs import (
    ClusterLike,
    ConfigTextInputs,
    DashboardFolderInputs,
    MountInputs,
    PreviousDashboardInputs,
    ProofInputs,
    ServerLike,
    WithdrawnInputs,
    of_cluster,
    of_server,
)
from components.live.provider import Provider
from components.live.running.wanted import fingerprint, wanted_routing, wanted_rules
from routing import Parts
from rules import RuleFile

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


def _options(
    opts: pulumi.ResourceOptions | None, *, secret: Sequence[str], hidden: Sequence[str] = ()
) -> pulumi.ResourceOptions:
    """`opts`, with outputs that are kept as secrets, and inputs whose differences a preview does not show."""
    own = pulumi.ResourceOptions(additional_secret_outputs=list(secret), hide_diffs=list(hidden) or None)
    return pulumi.ResourceOptions.merge(opts, own)


class ConfigText(Resource, module="monitoring", name="ConfigText"):
    """Our part of a text that others wrote: `ours` (see components.live.text.editors) in `server`'s configuration.

    `alerts`: the label sets of our alerts, for what a preview says of what changes for others; `ask`: it stops where
    routes of others would match them too.
    """

    def __init__(
        self,
        name: str,
        *,
        cluster: ClusterLike,
        server: ServerLike,
        editor: str,
        ours: str,
        alerts: Sequence[Mapping[str, str]] = (),
        ask: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs: ConfigTextInputs = {
            **of_cluster(cluster),
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
        super().__init__(
            ConfigTextProvider(), name, {**inputs}, _options(opts, secret=["before", "after", "kubeconfig"])
        )


class Mount(Resource, module="monitoring", name="Mount"):
    """Volume `name` from `source`, mounted read-only at `path` in `server`'s container; its pods restart.

    `manager`: the field manager that the API server writes down, by which a killed `up` knows its own again.
    """

    def __init__(
        self,
        name: str,
        *,
        cluster: ClusterLike,
        server: ServerLike,
        source: Mapping[str, Any],
        path: str,
        manager: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs: MountInputs = {
            **of_cluster(cluster),
            "deployment": server.deployment,
            "container": server.container,
            "volume": name,
            "source": dict(source),
            "path": path,
            "manager": manager,
            "made": None,
            "drift": None,
        }
        super().__init__(MountProvider(), name, {**inputs}, _options(opts, secret=["kubeconfig"]))


class DashboardFolder(Resource, module="monitoring", name="DashboardFolder"):
    """The folder in which our dashboard stands, by its `uid`; `title` is that of one that we make.

    Not the provider's `Folder`: that one cannot take up what a killed `up` has made, nor leave what others have put
    in it (docs/adr/0009-what-stands-in-grafana.md).
    """

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
        super().__init__(DashboardFolderProvider(), name, {**inputs}, _options(opts, secret=["auth"]))


class PreviousDashboard(Resource, module="monitoring", name="PreviousDashboard"):
    """What stood in Grafana under our dashboard's `uid` before us: refused, or with `adopt` kept and put back.

    Made before our dashboard, so taken back after it.
    """

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
        super().__init__(PreviousDashboardProvider(), name, {**inputs}, _options(opts, secret=["auth", "before"]))


class _Proof(Resource, module="monitoring", name="Proof"):
    """What `Live` and `Withdrawn` share: the same things to look at; their providers do it at different ends."""

    provider: type[Provider]

    def __init__(
        self,
        name: str,
        *,
        cluster: ClusterLike,
        prometheus: ServerLike | None,
        alertmanager: ServerLike | None,
        rules: Iterable[RuleFile],
        routing: Parts,
        timeout: float,
        operated: Mapping[str, Any] | None = None,
        whole: Mapping[str, Any] | None = None,
        texts: Iterable[str] = (),
        folder: str = "",
        apart: bool = False,
        more: WithdrawnInputs | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        wanted = {"rules": wanted_rules(rules), "routing": wanted_routing(routing, whole)}
        inputs: ProofInputs = {
            **of_cluster(cluster),
            "prometheus": of_server(prometheus) if prometheus else None,
            "alertmanager": of_server(alertmanager) if alertmanager else None,
            # One text in the state, as the engine takes long over a thousand values.
            "wanted": json.dumps(wanted, ensure_ascii=False),
            "texts": [fingerprint(text) for text in texts],
            "folder": folder,
            "apart": apart,
            "operated": operated or None,
            "timeout": timeout,
        }
        # What is proved stands line by line where it is written; here once more it would bury that in a preview.
        shown_as = _options(opts, secret=["kubeconfig"], hidden=["wanted", "texts", "needs"])
        super().__init__(self.provider(), name, {**inputs, **(more if more else {})}, shown_as)


class Live(_Proof, module="monitoring", name="Live"):
    """Made last, after all it proves (`opts.depends_on`): `timeout` seconds until both servers run all of it.

    A server that is None is not asked. `operated`: what goes by the Prometheus Operator
    (components.live.cluster.operator_preflight). `whole`: Alertmanager's configuration, where all of it is ours.
    `texts`: everything written; a change of any has both servers reload. `folder`: where Prometheus finds our rule
    files, or (`apart`) where it does not; "" where that cannot be known.
    """

    provider = LiveProvider


class Withdrawn(_Proof, module="monitoring", name="Withdrawn"):
    """Made first, so taken back last: then both servers must run, and nothing of ours. Takes what `Live` takes.

    Named after the way in which ours gets there, it also closes a change of that way: the former is taken back after
    the new one has been proved. `more`: what is looked at before anything is written.
    """

    provider = WithdrawnProvider
