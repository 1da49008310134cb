"""Limits that one stack has of its own: deployed, drawn and replayed there, and nowhere else."""

import shutil
from pathlib import Path

import pytest

import dashboards
import metrics
import rules
from rules import RulesError
from tests.support.limits import other
from tests.support.tree_copy import Copy, copy

__all__ = ["copy"]
ALERT = next(alert for alert in rules.alerts().values() if alert.is_house)
WATCHDOG = next(alert for alert in rules.alerts().values() if alert.is_watchdog)
HIGHER = ALERT.limit.value * 2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The rules of this repository, to which a stack's limits can be added."""
    copy = tmp_path / "rules"
    shutil.copytree(rules.FOLDER, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return copy


def write(folder: Path, text: str, stack: str = "staging") -> None:
    (folder / f"limits.{stack}.yml").write_text(text, "utf-8")


def entry(name: str = ALERT.name, limit: object = HIGHER, why: str = "one small node") -> str:
    return f"{name}:\n  limit: {limit}\n  why: {why}\n"


def test_only_that_stack_has_the_other_limit(folder: Path) -> None:
    write(folder, entry())
    assert rules.alerts(folder, stack="staging")[ALERT.name].limit.text == other(ALERT)
    for stack in ("", "prod", "stagin"):
        assert rules.alerts(folder, stack=stack)[ALERT.name].limit == ALERT.limit


def test_nothing_but_the_last_line_of_the_expression_differs(folder: Path) -> None:
    write(folder, entry())
    for usual, changed in zip(rules.load(folder), rules.load(folder, stack="staging"), strict=True):
        lines = [(a, b) for a, b in zip(usual.text.split("\n"), changed.text.split("\n"), strict=True) if a != b]
        assert len(lines) == (usual.name == ALERT.file.name)
    own = rules.alerts(folder, stack="staging")
    assert {name for name, alert in rules.alerts(folder).items() if alert != own[name]} == {ALERT.name}


def test_several_limits_of_one_file_are_all_set(folder: Path) -> None:
    alerts = [alert for alert in rules.alerts().values() if alert.is_house]
    write(folder, "".join(entry(alert.name, alert.limit.value * 2) for alert in alerts))
    own = rules.alerts(folder, stack="staging")
    assert [own[alert.name].limit.text for alert in alerts] == [other(alert) for alert in alerts]


def test_it_is_no_rule_file(folder: Path) -> None:
    write(folder, entry())
    assert [file.name for file in rules.load(folder)] == [file.name for file in rules.load()]


def test_it_is_drawn_and_held_to_the_metrics(folder: Path) -> None:
    write(folder, entry())
    own = rules.alerts(folder, stack="staging")
    metrics.load().hold(own.values(), rules.recordings())
    board = dashboards.load()
    assert dashboards.deployed(board, own) != dashboards.deployed(board, rules.alerts())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (entry("APINoSuchAlert"), "there is no alert APINoSuchAlert: correct the name, or take the entry out"),
        (entry(WATCHDOG.name), f"{WATCHDOG.name} always fires and has no limit: take the entry out"),
        (entry(limit="high"), "must be a number, such as 1500"),
        (entry(limit=".nan"), "must be a number, such as 1500"),
        (entry(limit=".inf"), "must be a number, such as 1500"),
        (entry(why="''"), "is empty: "),
        (f"{ALERT.name}:\n  limit: 5\n", "has no `why`: add it"),
        (f"{ALERT.name}: 5\n", "must be a mapping"),
        (entry() + entry(), "stands here a second time (first in line 1): keep one"),
        ("- a\n", "must be a mapping"),
        (f"{ALERT.name}:\n  limt: 5\n  why: x\n", "did you mean limit?"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_line(folder: Path, text: str, words: str) -> None:
    write(folder, text)
    with pytest.raises(RulesError) as refused:
        rules.load(folder, stack="staging")
    assert "limits.staging.yml:" in str(refused.value)
    assert words in str(refused.value)
    assert rules.load(folder, stack="prod"), "another stack does not mind"


def test_an_empty_file_changes_nothing(folder: Path) -> None:
    write(folder, "# none yet\n")
    assert rules.load(folder, stack="staging") == rules.load(folder)


def test_the_program_deploys_what_the_stack_has(copy: Copy) -> None:
    write(copy.folder / "rules", entry())
    shutil.copy(copy.folder / "Pulumi.prod.yaml", copy.folder / "Pulumi.staging.yaml")
    deployed = {}
    for stack in ("prod", "staging"):
        copy.succeeds("ops", "render", "--target", stack, "--out", stack)
        texts = [path.read_text("utf-8") for path in (copy.folder / stack).rglob("*.yaml")]
        (deployed[stack],) = (text for text in texts if f"alert: {ALERT.name}\n" in text)
    assert deployed["prod"].count(other(ALERT)) + 1 == deployed["staging"].count(other(ALERT))


def test_tune_names_the_place_and_writes_nothing(copy: Copy) -> None:
    write(copy.folder / "rules", entry(), "prod")
    done = copy.run("ops", "tune", ALERT.name, "--because", "it is too low")
    assert done.returncode == 2
    assert done.stderr == f"the limit of {ALERT.name} for prod stands in rules/limits.prod.yml:1: change it there\n"
