"""Our alerts, as the tests beside this file use them."""

import subprocess

import rules
from tests.support.waiting import PATIENCE

ALERTS = rules.alerts()
PERFORMANCE = {name: alert for name, alert in ALERTS.items() if alert.group == "api_performance"}


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
