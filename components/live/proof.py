"""The first and the last resource: nothing counts as deployed before it runs, nor as gone while it still does."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pulumi
from pulumi.dynamic import Resource, ResourceProvider

from components.live import places
from components.live.provider import Props, Provider
from components.live.wanted import fingerprint, wanted_routing, wanted_rules
from routing import Parts
from rules import RuleFile

SHOWN = (
    "namespace",
    "prometheus",
    "alertmanager",
    "wanted",
    "texts",
    "folder",
    "apart",
    "operated",
    *places.ACCESS,
)


class LiveProvider(Provider):
    def work(self) -> ResourceProvider:
        from components.live.providers.live import Work

        return Work()


class WithdrawnProvider(Provider):
    def work(self) -> ResourceProvider:
        from components.live.providers.withdrawn import Work

        return Work()


def _inputs(
    cluster: places.ClusterLike,
    prometheus: places.ServerLike | None,
    alertmanager: places.ServerLike | None,
    rules: Iterable[RuleFile],
    routing: Parts,
    timeout: float,
    operated: Mapping[str, Any] | None,
    whole: Mapping[str, Any] | None,
    texts: Iterable[str],
    folder: str,
    apart: bool,
) -> Props:
    wanted = {"rules": wanted_rules(rules), "routing": wanted_routing(routing, whole)}
    return {
        **places.of_cluster(cluster),
        "kubeconfig": pulumi.Output.secret(cluster.kubeconfig) if cluster.kubeconfig else None,
        "prometheus": places.of_server(prometheus) if prometheus else None,
        "alertmanager": places.of_server(alertmanager) if alertmanager else None,
        "wanted": json.dumps(wanted, ensure_ascii=False),
        "texts": [fingerprint(text) for text in texts],
        "folder": folder,
        "apart": apart,
        "operated": operated or None,
        "timeout": timeout,
    }


def opened(props: Props) -> Props:
    """With what is wanted as mappings: one text in the state, as the engine takes long over a thousand values.

    The state of an older version has them as they are.
    """
    return {**props, **json.loads(props.get("wanted") or "{}")}


class _Proof(Resource, module="monitoring", name="Proof"):
    """What `Live` and `Withdrawn` share: the same things to look at; their providers do it at different ends."""

    provider: type[ResourceProvider]

    def __init__(
        self,
        name: str,
        *,
        cluster: places.ClusterLike,
        prometheus: places.ServerLike | None,
        alertmanager: places.ServerLike | None,
        rules: Iterable[RuleFile],
        routing: Parts,
        timeout: float,
        operated: Mapping[str, Any] | None = None,
        whole: Mapping[str, Any] | None = None,
        texts: Iterable[str] = (),
        folder: str = "",
        apart: bool = False,
        more: Mapping[str, Any] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = _inputs(
            cluster, prometheus, alertmanager, rules, routing, timeout, operated, whole, texts, folder, apart
        )
        props |= more or {}
        super().__init__(self.provider(), name, props, pulumi.ResourceOptions.merge(opts, _shown_as()))


class Live(_Proof, module="monitoring", name="Live"):
    """Made last, after all it proves (`opts.depends_on`): `timeout` seconds until both servers run all of it.

    A server that is None is not asked. `operated`: what goes by the Prometheus Operator (components.live.operated).
    `whole`: Alertmanager's configuration, where all of it is ours. `texts`: everything written; a change of any has
    both servers reload. `folder`: where Prometheus finds our rule files, or (`apart`) where it does not; "" where that
    cannot be known.
    """

    provider = LiveProvider


class Withdrawn(_Proof, module="monitoring", name="Withdrawn"):
    """Made first, so taken back last: then both servers must run, and nothing of ours. Takes what `Live` takes.

    Named after the way in which ours gets there, it also closes a change of that way: the former is taken back after
    the new one has been proved. `own`: API paths of what is ours alone, applied by field manager `manager`; `shared`:
    the keys that are ours in a ConfigMap of others (see components.live.others), or None; `edited`: the servers
    ("prometheus", "alertmanager") whose configuration gets a part of ours; `needs`: what a server has to know
    (components.live.versions).
    """

    provider = WithdrawnProvider

    def __init__(
        self,
        name: str,
        *,
        own: Iterable[str],
        shared: Mapping[str, Any] | None,
        edited: Iterable[str],
        manager: str,
        needs: str,
        **proved: Any,
    ) -> None:
        more = {
            "own": list(own),
            "shared": dict(shared) if shared else None,
            "edited": list(edited),
            "manager": manager,
            "needs": needs,
        }
        super().__init__(name, more=more, **proved)


def _shown_as() -> pulumi.ResourceOptions:
    # What is proved stands line by line where it is written; here once more it would bury that in a preview.
    return pulumi.ResourceOptions(additional_secret_outputs=["kubeconfig"], hide_diffs=["wanted", "texts", "needs"])
