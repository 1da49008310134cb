"""What is said of a scenario that went otherwise than it should, in lines and as a document."""

from dataclasses import replace

from ops.faults import drill_words, scenario_files
from ops.faults.expectations import Happened, problems
from ops.faults.live_drill import Drill

BURST = replace(
    scenario_files.load()["error_burst"],
    fires={"APIErrorRateCritical": 240.0, "APIErrorRateHigh": 400.0},
    may_fire=("APIP95LatencyHigh",),
    inhibited=("APIErrorRateHigh",),
)
FIRED = {"APIErrorRateCritical": 180.0, "APIErrorRateHigh": 330.0}
RECEIVERS = {"APIErrorRateCritical": ("api-critical",)}
AS_WANTED = Happened(FIRED, RECEIVERS, {"APIErrorRateCritical": 190.0})


def drill(happened: Happened) -> Drill:
    muted = {"APIErrorRateHigh": ("APIErrorRateCritical",)}
    return Drill(BURST, 60.0, happened, muted, tuple(problems(BURST, happened)))


def test_nothing_is_said_of_what_is_as_it_should_be() -> None:
    assert list(problems(BURST, AS_WANTED)) == []
    may = Happened(FIRED | {"APIP95LatencyHigh": 500.0}, RECEIVERS | {"APIP95LatencyHigh": ("api-warnings",)})
    assert list(problems(BURST, may)) == []


def test_each_thing_that_is_wrong_is_a_clause() -> None:
    assert list(problems(BURST, Happened({}))) == [
        "APIErrorRateCritical did not fire, though it should within 4 min",
        "APIErrorRateHigh did not fire, though it should within 6 min 40 s",
    ]
    late = Happened(FIRED | {"APIErrorRateCritical": 300.0}, RECEIVERS)
    assert list(problems(BURST, late)) == ["APIErrorRateCritical fired after 5 min, later than 4 min"]
    assert list(problems(BURST, late, 60.0)) == []
    other = Happened(FIRED | {"APIMetricsAbsent": 60.0}, RECEIVERS | {"APIMetricsAbsent": ("api-critical",)})
    assert list(problems(BURST, other)) == ["APIMetricsAbsent fired after 1 min, though it should not"]
    assert list(problems(BURST, Happened(FIRED | {"APIErrorRateCritical": -30.0}, RECEIVERS))) == [
        "APIErrorRateCritical fired before anything went wrong"
    ]
    both = Happened(FIRED, RECEIVERS | {"APIErrorRateHigh": ("api-warnings",)})
    assert list(problems(BURST, both)) == [
        "a mail about APIErrorRateHigh was sent to api-warnings, though it should be inhibited"
    ]
    assert list(problems(BURST, Happened(FIRED))) == ["no mail about APIErrorRateCritical was sent"]


def test_a_drill_in_lines_and_as_a_document() -> None:
    assert list(drill_words.as_lines(drill(AS_WANTED))) == [
        "  alert                 fired after  should within  mail after  told",
        "  APIErrorRateCritical  3 min        4 min          3 min 10 s  api-critical",
        "  APIErrorRateHigh      5 min 30 s   6 min 40 s     –           nobody, inhibited by APIErrorRateCritical",
        "All of it is as it should be.",
    ]
    wrong = drill(Happened({}))
    assert list(drill_words.as_lines(wrong))[-3:] == [
        "2 things not as error_burst says:",
        "  APIErrorRateCritical did not fire, though it should within 4 min",
        "  APIErrorRateHigh did not fire, though it should within 6 min 40 s",
    ]
    document = drill_words.as_document(wrong)
    assert document["wrong"] == list(wrong.wrong)
    assert [one["fired_after_seconds"] for one in document["alerts"]] == [None, None]
