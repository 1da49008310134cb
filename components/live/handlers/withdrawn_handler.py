"""What is in the way of everything, before anything; and, as it is taken back last, whether all of it is gone."""

import contextlib

from pulumi import dynamic

from components.live.cluster import config_map, connections, operator_preflight, ownership_checks
from components.live.cluster.config_map import Key
from components.live.handlers.handler import Handler
from components.live.inputs import COMPARED
from components.live.provider import Props, say, warn
from components.live.running import versions, wait
from components.live.running.wanted import decode_wanted
from components.live.text.errors import EditRefused
from ops.clients.kubernetes import Kubernetes
from ops.errors import Forbidden, NotFound, OpsError

_SERVERS = ("prometheus", "alertmanager")


class WithdrawnHandler(Handler):
    """Before all else: refuse what others have under our names, and what would fail when half is written.

    On delete, which comes last: reload, and wait until both servers run without us.
    """

    compared = (*COMPARED, "own", "shared", "edited", "manager")

    def check(self, _olds: Props, news: Props) -> dynamic.CheckResult:
        known = _olds.get("own") or ()  # what was free, or ours, when this was made
        versions.refuse_unknown(news)
        try:
            cluster = connections.kubernetes(news)
            operator_preflight.refuse_what_operator_ignores(cluster, news)
            _refuse_what_cannot_be_edited(cluster, news)
            ownership_checks.refuse_others(
                cluster, (path for path in news["own"] if path not in known), news["manager"]
            )
            if shared := news.get("shared"):
                keys = set(shared["keys"]) - set((_olds.get("shared") or {}).get("keys") or ())
                ownership_checks.refuse_taken_keys(
                    cluster, {**shared, "keys": sorted(keys)}, news["namespace"], news["manager"]
                )
        except Forbidden as no:  # a pull request's account may be allowed less
            warn(f"whether somebody else uses a name of ours cannot be said: {no}")
        return dynamic.CheckResult(news, [])

    def diff(self, _id: str, _olds: Props, _news: Props) -> dynamic.DiffResult:
        # Pulumi looks at its own objects on a refresh alone, and kubelet goes on serving one that is gone.
        with contextlib.suppress(OpsError):  # `check` has said what is in the way of looking
            for path in ownership_checks.missing_objects(connections.kubernetes(_news), _olds.get("own") or ()):
                warn(f"{path} is gone: `pulumi up --refresh` makes it again")
        return super().diff(_id, _olds, _news)

    def create(self, props: Props) -> dynamic.CreateResult:
        return dynamic.CreateResult("withdrawn", props)

    def update(self, _id: str, _olds: Props, _news: Props) -> dynamic.UpdateResult:
        return dynamic.UpdateResult(_news)

    def delete(self, _id: str, _props: Props) -> None:
        try:
            wait.until_gone(decode_wanted(_props))
        except NotFound as gone:
            say(f"{gone}: it is gone altogether, and ours with it")


def _refuse_what_cannot_be_edited(cluster: Kubernetes, props: Props) -> None:
    """An `up` without a preview would find a text missing, or mounted in vain, after others were written."""
    for kind in props.get("edited") or ():
        server, namespace = props[kind], props["namespace"]
        config_map.read(cluster, Key(namespace, server["config_map"], server["config_key"], ""))
        where = (server["config_map"], server["deployment"], server["container"])
        config_map.refuse_dead_mount(cluster, namespace, *where)
    for kind in _SERVERS:
        if props.get(kind) and (why := _cannot_reload(kind, props)):
            raise EditRefused(why)


def _cannot_reload(kind: str, props: Props) -> str:
    """Why the chosen way of reloading will not work, as far as the Deployment shows it; "" when it may."""
    server = props[kind]
    if server["reload"] != "lifecycle" or kind == "alertmanager":  # Alertmanager's is always on
        return ""
    try:
        deployment = connections.kubernetes(props).deployment(props["namespace"], server["deployment"])
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
