"""What `verify` and `report` say of how long Prometheus takes to evaluate our rules."""

import json
from pathlib import Path

import pytest

import rules
from ops import cli, targets
from ops.checks import evaluation_time
from tests.support.waiting import until
from tests.verbs.looking import found

OURS = [group for file in rules.load() for group in file.groups]


@pytest.fixture
def evaluated(green: targets.Target) -> targets.Target:
    """Each of our groups has been evaluated once at least."""

    def look() -> bool:
        ours = evaluation_time.our_groups(green.prometheus.rules(), rules.load())
        return all(group.evaluation_time > 0 for group in ours)

    until(look, "not every group was evaluated")
    return green


def test_how_long_all_groups_take_is_one_line(evaluated: targets.Target) -> None:
    said = found(evaluated, evaluation_time.NAME, "pass").detail
    assert said.startswith(f"{len(OURS)} groups took ")
    assert "the slowest for its interval, " in said and ", most of it " in said


def test_the_report_says_it_of_each_rule(
    evaluated: targets.Target, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluated.name == "sandbox"
    out = tmp_path / "report.md"
    assert cli.run(["report", "--target", "sandbox", "--window", "1h", "--out", str(out), "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)["evaluation"]
    assert {one["name"] for one in told} == {rule.name for group in OURS for rule in group.rules}
    assert [one["share"] for one in told] == sorted((one["share"] for one in told), reverse=True)
    first = told[0]
    assert first["share"] == pytest.approx(first["seconds"] / first["interval"])
    row = f"| {first['name']} | {first['group']} | {first['shown']} |".replace("_", r"\_")
    assert row in out.read_text("utf-8")
