"""Our volume in a Deployment of others: two list entries, added and removed by name."""

from collections.abc import Mapping

from pulumi import dynamic

from components.live import inputs
from components.live.cluster import connections, ownership_checks, pod_mount
from components.live.cluster.pod_mount import Volume
from components.live.handlers.handler import EditHandler
from components.live.provider import Props, info, warn
from components.live.running.deploy_silence import deploy_silence
from components.live.text.edit_errors import EditRefused
from formats.json_types import JsonObject, JsonValue
from ops.errors import Forbidden, NotFound


class MountHandler(EditHandler):
    """Adds and removes two list entries by name; a preview refuses what clashes with them.

    `made` in the state: "yes" where we added them, "" where somebody else had added the very same before.
    """

    identity = ("namespace", "deployment", "container", "volume")
    compared = ("source", "path", "manager", *inputs.ACCESS)

    def check(self, _olds: Props, news: Props) -> dynamic.CheckResult:
        """Refuse what is in the way, and try the patch without writing it. Raises EditRefused, ops.errors."""
        before = _volume(_olds) if _olds.get("volume") else None
        try:
            deployment = _deployment(news)
        except NotFound:
            raise EditRefused(f"{_name(news)} is not there: is its name in the stack file right?") from None
        except Forbidden as error:  # a pull request's account may be allowed less
            warn(f"could not check what is in the way of our mount in {_name(news)}: {error}")
            return dynamic.CheckResult(news, [])
        _refuse_clashes(news, deployment, ours=_ours(deployment, news))
        if not pod_mount.is_mounted(_pod(deployment), _volume(news)):
            warn(f"{_name(news)} gets a mount, so its pods restart; a single replica is away meanwhile")
            patch = pod_mount.addition(_volume(news), before)
            with connections.warning_if_forbidden():
                _merge(news, patch, dry_run=True)
        return dynamic.CheckResult(news, [])

    def drift(self, props: Props) -> str:
        """Raises NotFound where the Deployment is gone."""
        if pod_mount.is_mounted(_pod(_deployment(props)), _volume(props)):
            return ""
        return f"our volume {props['volume']} in {_name(props)} is gone or was changed by somebody else"

    def create(self, props: Props) -> dynamic.CreateResult:
        """Add the volume and its mount. Raises EditRefused, ops.errors."""
        return dynamic.CreateResult(f"{_name(props)}/{props['volume']}", _mount(props, None))

    def update(self, _id: str, _olds: Props, _news: Props) -> dynamic.UpdateResult:
        """Add them in place of what we added before. Raises EditRefused, ops.errors."""
        return dynamic.UpdateResult(_mount(_news, _created_by_us(_olds)))

    def delete(self, _id: str, _props: Props) -> None:
        """Remove what we added, where it is still as we added it. Raises ops.errors."""
        made = _created_by_us(_props)
        if made is None:
            return
        try:
            patch = pod_mount.removal(_pod(_deployment(_props)), made)
        except NotFound:
            info(f"{_name(_props)} is gone: there is nothing of ours to remove")
            return
        if patch:
            _merge(_props, patch)


def _name(props: Props) -> str:
    return f"Deployment {props['namespace']}/{props['deployment']}"


def _volume(props: Props) -> Volume:
    return Volume(props["volume"], props["source"], props["container"], props["path"])


def _created_by_us(props: Props) -> Volume | None:
    """What we added, as the state has it; None for nothing."""
    return _volume(props) if props.get("made") else None


def _deployment(props: Props) -> JsonObject:
    return connections.kubernetes(props).deployment(props["namespace"], props["deployment"])


def _pod(deployment: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    pod: Mapping[str, JsonValue] = deployment["spec"]["template"]["spec"]
    return pod


def _merge(props: Props, patch: JsonObject, *, dry_run: bool = False) -> None:
    path = f"/apis/apps/v1/namespaces/{props['namespace']}/deployments/{props['deployment']}"
    cluster = connections.kubernetes(props)
    if not dry_run:
        deploy_silence.begin()  # the pods restart
    cluster.merge(path, patch, strategic=True, field_manager=props["manager"], dry_run=dry_run)


def _refuse_clashes(props: Props, deployment: Mapping[str, JsonValue], *, ours: bool) -> None:
    try:
        pod_mount.refuse_clashes(_pod(deployment), _volume(props), ours=ours)
    except EditRefused as error:
        raise EditRefused(f"{_name(props)} {error}") from None


def _mount(props: Props, before: Volume | None) -> Props:
    """Add it where it is not there yet. `made` is "" where somebody else had added the very same."""
    deployment = _deployment(props)
    pod, wanted = _pod(deployment), _volume(props)
    ours = before is not None or _ours(deployment, props)
    if pod_mount.is_mounted(pod, wanted):
        if not ours:
            info(f"{_name(props)} mounts {props['volume']} already, and not by us: we never change or remove it")
        return {**props, "made": "yes" if ours else "", "drift": ""}
    _refuse_clashes(props, deployment, ours=ours)
    _merge(props, pod_mount.addition(wanted, before))
    return {**props, "made": "yes", "drift": ""}


def _ours(deployment: Mapping[str, JsonValue], props: Props) -> bool:
    """Whether we made what has our name there; the state may not have it after an `up` that was killed."""
    return ownership_checks.applied_by(deployment["metadata"], props["manager"])
