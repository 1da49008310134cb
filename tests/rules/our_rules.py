"""Our alerts, as the tests beside this file use them."""

import subprocess

import rules
from tests.support.waiting import PATIENCE

# Those of which our form is asked, and the watchdog.
ALERTS = {name: alert for name, alert in rules.alerts().items() if alert.is_house or alert.is_watchdog}
PERFORMANCE = {name: alert for name, alert in ALERTS.items() if alert.is_house}


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
