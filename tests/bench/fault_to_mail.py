"""From the moment of a fault to the arrival of its mail, beside the longest that the settings ask for."""

import tempfile
from dataclasses import replace
from pathlib import Path

import routing
import rules
from ops.errors import OpsError
from ops.faults import live_drill, scenario_files
from ops.faults.scaled_config import SCRAPE_INTERVAL
from ops.faults.scenario_files import Scenario
from ops.faults.stages import Stage
from routing import tree
from rules import Alert
from tests.bench.bench_words import say, table

SPEED = 20.0  # times as fast as the real clock: a second that the servers take counts for twenty
# Faults that are over the limit at the first scrape, so that no window has to fill first.
SCENARIOS = {
    "pool_exhaustion": "DatabaseConnectionPoolUtilizationHigh",
    "all_instances_down": "APIMetricsAbsent",
}


def run() -> list[str]:
    """The section of the page, as Markdown."""
    known = scenario_files.load()
    rows = [_row(known[name], rules.alerts()[alert]) for name, alert in SCENARIOS.items()]
    head = ("fault", "alert", "scrape", "evaluation", "`for`", "group_wait", "floor, s", "fault to mail, s", "ratio")
    return table(head, rows)


def _row(scenario: Scenario, alert: Alert) -> tuple[str, ...]:
    group_wait = tree.matches(routing.load().config, alert.label_set)[0].group_wait
    parts = (SCRAPE_INTERVAL, alert.interval, alert.for_, group_wait)
    floor = sum(parts)
    took = _measured(scenario, alert, floor)
    return (
        scenario.what,
        alert.name,
        *(f"{part:.0f}" for part in parts),
        f"{floor:.0f}",
        f"{took:.0f}",
        f"{took / floor:.2f}",
    )


def _measured(scenario: Scenario, alert: Alert, floor: float) -> float:
    """Seconds from the fault to the mail. Raises OpsError where none came."""
    faults = {kind: value for stage in scenario.stages for kind, value in stage.faults.items()}
    short = replace(scenario, lasts=floor, stages=(Stage(0.0, floor, faults),))
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        mailed = live_drill.run(short, Path(home), SPEED, say).happened.mailed
    if alert.name not in mailed:
        raise OpsError(f"no mail about {alert.name} came within {floor:.0f} s and a while")
    return mailed[alert.name]
