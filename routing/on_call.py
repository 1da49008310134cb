"""What a stack switches on: further receivers for critical alerts, working hours for warnings, a heartbeat.

It is written into the text of the routing, of which every other byte stays, so that the whole configuration and its
parts say the same. Outside working hours Alertmanager drops what it would have sent for a warning: one that still fires
when they begin is mailed then, within the `group_interval` of its route; one that has ended meanwhile is never mailed.
"""

import re
import string
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from formats.yaml_nodes import Node
from routing import Routing, _edits, _typed, read, tree
from routing._edits import Edit
from routing.heartbeat import Heartbeat, heartbeat_edits

__all__ = ["INTERVAL", "OnCall", "WorkingHours", "with_on_call"]

INTERVAL = "api-performance-working-hours"
_TEXTS = Path(__file__).resolve().parent / "on_call.yml"
_CRITICAL, _WARNING = (tree.Matcher("severity", value, "=") for value in ("critical", "warning"))


class WorkingHours(Protocol):
    """Hours of days in a time zone."""

    @property
    def weekdays(self) -> Sequence[str]: ...  # monday, tuesday, …
    @property
    def times(self) -> Sequence[tuple[str, str]]: ...  # from and to, each HH:MM, to 24:00
    @property
    def location(self) -> str: ...  # such as Europe/Berlin


class OnCall(Protocol):
    """What is switched on; None is off. Files are paths in Alertmanager's container, each with a secret in it."""

    @property
    def slack_file(self) -> str | None: ...
    @property
    def slack_channel(self) -> str | None: ...
    @property
    def pagerduty_file(self) -> str | None: ...
    @property
    def webhook_file(self) -> str | None: ...
    @property
    def working_hours(self) -> WorkingHours | None: ...
    @property
    def heartbeat(self) -> Heartbeat | None: ...


def with_on_call(written: Routing, on_call: OnCall) -> Routing:
    """The routing with what is switched on; the very same where nothing is.

    Every receiver of a route for `severity="critical"` gets the further senders; every route for `severity="warning"`
    the working hours, but not those below it: the drill's is heard at any hour. Raises RoutingError where that cannot
    be written into the text.
    """
    text = written.text if written.text.endswith("\n") else written.text + "\n"
    root, _ = _typed.parse(text, written.shown)
    assert root is not None  # it has been read
    top = root.fields()
    edits = [
        *_senders(top, written, on_call, text),
        *_hours(top, written, on_call.working_hours, text),
        *heartbeat_edits(top, written, on_call.heartbeat, text),
    ]
    if not edits:
        return written
    for index, block in sorted(edits, reverse=True):
        text = text[:index] + block + text[index:]
    return read(text, written.path)


def _senders(top: Mapping[str, Node], written: Routing, on_call: OnCall, text: str) -> Iterator[Edit]:
    files = {"slack": on_call.slack_file, "pagerduty": on_call.pagerduty_file, "webhook": on_call.webhook_file}
    texts = _texts()
    wanted = {name: file for name, file in files.items() if file}
    names = {route.match.receiver for route in tree.tree(written.config).walk() if _CRITICAL in route.matchers}
    if wanted and not names:
        raise top["route"].error('no route is for severity="critical", so nobody would be told; add one')
    for receiver in top["receivers"].items():
        fields = receiver.fields()
        name = fields["name"].scalar()
        if name not in names or not wanted:
            continue
        title = _title(written, name)
        blocks = []
        for sender, file in wanted.items():
            if f"{sender}_configs" in fields:
                raise receiver.error(f"{name} has {sender}_configs already; take them out here, or that setting away")
            lines = texts[f"{sender}_configs"]
            if not on_call.slack_channel:
                lines = re.sub(r"(?m)^.*\$channel\n", "", lines)
            given = {"file": file, "channel": on_call.slack_channel or "", "title": title}
            filled = {key: _edits.quoted(value) for key, value in given.items()}
            blocks.append(string.Template(lines).substitute(filled))
        yield _edits.after(receiver, fields["name"], "".join(blocks), text)


def _hours(top: Mapping[str, Node], written: Routing, hours: WorkingHours | None, text: str) -> Iterator[Edit]:
    if hours is None:
        return
    routes = [route for route in tree.tree(written.config).walk() if _WARNING in route.matchers]
    if not routes:
        raise top["route"].error('no route is for severity="warning", so working hours are for none; add one')
    for route in routes:
        place = top["route"]
        for index in route.match.position:
            place = list(place.fields()["routes"].items())[index]
        fields = place.fields()
        if "active_time_intervals" in fields:
            raise place.error("this route has active_time_intervals already; take them out, or working hours away")
        yield _edits.after(place, fields["receiver"], f"active_time_intervals: [{INTERVAL}]\n", text)
    item = (
        f"- name: {INTERVAL}\n  time_intervals:\n    - weekdays: [{', '.join(hours.weekdays)}]\n      times:\n"
        + "".join(f'        - start_time: "{start}"\n          end_time: "{end}"\n' for start, end in hours.times)
        + f"      location: {hours.location}\n"
    )
    if "time_intervals" not in top:
        yield len(text), "\ntime_intervals:\n" + _edits.indented(item, 2)
        return
    node = top["time_intervals"].yaml
    if _edits.flow(top["time_intervals"]) or not node.value:
        raise top["time_intervals"].error(
            "working hours cannot join these time_intervals; write them in lines (- name: …)"
        )
    yield _edits.line(text, node.start_mark.index), _edits.indented(item, node.start_mark.column)


def _title(written: Routing, name: str) -> str:
    """What the receiver's mail has for its subject."""
    (receiver,) = (found for found in written.config["receivers"] if found["name"] == name)
    mails = receiver.get("email_configs") or ()
    return next((mail["headers"]["Subject"] for mail in mails if "Subject" in mail.get("headers", {})), name)


def _texts() -> dict[str, str]:
    """`slack_configs` and its like → its lines, this first one among them."""
    blocks = re.finditer(r"(?m)^(\w+_configs):\n(?:(?:  .*)?\n)+", _TEXTS.read_text("utf-8"))
    return {block[1]: block[0].rstrip("\n") + "\n" for block in blocks}
