"""From the moment of a fault to the arrival of its mail, beside the longest that the settings ask for."""

import tempfile
from collections.abc import Mapping
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

REAL = 35.0  # seconds by the real clock that a floor takes: half a second that the servers need is 1.4 % of it
# Faults that are over the limit at the first scrape or the second, so that no window has to fill first: one of each way
# by which an alert reads (a gauge, nothing at all, what is recorded every 15 s, and every minute).
FAULTS: Mapping[str, tuple[str, Mapping[str, float]]] = {
    "DatabaseConnectionPoolUtilizationHigh": ("pool_exhaustion", {}),
    "APIMetricsAbsent": ("all_instances_down", {}),
    "APIErrorRateCritical": ("error_burst", {"errors": 1.0}),
    "DatabaseQueryLatencyCritical": ("very_slow_queries", {}),
}


def run() -> list[str]:
    """The section of the page, as Markdown."""
    known = scenario_files.load()
    rows = [_row(known[scenario], rules.alerts()[alert], faults) for alert, (scenario, faults) in FAULTS.items()]
    head = ("fault", "alert", "scrape", "evaluation", "`for`", "group_wait", "floor, s", "fault to mail, s", "ratio")
    return table(head, rows)


def _row(scenario: Scenario, alert: Alert, faults: Mapping[str, float]) -> tuple[str, ...]:
    group_wait = tree.matches(routing.load().config, alert.label_set)[0].group_wait
    parts = (SCRAPE_INTERVAL, alert.interval, alert.for_, group_wait)
    floor = sum(parts)
    took = _measured(scenario, alert, faults, floor)
    return (
        "every request ends in a server error" if "errors" in faults else scenario.what,
        alert.name,
        *(f"{part:.0f}" for part in parts),
        f"{floor:.0f}",
        f"{took:.0f}",
        f"{took / floor:.2f}",
    )


def _measured(scenario: Scenario, alert: Alert, faults: Mapping[str, float], floor: float) -> float:
    """Seconds from the fault to the mail. Raises OpsError where none came."""
    usual = {kind: value for stage in scenario.stages for kind, value in stage.faults.items()}
    short = replace(scenario, lasts=floor, stages=(Stage(0.0, floor, {**usual, **faults}),))
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        mailed = live_drill.run(short, Path(home), floor / REAL, say).happened.mailed
    if alert.name not in mailed:
        raise OpsError(f"no mail about {alert.name} came within {floor:.0f} s and a while")
    return mailed[alert.name]
