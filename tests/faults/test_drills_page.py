"""The page that `make drills` writes, and that every scenario stands in it."""

from dataclasses import replace

import rules
from ops.faults import drills_page, quiet_weeks, scenario_files
from ops.faults.expectations import Happened, problems
from ops.faults.live_drill import Drill
from ops.replay.run import Outcome, Version
from ops.replay.signals import Episode, Replay
from tests.support.checkout import ROOT

WEEKS = quiet_weeks.WEEKS[0]
BURST = replace(
    scenario_files.load()["error_burst"],
    fires={"APIErrorRateCritical": 240.0, "APIErrorRateHigh": 400.0},
    inhibited=("APIErrorRateHigh",),
)
AS_WANTED = Happened(
    {"APIErrorRateCritical": 180.0, "APIErrorRateHigh": 330.0},
    {"APIErrorRateCritical": ("api-critical",)},
    {"APIErrorRateCritical": 190.0},
)


def drill(happened: Happened) -> Drill:
    return Drill(BURST, 60.0, happened, {}, tuple(problems(BURST, happened)))


def outcome(*fired: str) -> Outcome:
    """Quiet weeks in which these alerts fired once."""
    found = {}
    for name, alert in rules.alerts().items():
        episodes = (Episode({}, "firing", 10.0, 20.0, False),) if name in fired else ()
        found[name] = Replay(alert, alert.limit, 0.0, 100.0, episodes)
    return Outcome(0.0, 100.0, 100.0, [], [Version("x", found, [])], [])


def test_the_page_has_a_row_for_each_alert_and_each_thing_that_is_wrong() -> None:
    text = drills_page.page([drill(AS_WANTED), drill(Happened({}))], [], "Measured somewhere")
    assert "2 of 2 alerts fired where they must; 1 of 2 scenarios went as they should. Measured somewhere." in text
    assert "| 4 min | 3 min | 3 min 10 s | api-critical |" in text
    assert "| | | **not as it should be: APIErrorRateHigh did not fire, though it should within 6 min 40 s** |" in text


def test_of_quiet_weeks_it_says_which_false_alarms_there_were() -> None:
    fired = outcome("WebhookProcessingLatencyHigh", "APIMetricsAbsent")
    text = drills_page.page([], [(WEEKS, fired), (WEEKS, outcome())], "x")
    assert (
        f"| {WEEKS.first} | {WEEKS.zone} | APIMetricsAbsent | once |\n|  |  | WebhookProcessingLatencyHigh | once |"
        in text
    )
    assert f"| {WEEKS.first} | {WEEKS.zone} | none | never |" in text


def test_the_page_has_every_scenario() -> None:
    page = (ROOT / "docs" / "drills.md").read_text("utf-8")
    assert [name for name in scenario_files.load() if f"| `{name}` |" not in page] == [], "run make drills"
