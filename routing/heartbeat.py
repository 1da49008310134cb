"""The heartbeat: the watchdog is posted to a dead man's switch outside, which calls when no beat comes any more.

Alertmanager cannot say that it is dead, and Prometheus cannot either: somebody outside has to notice. heartbeat.yml has
the texts; they are written into the text of the routing, of which every other byte stays.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from formats.durations import seconds
from formats.yaml_nodes import Node
from routing import Routing, _edits, _typed, tree
from routing._edits import Edit

__all__ = ["RECEIVER", "Heartbeat", "heartbeat_edits", "sends_heartbeats"]

_TEXTS = Path(__file__).resolve().parent / "heartbeat.yml"
RECEIVER = "api-performance-heartbeat"


class Heartbeat(Protocol):
    """Where the heartbeat goes, and how often."""

    @property
    def file(self) -> str: ...  # a path in Alertmanager's container, of a file with the URL
    @property
    def interval(self) -> str: ...  # a duration as Prometheus has it, at least two seconds


def heartbeat_edits(top: dict[str, Node], written: Routing, heartbeat: Heartbeat | None, text: str) -> Iterator[Edit]:
    """What to write into `text`, whose nodes are `top`: the route before the one that mails, and the receiver.

    Raises RoutingError where the receiver is there already, where no route takes the watchdog, or where nothing can be
    added.
    """
    if heartbeat is None:
        return
    blocks = _blocks(heartbeat)
    _, config = _typed.parse("".join(f"{key}:\n{lines}" for key, lines in blocks.items()), _TEXTS.name)
    [wanted], [receiver] = config["routes"], config["receivers"]
    known = tree.receivers(written.config)
    if receiver["name"] in known:
        raise top["receivers"].error(
            f"{receiver['name']} is there already; take it out here, or the setting heartbeatUrlFile away"
        )
    labels = {matcher.name: matcher.value for text in wanted["matchers"] for matcher in tree.parse_matchers(text)}
    taking = [route for route in tree.tree(written.config).routes if route.takes(labels)]
    if not taking:
        raise top["route"].error(f"no route is for {labels['alertname']}, so nobody would get mail of it; add one")
    mailing = taking[0].match
    below = list(top["route"].fields()["routes"].items())
    yield _edits.before(below[mailing.position[-1]], blocks["routes"], text)
    told = next(one for one in top["receivers"].items() if one.fields()["name"].scalar() == mailing.receiver)
    yield _edits.before(told, blocks["receivers"], text)


def sends_heartbeats(written: Routing) -> bool:
    """Whether the heartbeat is switched on in this routing."""
    return RECEIVER in tree.receivers(written.config)


def _blocks(heartbeat: Heartbeat) -> dict[str, str]:
    """`routes` and `receivers` → the lines below them, filled in."""
    given = {
        "file": _edits.quoted(heartbeat.file),
        "interval": heartbeat.interval,
        "pause": f"{seconds(heartbeat.interval) // 2:.0f}s",
    }
    return {
        key: re.sub(r"\$(\w+)", lambda found: given[found[1]], lines)
        for key, lines in _edits.blocks(_TEXTS.read_text("utf-8")).items()
    }
