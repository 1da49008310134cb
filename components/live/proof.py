"""The first and the last resource: nothing counts as deployed before it runs, nor as gone while it still does.

Pickled by reference: the names of this module and of its providers stand in the state of every stack. Renaming or
moving one strands that state.
"""

import contextlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import pulumi
from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

from components.live import config_map, operated, others, places, rollout, running
from components.live.config_map import Key
from components.live.refused import Refused
from components.live.saying import in_one_sentence, say
from ops.clients.kubernetes import Kubernetes
from ops.errors import Forbidden, NotFound, OpsError
from routing import Parts
from rules import RuleFile

Props = dict[str, Any]

_SHOWN = (
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
_OURS = ("own", "shared", "edited", "manager")
SERVERS = ("prometheus", "alertmanager")


class LiveProvider(ResourceProvider):
    """On create and update: reload, and wait until all of it runs. A failure leaves it to the next `up`."""

    serialize_as_secret_always = False

    @in_one_sentence
    def diff(self, _id: str, _olds: Props, _news: Props) -> DiffResult:
        if any(_olds.get(name) != _news.get(name) for name in _SHOWN):
            return DiffResult(True)
        # The text is as we left it, but does it run? Somebody may have reloaded, or restarted, onto something else;
        # and an `up` that failed here and was then taken back has left no trace in the state.
        try:
            faults = rollout.lacking(_opened(_news))
        except OpsError as problem:
            say(f"warning: whether it still runs cannot be said: {problem}")
            return DiffResult(False)
        for fault in faults[:5]:
            say(f"warning: {fault}")
        return DiffResult(bool(faults))

    @in_one_sentence
    def create(self, props: Props) -> CreateResult:
        rollout.until_running(_opened(props))
        return CreateResult("live", props)

    @in_one_sentence
    def update(self, _id: str, _olds: Props, _news: Props) -> UpdateResult:
        try:
            rollout.until_running(_opened(_news), _opened(_olds))
        except Refused as no:
            if any(_olds.get(name) != _news.get(name) for name in _SHOWN):
                raise
            raise Refused(
                f"{no}; `pulumi up --refresh` puts back what somebody has changed in our own objects"
            ) from None
        return UpdateResult(_news)

    def delete(self, _id: str, _props: Props) -> None:
        """Nothing to take back."""


class WithdrawnProvider(ResourceProvider):
    """Before all else: refuse what others have under our names, and what would fail when half is written.

    On delete, which comes last: reload, and wait until both servers run without us.
    """

    serialize_as_secret_always = False

    @in_one_sentence
    def check(self, _olds: Props, news: Props) -> CheckResult:
        known = _olds.get("own") or ()  # what was free, or ours, when this was made
        try:
            cluster = places.kubernetes(news)
            operated.refuse_untaken(cluster, news)
            _refuse_what_cannot_be_edited(cluster, news)
            others.refuse_others(cluster, (path for path in news["own"] if path not in known), news["manager"])
            if shared := news.get("shared"):
                keys = set(shared["keys"]) - set((_olds.get("shared") or {}).get("keys") or ())
                others.refuse_taken_keys(cluster, {**shared, "keys": sorted(keys)}, news["namespace"], news["manager"])
        except Refused as theirs:
            return CheckResult(news, [CheckFailure("", str(theirs))])
        except Forbidden as no:  # a pull request's account may be allowed less
            say(f"warning: whether somebody else uses a name of ours cannot be said: {no}")
        except OpsError as problem:
            return CheckResult(news, [CheckFailure("", str(problem))])
        return CheckResult(news, [])

    @in_one_sentence
    def diff(self, _id: str, _olds: Props, _news: Props) -> DiffResult:
        # Pulumi looks at its own objects on a refresh alone, and kubelet goes on serving one that is gone.
        with contextlib.suppress(OpsError):  # `check` has said what is in the way of looking
            for path in others.gone(places.kubernetes(_news), _olds.get("own") or ()):
                say(f"warning: {path} is gone: `pulumi up --refresh` makes it again")
        return DiffResult(any(_olds.get(name) != _news.get(name) for name in (*_SHOWN, *_OURS)))

    def create(self, props: Props) -> CreateResult:
        return CreateResult("withdrawn", props)

    def update(self, _id: str, _olds: Props, _news: Props) -> UpdateResult:
        return UpdateResult(_news)

    @in_one_sentence
    def delete(self, _id: str, _props: Props) -> None:
        try:
            rollout.until_gone(_opened(_props))
        except NotFound as gone:
            say(f"{gone}: it is gone altogether, and ours with it")


def _opened(props: Props) -> Props:
    """With what is wanted as mappings: one text in the state, as the engine takes long over a thousand values.

    The state of an older version has them as they are.
    """
    return {**props, **json.loads(props.get("wanted") or "{}")}


def _refuse_what_cannot_be_edited(cluster: Kubernetes, props: Props) -> None:
    """An `up` without a preview would find a text missing, or mounted in vain, after others were written."""
    for kind in props.get("edited") or ():
        server, namespace = props[kind], props["namespace"]
        config_map.read(cluster, Key(namespace, server["config_map"], server["config_key"], ""))
        where = (server["config_map"], server["deployment"], server["container"])
        config_map.refuse_dead_mount(cluster, namespace, *where)
    for kind in SERVERS:
        if props.get(kind) and (why := _cannot_reload(kind, props)):
            raise Refused(why)


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
    wanted = {"rules": running.wanted_rules(rules), "routing": running.wanted_routing(routing, whole)}
    return {
        **places.of_cluster(cluster),
        "kubeconfig": pulumi.Output.secret(cluster.kubeconfig) if cluster.kubeconfig else None,
        "prometheus": places.of_server(prometheus) if prometheus else None,
        "alertmanager": places.of_server(alertmanager) if alertmanager else None,
        "wanted": json.dumps(wanted, ensure_ascii=False),
        "texts": [running.fingerprint(text) for text in texts],
        "folder": folder,
        "apart": apart,
        "operated": operated or None,
        "timeout": timeout,
    }


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
    ("prometheus", "alertmanager") whose configuration gets a part of ours.
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
        **proved: Any,
    ) -> None:
        more = {
            "own": list(own),
            "shared": dict(shared) if shared else None,
            "edited": list(edited),
            "manager": manager,
        }
        super().__init__(name, more=more, **proved)


def _shown_as() -> pulumi.ResourceOptions:
    # What is proved stands line by line where it is written; here once more it would bury that in a preview.
    return pulumi.ResourceOptions(additional_secret_outputs=["kubeconfig"], hide_diffs=["wanted", "texts"])


def _cannot_reload(kind: str, props: Props) -> str:
    """Why the chosen way of reloading will not work, as far as the Deployment shows it; "" when it may."""
    server = props[kind]
    if server["reload"] != "lifecycle" or kind == "alertmanager":  # Alertmanager's is always on
        return ""
    try:
        deployment = places.kubernetes(props).deployment(props["namespace"], server["deployment"])
    except (Forbidden, NotFound):
        return ""
    except OpsError as problem:
        return str(problem)
    containers = deployment["spec"]["template"]["spec"].get("containers") or []
    words = [str(word) for one in containers for word in (*(one.get("command") or ()), *(one.get("args") or ()))]
    if not words or any("web.enable-lifecycle" in word and not word.endswith("=false") for word in words):
        return ""  # without any argument the image's own decide, and nobody can tell
    sidecar = next((str(one.get("image")) for one in containers if "reload" in str(one.get("image"))), "")
    remedy = (
        f"{sidecar} beside it reloads by itself: set {kind}Reload to sidecar"
        if sidecar
        else f"add that argument, or set {kind}Reload to signal"
    )
    where = f"{props['namespace']}/{server['deployment']}"
    return f"Deployment {where} starts Prometheus without --web.enable-lifecycle, so it does not reload: {remedy}"
