"""Where our routing sends an alert. Tests take a receiver's name from here: routing/alertmanager.yml alone gives it."""

import routing
import rules
from formats.json_types import JsonObject
from routing import tree

ROUTING = routing.load()
DRILL = {"alertname": "TestAPIAlert", "severity": "warning", "component": "api"}
FALLBACK: str = ROUTING.config["route"]["receiver"]


def receiver_of(alert: str) -> str:
    """The name of the one receiver that this alert of ours reaches, or the drill."""
    labels = DRILL if alert == DRILL["alertname"] else rules.alerts()[alert].label_set
    [match] = tree.matches(ROUTING.config, labels)
    return match.receiver


def receiver(name: str) -> JsonObject:
    """The receiver of that name, as the file has it."""
    (found,) = (found for found in ROUTING.config["receivers"] if found["name"] == name)
    return dict(found)
