"""What `verify` and `report` say of how long Prometheus takes to evaluate our rules."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

import rules
from formats.json_types import JsonValue
from ops import cli, targets
from ops.checks import evaluation_time
from ops.clients.prometheus import RunningGroup
from tests.support.waiting import until
from tests.verbs.looking import found

OURS = [group for file in rules.load() for group in file.groups]


@pytest.fixture
def evaluated(green: targets.Target) -> targets.Target:
    """Each of our groups has been evaluated once at least, as it is now."""

    def look() -> bool:
        ours = evaluation_time.our_groups(green.prometheus.rules(), rules.load())
        return all(map(evaluation_time.is_evaluated, ours))

    until(look, "not every group was evaluated")
    return green


def test_how_long_all_groups_take_is_one_line(evaluated: targets.Target) -> None:
    said = found(evaluated, evaluation_time.NAME, "pass").detail
    assert said.startswith(f"{len(OURS)} groups took ")
    assert "; nearest to its interval is " in said and ", its slowest rule " in said


def test_before_all_are_evaluated_it_is_said_how_many(evaluated: targets.Target) -> None:
    """As in the first minutes, when a group with a long interval has not been evaluated yet."""
    live = [
        group if at else replace(group, evaluation_time=0.0) for at, group in enumerate(evaluated.prometheus.rules())
    ]
    none = [replace(group, evaluation_time=0.0) for group in live]

    def said(groups: list[RunningGroup]) -> str:
        asked = SimpleNamespace(rules=lambda: groups, query=lambda _: [])
        return evaluation_time.keeps_up(asked, rules.load()).detail  # type: ignore[arg-type]

    assert said(live).startswith(f"{len(OURS) - 1} of {len(OURS)} groups so far took ")
    changed = replace(
        live[0], evaluation_time=1.0, rules=tuple(replace(rule, evaluation_time=0.0) for rule in live[0].rules)
    )
    assert said([changed, *live[1:]]) == said(live)  # reloaded with other rules, which keeps the group's own time
    assert said(none) == "no group of ours has been evaluated yet; look again in two minutes"


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
    written = out.read_text("utf-8")

    def row(one: Mapping[str, JsonValue]) -> str:
        return f"| {one['name']} | {one['group']} | {one['shown']} |".replace("_", r"\_")

    assert [row(one) in written for one in told] == [at < 10 for at in range(len(told))]
    assert f"The other {len(told) - 10} rules took " in written
