"""What stands in a scenario: read, and each fault of it refused in a sentence."""

from pathlib import Path

import pytest

from ops.errors import Misconfigured
from ops.faults import scenario_files
from ops.faults.stages import Stage

WHOLE = """\
what: errors
at: '09:30'
lasts: 10m
faults:
  - errors: 0.2
    after: 1m
    lasts: 4m
    instances: 1
fires:
  APIErrorRateHigh: 9m
may_fire: [APIErrorRateCritical]
inhibited: [APIErrorRateHigh]
"""


def load(folder: Path, text: str, name: str = "one") -> scenario_files.Scenario:
    (folder / f"{name}.yml").write_text(text, "utf-8")
    return scenario_files.load(folder)[name]


def test_all_of_it_is_read(tmp_path: Path) -> None:
    found = load(tmp_path, WHOLE)
    assert (found.name, found.what, found.at, found.lasts) == ("one", "errors", 9.5 * 3600, 600)
    assert found.stages == (Stage(60, 300, {"errors": 0.2}, 1),)
    assert found.fires == {"APIErrorRateHigh": 540}
    assert (found.may_fire, found.inhibited) == (("APIErrorRateCritical",), ("APIErrorRateHigh",))
    assert not found.wakes_nobody


def test_a_fault_that_grows_has_steps_from_its_first_value_to_its_last(tmp_path: Path) -> None:
    text = WHOLE.replace("0.2", "{from: 0.1, to: 0.4}")
    stages = load(tmp_path, text).stages
    assert [stage.faults["errors"] for stage in stages] == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert [(stage.start, stage.end) for stage in stages] == [(60, 120), (120, 180), (180, 240), (240, 300)]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("what: errors\n", "", "1: the scenario one has no `what`: add it"),
        ("lasts: 10m", "last: 10m", "3: the scenario one has the unknown key `last`: did you mean lasts?"),
        ("lasts: 10m", "lasts: ten", "3: `lasts` of the scenario one cannot be read: 'ten' is no duration"),
        ("lasts: 10m", "lasts: 2d", "3: `lasts` of the scenario one is 2d, longer than 24 h: shorten it"),
        ("'09:30'", "'25:00'", "2: `at` of the scenario one is 25:00: give a time of day, UTC, such as '10:00'"),
        ("errors: 0.2", "error: 0.2", "5: the fault has the unknown key `error`: did you mean errors?"),
        ("errors: 0.2", "errors: 2", "5: `errors` of the fault is 2 (share of requests): give a number from 0 to 1"),
        ("errors: 0.2", "down: 3", "5: `down` of the fault must be true or false"),
        ("errors: 0.2", "down: false", "5: `down` of the fault can only be true: leave it out instead"),
        ("- errors: 0.2\n    after", "- after", "5: the fault says nothing that goes wrong: give it one of errors"),
        ("lasts: 4m", "lasts: 14m", "7: `lasts` of the fault is 14m, longer than 10 min: shorten it"),
        ("lasts: 4m", "lasts: 10m", "5: the fault must begin and end within the scenario, which lasts 10 min"),
        ("instances: 1", "instances: 4", "8: `instances` of the fault must be a whole number from 1 to 3"),
        (
            "  APIErrorRateHigh: 9m",
            "  APIErrorRateHihg: 9m",
            "there is no alert APIErrorRateHihg in rules/; did you mean",
        ),
        ("[APIErrorRateCritical]", "[APIErrorRateHigh]", "names APIErrorRateHigh, which must fire anyway"),
        (
            "inhibited: [APIErrorRateHigh]",
            "inhibited: [APIMetricsAbsent]",
            "names APIMetricsAbsent, which is not",
        ),
        ("inhibited: [APIErrorRateHigh]", "wakes_nobody: true", "12: `wakes_nobody` of the scenario one contradicts"),
        (
            "fires:\n  APIErrorRateHigh: 9m\nmay_fire: [APIErrorRateCritical]\ninhibited: [APIErrorRateHigh]\n",
            "",
            "1: the scenario one names no alert in `fires`: name those that must fire, or say `wakes_nobody: true`",
        ),
    ],
)
def test_a_fault_of_the_file_is_one_sentence(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert old in WHOLE
    with pytest.raises(Misconfigured) as refused:
        load(tmp_path, WHOLE.replace(old, new))
    said = str(refused.value)
    assert "one.yml:" in said
    assert sentence in said
    assert "\n" not in said
    assert not said.endswith(".")


def test_a_file_name_that_cannot_be_typed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="must be named by small letters, digits and _: rename the file"):
        load(tmp_path, WHOLE, "Not This")
