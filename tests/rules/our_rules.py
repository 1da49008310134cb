"""Our alerts, as the tests beside this file use them."""

import subprocess

import rules
from rules import RuleFile
from tests.support.waiting import PATIENCE

# Those of which our form is asked, and the watchdog.
ALERTS = {name: alert for name, alert in rules.alerts().items() if alert.is_house or alert.is_watchdog}
PERFORMANCE = {name: alert for name, alert in ALERTS.items() if alert.is_house}
OBJECTIVE = 0.99  # that for which the scenarios are written, whatever stands in rules/


def as_scenarios_have_it(file: RuleFile) -> RuleFile:
    """The file with the objective of the scenarios, if it is the one that has an objective."""
    return rules.with_objective(file, OBJECTIVE) if any(one.name == rules.BUDGET for one in file.recordings) else file


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
