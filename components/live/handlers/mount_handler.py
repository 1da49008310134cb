"""Our volume in a workload of others: two list entries, added and removed by name."""

from pulumi import dynamic

from components.live import inputs
from components.live.cluster import (
    connections,
    data_volume,
    other_hands,
    ownership_checks,
    pod_mount,
    rollout,
    workload,
)
from components.live.cluster.pod_mount import Volume
from components.live.handlers.handler import EditHandler
from components.live.provider import Props, info, warn
from components.live.running.deploy_silence import deploy_silence
from components.live.text.edit_errors import EditRefused
from formats.json_types import JsonObject
from ops.clients import workloads
from ops.clients.workloads import WantedWorkload, Workload
from ops.errors import Forbidden, NotFound


class MountHandler(EditHandler):
    """Adds and removes two list entries by name; a preview refuses what clashes with them.

    `made` in the state: "yes" where we added them, "" where somebody else had added the very same before.
    """

    identity = ("namespace", "workload", "container", "volume")
    compared = ("source", "path", "manager", *inputs.ACCESS)

    def check(self, _olds: Props, news: Props) -> dynamic.CheckResult:
        """Find the workload, refuse what is in the way, and try the patch without writing it.

        The workload and the container that were found take the place of those of the settings. Raises EditRefused,
        ops.errors.
        """
        before = _volume(_olds) if _olds.get("volume") else None
        wanted = WantedWorkload.of(news["namespace"], news["server"])
        try:
            found = workloads.find(connections.kubernetes(news), wanted)
        except NotFound as missing:
            raise EditRefused(str(missing)) from None
        except Forbidden as error:  # a pull request's account may be allowed less
            warn(f"could not check what is in the way of our mount in {news['workload']}: {error}")
            if _olds.get("server") == news["server"]:
                news = {**news, **{name: _olds[name] for name in ("workload", "container")}}
            return dynamic.CheckResult(news, [])
        workload.say_which(found, wanted)
        news = {**news, "workload": found.reference, "container": found.container}
        _refuse_clashes(news, found, ours=_ours(found, news))
        if not pod_mount.is_mounted(found.pod, _volume(news)):
            rollout.refuse_paused(found)
            data_volume.refuse_stuck_update(connections.kubernetes(news), found, wanted.server)
            warn(rollout.restart_warning(found))
            if line := other_hands.warning_of_addition(found.content["metadata"], found.title, "our mount"):
                warn(line)
            # What stands in another workload is removed there, and is not this patch's business.
            before = before if all(_olds.get(name) == news[name] for name in self.identity) else None
            with connections.warning_if_forbidden(connections.kubernetes(news), news["namespace"]):
                _merge(news, pod_mount.addition(_volume(news), before), dry_run=True)
        return dynamic.CheckResult(news, [])

    def drift(self, props: Props) -> str:
        """Raises NotFound where the workload is gone."""
        if pod_mount.is_mounted(_read(props).pod, _volume(props)):
            return ""
        return f"our volume {props['volume']} in {_title(props)} is gone or was changed by somebody else"

    def create(self, props: Props) -> dynamic.CreateResult:
        """Add the volume and its mount. Raises EditRefused, ops.errors."""
        return dynamic.CreateResult(f"{_title(props)}/{props['volume']}", _mount(props, None))

    def update(self, _id: str, _olds: Props, _news: Props) -> dynamic.UpdateResult:
        """Add them in place of what we added before. Raises EditRefused, ops.errors."""
        return dynamic.UpdateResult(_mount(_news, _created_by_us(_olds)))

    def delete(self, _id: str, _props: Props) -> None:
        """Remove what we added, where it is still as we added it. Raises ops.errors."""
        made = _created_by_us(_props)
        if made is None:
            return
        try:
            patch = pod_mount.removal(_read(_props).pod, made)
        except NotFound:
            info(f"{_title(_props)} is gone: there is nothing of ours to remove")
            return
        if patch:
            _merge(_props, patch)


def _title(props: Props) -> str:
    kind, _, name = props["workload"].partition("/")
    return f"{kind} {props['namespace']}/{name}"


def _volume(props: Props) -> Volume:
    return Volume(props["volume"], props["source"], props["container"], props["path"])


def _created_by_us(props: Props) -> Volume | None:
    """What we added, as the state has it; None for nothing."""
    return _volume(props) if props.get("made") else None


def _read(props: Props) -> Workload:
    return workloads.read(connections.kubernetes(props), props["namespace"], props["workload"], props["container"])


def _merge(props: Props, patch: JsonObject, *, dry_run: bool = False) -> None:
    path = workloads.path(props["namespace"], props["workload"])
    cluster = connections.kubernetes(props)
    if not dry_run:
        deploy_silence.begin()  # the pods restart
    cluster.merge(path, patch, strategic=True, field_manager=props["manager"], dry_run=dry_run)


def _refuse_clashes(props: Props, found: Workload, *, ours: bool) -> None:
    try:
        pod_mount.refuse_clashes(found.pod, _volume(props), ours=ours)
    except EditRefused as error:
        raise EditRefused(f"{found.title} {error}") from None


def _mount(props: Props, before: Volume | None) -> Props:
    """Add it where it is not there yet. `made` is "" where somebody else had added the very same."""
    found, wanted = _read(props), _volume(props)
    ours = before is not None or _ours(found, props)
    if pod_mount.is_mounted(found.pod, wanted):
        if not ours:
            info(f"{found.title} mounts {props['volume']} already, and not by us: we never change or remove it")
        return {**props, "made": "yes" if ours else "", "drift": ""}
    _refuse_clashes(props, found, ours=ours)
    rollout.refuse_paused(found)
    _merge(props, pod_mount.addition(wanted, before))
    return {**props, "made": "yes", "drift": ""}


def _ours(found: Workload, props: Props) -> bool:
    """Whether we made what has our name there; the state may not have it after an `up` that was killed."""
    return ownership_checks.applied_by(found.content["metadata"], props["manager"])
