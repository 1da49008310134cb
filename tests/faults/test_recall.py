"""Each alert fires in a scenario of its own, in time, alone or with those that it should, and is sent as it should."""

from pathlib import Path

import rules
from ops.faults import expectations, replayed, scenario_files

SCENARIOS = scenario_files.load()


def test_each_alert_must_fire_in_a_scenario() -> None:
    ours = {name for name, alert in rules.alerts().items() if alert.group == "api_performance"}
    assert ours - {name for scenario in SCENARIOS.values() for name in scenario.fires} == set()


def test_each_scenario_fires_what_it_says_and_nothing_else(tmp_path: Path) -> None:
    """All in one test, as they are written into one database."""
    with replayed.replaying(tmp_path, SCENARIOS.values()) as past:
        wrong = {name: list(expectations.problems(one, past.happened(one))) for name, one in SCENARIOS.items()}
    assert {name: found for name, found in wrong.items() if found} == {}
