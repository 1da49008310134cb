"""Whether the servers that run know all that our files use: a file with one thing too new is refused as a whole."""

import json
from collections.abc import Sequence

from components.live.cluster import connections
from components.live.provider import Props, warn
from components.live.text.errors import EditRefused
from components.live.text.shorten import shorten
from formats.versions import Version, number
from ops.errors import OpsError

One = Sequence[str]  # what, where, since (components.version_needs)

PATIENCE = 3.0  # seconds for an answer: without one a preview goes on

_SERVERS = ("prometheus", "alertmanager")


def refuse_unknown(props: Props) -> None:
    """Raises Refused where a server that runs does not know what our files use; says it where that cannot be told."""
    needs = json.loads(props.get("needs") or "{}")
    for kind in _SERVERS:
        if props.get(kind) and needs.get(kind):
            _refuse(kind, props, needs[kind])


def _refuse(kind: str, props: Props, needs: Sequence[One]) -> None:
    server = kind.capitalize()
    try:
        url, told = _asked(kind, props)
    except OpsError as problem:
        warn(f"whether {server} knows all that is used here cannot be said: {problem}")
        return
    if told is None:
        return
    runs = number(told)
    if runs is None:
        warn(f"{server} at {url} does not tell its version ({told!r}): it should know {_newest(needs)}")
    elif lacking := [need for need in needs if _number(need[2]) > runs]:
        raise EditRefused(f"{server} at {url} is {told}, and {_said(server, lacking)}")


def _asked(kind: str, props: Props) -> tuple[str, str | None]:
    """The server's URL and its version; None where it is another product with the same API and numbers of its own."""
    if kind == "alertmanager":
        alertmanager = connections.alertmanager(props)
        return alertmanager.url, alertmanager.version(timeout=PATIENCE)
    prometheus = connections.prometheus(props)
    build = prometheus.build(timeout=PATIENCE)
    version = str(build.get("version") or "")
    runs = number(version)
    other = build.get("application", "Prometheus") != "Prometheus" or (runs is not None and runs < (1, 0))
    return prometheus.url, None if other else version


def _said(server: str, lacking: Sequence[One]) -> str:
    """The end of the sentence."""
    if len(lacking) == 1:
        what, where, since = lacking[0]
        return f"{where} uses {what}, which {server} knows since {since}: upgrade it, or leave {what} out"
    every = [f"{what} ({where}; known since {since})" for what, where, since in lacking]
    return f"does not know what is used here: {shorten(every, 3)}: upgrade it to {_newest(lacking)}, or leave them out"


def _newest(needs: Sequence[One]) -> str:
    return max((since for _, _, since in needs), key=_number)


def _number(text: str) -> Version:
    found = number(text)
    assert found is not None, f"{text} is no version"
    return found
