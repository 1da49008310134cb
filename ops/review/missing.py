"""What an alert lacks of what every alert of group `api_performance` has, and the watchdog."""

import dashboards
from ops.repo import owners
from ops.repo.files import shown
from ops.repo.new_alert import RUNBOOKS, SCENARIOS
from ops.review.checkouts import Version


def missing(version: Version) -> list[str]:
    """A sentence for each file or panel that an alert lacks, in the working tree."""
    drawn = {dashboards.measured(query) for panel in version.dashboard.panels for query in panel.queries}
    found = []
    for alert in version.alerts.values():
        if not (alert.is_house or alert.is_watchdog):
            continue
        runbook, scenarios = RUNBOOKS / f"{alert.name}.md", SCENARIOS / f"{alert.name}.test.yml"
        if not runbook.exists():
            found.append(f"{alert.name} has no runbook: write {shown(runbook)}")
        if not scenarios.exists():
            found.append(f"{alert.name} has no scenario: write {shown(scenarios)}")
        if not alert.is_watchdog and alert.quantity not in drawn:
            found.append(f"{alert.name} has no panel: draw its query in {shown(dashboards.FILE)}")
    return [*found, *owners.unknown(version.alerts.values())]
