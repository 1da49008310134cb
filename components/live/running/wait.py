"""Ask the servers to read their files again until they run what was written, or say what is in the way."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from components.live.cluster import connections
from components.live.provider import say
from components.live.running import compare, operator_readback
from components.live.running.wanted import no_longer_wanted
from components.live.text.errors import EditRefused
from ops.clients.alertmanager import Alertmanager
from ops.clients.prometheus import Prometheus, RunningGroup
from ops.errors import BadAnswer, Forbidden, NotFound, OpsError, Unreachable
from ops.errors import Refused as Declined
from routing import RoutingError, tree

PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)  # seconds between two attempts; the last one repeats
SPEAK = 10.0  # seconds between two lines of progress

Props = Mapping[str, Any]
Look = Callable[[], list[str]]


def until_running(props: Props, olds: Props | None = None) -> None:
    """Wait until both servers run what is wanted, and of `olds` nothing that is not wanted any more.

    Raises Refused, naming what is in the way, when the time is up.
    """
    gone = no_longer_wanted(olds, props) if olds and olds.get("rules") is not None else None

    def of_prometheus(server: Prometheus, props: Props) -> list[str]:
        left = compare.rules_still_running(gone["rules"], _groups(server, props)) if gone else []
        return left or prometheus_lacks(server, props)

    def of_alertmanager(server: Alertmanager, props: Props) -> list[str]:
        left = compare.routing_still_running(gone["routing"], _config(server, props), _declared(props)) if gone else []
        return left or alertmanager_lacks(server, props)

    try:
        _wait(props, "run what was written", _looks(props, of_prometheus, of_alertmanager))
    except EditRefused as no:
        if told := operator_readback.rejections(props):
            raise EditRefused(f"{no}; {'; '.join(told)}") from None
        raise


def until_gone(props: Props) -> None:
    """Wait until both servers run, and nothing of ours. Raises Refused when the time is up."""
    _wait(props, "run without what was taken back", _looks(props, _prometheus_keeps, _alertmanager_keeps))


def not_running(props: Props) -> list[str]:
    """What does not run as wanted now, without asking for anything. Raises ops.errors."""
    return [fault for _, look in _looks(props, prometheus_lacks, alertmanager_lacks, reload=False) for fault in look()]


def _looks(props: Props, of_prometheus: Any, of_alertmanager: Any, *, reload: bool = True) -> list[tuple[str, Look]]:
    looks: list[tuple[str, Look]] = []
    for kind, connect, lacks in (
        ("prometheus", connections.prometheus, of_prometheus),
        ("alertmanager", connections.alertmanager, of_alertmanager),
    ):
        if props.get(kind):
            looks.append((kind.capitalize(), _look(kind, connect(props), lacks, props, reload)))
    return looks


def _look(kind: str, server: Any, lacks: Callable[[Any, Props], list[str]], props: Props, reload: bool) -> Look:
    way = props[kind]["reload"] if reload else "none"

    def look() -> list[str]:
        """Reload each time: the first one may have read files that kubelet had not replaced yet."""
        if way == "signal":
            _signal(kind, props)
        if way == "lifecycle":
            try:
                server.reload()
            except Forbidden as no:
                raise _Final(
                    f"{kind.capitalize()} does not reload on request ({no.words or no.status}): start it with "
                    f"--web.enable-lifecycle, or set {kind}Reload to sidecar or signal"
                ) from None
            except Declined as no:
                return [*_blamed(server, props), f"it refuses its files: {no.words}"]
        return lacks(server, props)

    return look


def _blamed(server: Any, props: Props) -> list[str]:
    """Prometheus keeps to its log which rule it does not like: ask it for each."""
    found = []
    if isinstance(server, Prometheus):
        for name, rule in props["rules"].items():
            try:
                server.query(rule["expression"])
            except Declined as no:
                if no.status == 400:
                    found.append(f"rules/{rule['file']}: {name}: {no.words}")
    return found


class _Final(EditRefused):
    """Waiting will not help."""


def _wait(props: Props, goal: str, looks: Sequence[tuple[str, Look]]) -> None:
    start = time.monotonic()
    limit, spoken = float(props["timeout"]), start
    open_: dict[str, list[str]] = {}
    pending = list(looks)
    attempt = 0
    while True:
        still = []
        for name, look in pending:
            try:
                faults = look()
            except (Unreachable, BadAnswer) as problem:
                faults = [str(problem)]
            except Declined as problem:
                if problem.status < 500:
                    raise EditRefused(str(problem)) from None
                faults = [str(problem)]  # it is starting, or nobody stands behind the Service just now
            except OpsError as problem:
                raise EditRefused(str(problem)) from None
            if faults:
                open_[name] = faults
                still.append((name, look))
            else:
                say(f"{name} {'runs' + goal.removeprefix('run')} ({time.monotonic() - start:.1f} s)")
        pending = still
        if not pending:
            return
        now = time.monotonic()
        if now - start >= limit:
            what = "; ".join(f"{name}: {_some(open_[name])}" for name, _ in pending)
            raise EditRefused(f"after {limit:g} s not all servers {goal}. {what}")
        if now - spoken >= SPEAK:
            spoken = now
            seen = " and ".join(f"{name} ({_some(open_[name], 1)})" for name, _ in pending)
            say(f"waiting for {seen}, {now - start:.0f} s")
        time.sleep(min(PAUSES[min(attempt, len(PAUSES) - 1)], max(0.0, limit - (now - start))))
        attempt += 1


def _some(faults: Sequence[str], shown: int = 3) -> str:
    more = f" and {len(faults) - shown} more" if len(faults) > shown else ""
    return "; ".join(faults[:shown]) + more


# ---------------------------------------------------------------- what they run


def _groups(server: Prometheus, props: Props) -> list[RunningGroup]:
    """The groups from where ours should be: those of a mode that is being given up, or taken up, are not meant."""
    folder = str(props.get("folder") or "").rstrip("/")
    apart = bool(props.get("apart"))
    if ours := (props.get("operated") or {}).get("rules"):  # the operator names a file NAMESPACE-OBJECT-UID
        begin = f"/{props['namespace']}-{ours['name']}"
        return [group for group in server.rules() if begin in group.file]
    return [group for group in server.rules() if not folder or (f"{folder}/" in group.file) != apart]


def prometheus_lacks(server: Prometheus, props: Props) -> list[str]:
    groups = _groups(server, props)
    faults = compare.rules_not_running(props["rules"], groups)
    if faults:
        return faults
    for rule in compare.unevaluated(props["rules"], groups):  # its first turn may be an interval away: ask now
        try:
            server.query(rule.query)
        except Declined as no:
            faults.append(f"{rule.name} cannot be evaluated: {no.words}")
    return faults or _reload_failed(server, "prometheus_config_last_reload_successful")


def alertmanager_lacks(server: Alertmanager, props: Props) -> list[str]:
    config = server.status().config
    ours = operator_readback.as_ours(config, props)
    faults = operator_readback.absent(ours, props) or compare.routing_not_running(props["routing"], ours)
    faults = faults or operator_readback.swallowed(config, props)
    return faults or _reload_failed(server, "alertmanager_config_last_reload_successful")


def _prometheus_keeps(server: Prometheus, props: Props) -> list[str]:
    kept = compare.rules_still_running(props["rules"], _groups(server, props))
    return kept or _reload_failed(server, "prometheus_config_last_reload_successful")


def _alertmanager_keeps(server: Alertmanager, props: Props) -> list[str]:
    kept = compare.routing_still_running(props["routing"], _config(server, props), _declared(props))
    return kept or _reload_failed(server, "alertmanager_config_last_reload_successful")


def _config(server: Alertmanager, props: Props) -> Mapping[str, Any]:
    return operator_readback.as_ours(server.status().config, props)


def _reload_failed(server: Prometheus | Alertmanager, metric: str) -> list[str]:
    ok = server.metric(metric)
    return ["its last reload failed: it would not start again with the files as they are"] if ok == 0 else []


def _declared(props: Props) -> list[str]:
    """Receivers in the text as it stands now: what is there by somebody else's hand may go on running."""
    if operator_readback.prefix(props):
        return []  # none but the operator makes names like those of ours
    server = props["alertmanager"]
    path = f"/api/v1/namespaces/{props['namespace']}/configmaps/{server['config_map']}"
    try:
        data = connections.kubernetes(props).get(path).get("data") or {}
        config = tree.parse(data.get(server["config_key"], ""))
    except (OpsError, RoutingError):
        return []
    return [str(receiver.get("name")) for receiver in config.get("receivers") or ()]


def _signal(kind: str, props: Props) -> None:
    """SIGHUP to the server's process, by running `kill` in each of its pods."""
    from ops.clients import pod_exec  # kr8s takes 0.1 s to import, at each preview: only for those who need it

    server = props[kind]
    cluster = connections.kubernetes(props)
    try:
        deployment = cluster.deployment(props["namespace"], server["deployment"])
    except NotFound:
        raise _Final(
            f"Deployment {props['namespace']}/{server['deployment']} is not there: whom to send SIGHUP?"
        ) from None
    labels = deployment["spec"]["selector"].get("matchLabels") or {}
    selector = ",".join(f"{name}={value}" for name, value in labels.items())
    for pod in cluster.pods(props["namespace"], selector):
        name, container = pod["metadata"]["name"], server["container"]
        # Pulumi keeps no property that is None.
        access = (props.get("kubeconfig"), props.get("context"))
        pod_exec.run(*access, props["namespace"], name, container, ["kill", "-HUP", "1"])
