"""Whether the running servers answer, and know all that our files use: one thing too new, and they refuse a file."""

import json
from collections.abc import Collection, Sequence
from contextlib import suppress

from components.live.cluster import connections
from components.live.provider import Props, warn
from components.live.running import reach
from components.live.text.edit_errors import EditRefused
from components.live.text.shorten import shorten
from formats.versions import Version, number
from ops.clients.http import Http
from ops.clients.tenant import unless_not_configured
from ops.errors import Misconfigured, NotFound, OpsError, UnknownName, Unreachable

NeedRow = Sequence[str]  # what, where, since (components.version_needs)

ANSWER_TIMEOUT = 3.0  # seconds; without an answer a preview goes on

SERVERS = ("prometheus", "alertmanager")


def refuse_unknown(props: Props) -> None:
    """Raises EditRefused where a running server does not know what our files use, or is never reached as it is set.

    Of several replicas the oldest counts: each gets the same files. Warns of a server that cannot be reached now, or
    gives no version.
    """
    needs = json.loads(props.get("needs") or "{}")
    faults = []
    for kind in SERVERS:
        if props.get(kind):
            try:
                _refuse(kind, props, needs.get(kind) or ())
            except reach.WRONG_SETTINGS as problem:
                faults.append(str(problem))
    if faults:
        raise EditRefused("; ".join(faults))


def refuse_unreachable(props: Props, kinds: Collection[str] = SERVERS) -> None:
    """Raises EditRefused where a server has an address at which none will answer until somebody changes something.

    To be asked before anything is written. A server that is only down is waited for later.
    """
    faults = []
    for kind in kinds:
        if props.get(kind):
            try:
                _server_version(kind, props)
            except (*reach.LASTING, UnknownName) as problem:
                faults.append(str(problem))
            except NotFound as problem:
                if props[kind].get("tenant"):
                    faults.append(f"{problem}: check rulerUrl and {kind}Url")
            except OpsError:
                continue  # `refuse_unknown` has warned
            faults += _replicas_down(kind, props)
    if faults:
        raise EditRefused(f"nothing was written: {'; '.join(faults)}")


def _replicas_down(kind: str, props: Props) -> list[str]:
    """Why replicas cannot be reached that should be: others answer, and their workload is not replacing pods."""
    try:
        found = connections.replicas(props, kind)
    except OpsError:
        return []
    if len(found.each) < 2 or found.changing:
        return []
    faults = []
    for replica in found.each:
        try:
            replica.http.get("/-/ready", timeout=ANSWER_TIMEOUT)
        except Unreachable as problem:
            faults.append(str(problem))
        except OpsError:
            continue  # it answers
    return faults


def _refuse(kind: str, props: Props, needs: Sequence[NeedRow]) -> None:
    server = kind.capitalize()
    try:
        url, version = _server_version(kind, props)
    except reach.WRONG_SETTINGS:
        raise
    except reach.NOT_REACHED as problem:
        reach.warn_unreachable(problem)
        return
    except OpsError as problem:
        if needs:
            warn(f"could not check whether {server} knows all that our files use: {problem}")
        return
    if version is None or not needs:
        return
    numbers = {}
    for title, told in _by_replica(kind, props) or [(f"{server} at {url}", version)]:
        if runs := number(told):
            numbers[runs, title] = told
        else:
            warn(f"{title} does not tell its version ({told!r}): it should know {_newest(needs)}")
    if not numbers:
        return
    (runs, title), told = min(numbers.items())
    if unknown := [need for need in needs if _number(need[2]) > runs]:
        raise EditRefused(f"{title} is {told}, and {_sentence_end(server, unknown)}")


def _by_replica(kind: str, props: Props) -> list[tuple[str, str]]:
    """How messages name each of several replicas that answer, and its version; none where there is one."""
    try:
        every = connections.replicas(props, kind).each
    except OpsError:
        return []
    found = []
    for replica in every if len(every) > 1 else ():
        with suppress(OpsError):  # `refuse_unreachable` and `Live` name one that does not answer
            if version := _version_at(kind, props, replica.http):
                found.append((replica.name, version))
    return found


def _server_version(kind: str, props: Props) -> tuple[str, str | None]:
    """The server's URL and its version; None for another product with the same API. Raises ops.errors, EditRefused."""
    try:
        return (_tenant_url(kind, props), None) if props[kind].get("tenant") else _own_version(kind, props)
    except Misconfigured as wrong:
        if not props[kind].get("url"):
            raise  # of the kubeconfig, which others report
        raise EditRefused(str(wrong)) from None  # a file that cannot be read: no later look will find it


def _own_version(kind: str, props: Props) -> tuple[str, str | None]:
    at = connections.http(props, props[kind], kind.capitalize())
    version = _version_at(kind, props, at)
    if kind == "prometheus":
        connections.prometheus(props, at).refuse_agent(timeout=ANSWER_TIMEOUT)
    return at.url, version


def _version_at(kind: str, props: Props, at: Http) -> str | None:
    """What the server at an address gives as its version; None for another product. Raises ops.errors."""
    if kind == "alertmanager":
        return connections.alertmanager(props, at).version(timeout=ANSWER_TIMEOUT)
    build = connections.prometheus(props, at).build(timeout=ANSWER_TIMEOUT)
    version = str(build.get("version") or "")
    runs = number(version)
    other = build.get("application", "Prometheus") != "Prometheus" or (runs is not None and runs < (1, 0))
    return None if other else version


def _tenant_url(kind: str, props: Props) -> str:
    """The URL of Mimir or Cortex, which has answered as such a server. Their own versions are often not shown."""
    if kind == "alertmanager":
        alertmanager = connections.alertmanager(props)
        with unless_not_configured():
            alertmanager.status()
        return alertmanager.url
    prometheus = connections.prometheus(props)
    prometheus.rules()
    return prometheus.url


def _sentence_end(server: str, unknown: Sequence[NeedRow]) -> str:
    """What the server does not know, and what to do."""
    if len(unknown) == 1:
        what, where, since = unknown[0]
        return f"{where} uses {what}, which {server} knows since {since}: upgrade it, or leave {what} out"
    every = [f"{what} ({where}; known since {since})" for what, where, since in unknown]
    return (
        f"does not know all that our files use: {shorten(every, 3)}: "
        f"upgrade it to {_newest(unknown)}, or leave them out"
    )


def _newest(needs: Sequence[NeedRow]) -> str:
    return max((since for _, _, since in needs), key=_number)


def _number(text: str) -> Version:
    return number(text) or (0, 0)
