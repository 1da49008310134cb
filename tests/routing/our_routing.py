"""The labels of our alerts, as the tests beside this file use them; and amtool."""

import subprocess
from pathlib import Path

import routing
import rules
from ops import build_tools
from routing import tree
from tests.support.waiting import PATIENCE

ALERTS = {name: alert for name, alert in rules.alerts().items() if alert.is_house or alert.is_watchdog}
LABELS = {name: {"alertname": name, **alert.labels} for name, alert in ALERTS.items()}
# Where an alert goes that tells nobody.
SHADOW_RECEIVER = tree.matches(routing.load().config, {**LABELS["APIErrorRateHigh"], "stage": rules.SHADOW})[0].receiver


def amtool(*arguments: str | Path) -> str:
    command = [str(build_tools.path("amtool")), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
