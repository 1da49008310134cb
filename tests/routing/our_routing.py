"""Our routing and the labels of our alerts, as the tests beside this file use them; and amtool."""

import subprocess
from pathlib import Path

import routing
import rules
from formats.json_types import JsonObject
from ops import build_tools
from tests.support.waiting import PATIENCE

ROUTING = routing.load()
ALERTS = rules.alerts()
LABELS = {name: {"alertname": name, **alert.labels} for name, alert in ALERTS.items()}
DRILL = {"alertname": "TestAPIAlert", "severity": "warning", "component": "api"}

# component and severity → receiver, and what its subjects say. A further alert of these needs no line here.
TABLE = {
    ("api", "critical"): ("api-critical", "🚨  API Performance Critical"),
    ("api", "warning"): ("api-warnings", "⚠️  API Performance Warning"),
    ("database", "critical"): ("database-critical", "🚨  Database Performance Critical"),
    ("database", "warning"): ("database-warnings", "⚠️  Database Performance Warning"),
    ("webhook", "critical"): ("webhook-critical", "🚨  Webhook Processing Critical"),
    ("webhook", "warning"): ("webhook-warnings", "⚠️  Webhook Processing Warning"),
    ("watchdog", "none"): ("api-performance-watchdog", ""),
}


def amtool(*arguments: str | Path) -> str:
    command = [str(build_tools.path("amtool")), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def receiver(name: str) -> JsonObject:
    (found,) = (found for found in ROUTING.config["receivers"] if found["name"] == name)
    return dict(found)
