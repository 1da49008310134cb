"""Versions and reviews that a test makes by changing the files of this checkout."""

from collections.abc import Callable
from dataclasses import replace

import rules
from formats.json_types import JsonObject, JsonValue
from ops.review import changes
from ops.review.checkouts import Version, working_tree
from ops.review.replayed_versions import Past
from ops.review.verdict import Review
from ops.stack.engine_events import Previewed

NOW = working_tree("prod")
ALERTS = [alert for alert in rules.alerts().values() if alert.is_house]
ALERT = ALERTS[0]


def with_rules(change: Callable[[str], str], version: Version = NOW) -> Version:
    """The version with the file of `ALERT` changed."""
    files = tuple(
        rules.parse(change(file.text), file.path) if file.name == ALERT.file.name else file for file in version.files
    )
    return replace(version, files=files)


def with_routes(change: Callable[[JsonValue], None], version: Version = NOW) -> Version:
    """The version with its routing's configuration changed."""
    config: JsonObject = {**version.routing.config}
    config["route"] = {**config["route"], "routes": [dict(route) for route in config["route"]["routes"]]}
    change(config)
    return replace(version, routing=replace(version.routing, config=config))


def without(name: str) -> Callable[[str], str]:
    """The text of the rules without an alert."""

    def change(text: str) -> str:
        head, mark, rest = text.partition(f"      - alert: {name}\n")
        assert mark
        after = rest.find("      - ")
        return head + (rest[after:] if after >= 0 else "")

    return change


def review(head: Version, base: Version = NOW, **more: object) -> Review:
    """Their review, without a backtest and with a preview that says nothing."""
    found = Review(
        target="prod",
        base="main",
        head="abc1234",
        changes=changes.between(base, head),
        missing=(),
        past=Past(not_made="nobody asked"),
        preview=Previewed({"update": 3, "same": 9}, text="Previewing update (prod):\n    ~ 3 to update\n"),
    )
    return replace(found, **more)  # type: ignore[arg-type]
