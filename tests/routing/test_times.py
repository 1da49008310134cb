"""Time intervals, held to Alertmanager's own reader."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, Phase, example, given, seed, settings
from hypothesis import strategies as st

import routing.routing_needs
from ops import build_tools
from routing import RoutingError, _schema, _typed, tree
from tests.support.waiting import PATIENCE

WORDS = {
    "days_of_month": ("1", "15", "28", "31", "-1", "-3", "-20", "-28", "-31", "0", "32", "-32", "+5", "007", "x", ""),
    "months": ("january", "June", "12", "1", "0", "13", "-1", "jan", "٣", " 1"),
    "weekdays": ("sunday", "monday", "Friday", "saturday", "0", "mon"),
    "years": ("2024", "2030", "-5", "1_0", "x"),
    "location": ("", "Local", "UTC", "Europe/Berlin", "Berlin", "../etc", "local", "europe"),
}
ranges = st.sampled_from([*WORDS]).flatmap(
    lambda key: st.lists(st.sampled_from(WORDS[key]), min_size=1, max_size=1 if key == "location" else 2).map(
        lambda found: (key, ":".join(found))
    )
)


@seed(20261125)
@settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(ranges, min_size=80, max_size=80, unique=True))
@example(
    [("days_of_month", text) for text in ("-1:1", "15:-20", "1:-1", "10:-10", "27:-1", "28:-1", "-3:-1", "1:2:3")]
    + [("location", text) for text in WORDS["location"]]
    + [("weekdays", "friday:monday"), ("months", "december:january"), ("months", "13"), ("years", "2030:2024")]
)
def test_ranges_are_taken_as_alertmanager_takes_them(tmp_path: Path, found: list[tuple[str, str]]) -> None:
    files = [tmp_path / f"{number}.yml" for number in range(len(found))]
    ours = set()
    for file, (key, text) in zip(files, found, strict=True):
        file.write_text(yaml.safe_dump(configuration(key, text), allow_unicode=True), "utf-8")
        root, _ = _typed.parse(file.read_text("utf-8"), "alertmanager.yml")
        assert root is not None
        try:
            _schema.check(root)
        except RoutingError:
            ours.add((key, text))
    command = [str(build_tools.path("amtool")), "check-config", *map(str, files)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE).stdout
    verdicts = re.findall(r"Checking '[^']*/(\d+)\.yml'.*?  (SUCCESS|FAILED)", said, re.S)
    assert len(verdicts) == len(found)
    assert ours == {found[int(number)] for number, verdict in verdicts if verdict == "FAILED"}


def configuration(key: str, text: str) -> dict[str, object]:
    interval = {"name": "i", "time_intervals": [{key: text if key == "location" else [text]}]}
    return {"route": {"receiver": "r"}, "receivers": [{"name": "r"}], "time_intervals": [interval]}


@pytest.mark.parametrize("zone", ["Local", ""])
def test_a_zone_that_only_alertmanagers_machine_knows_is_taken(zone: str) -> None:
    config = configuration("location", zone)
    assert tree.intervals(config)["i"] == [[[], [[], [], [], []], zone or "UTC"]]
    routing.routing_needs.needs(config)
