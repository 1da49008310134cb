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
OBJECTIVE = rules.objective(rules.load()) or 0.0
STRICTER = round((1 + OBJECTIVE) / 2, 9)  # leaves half of what may fail


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


def objective(share: object = STRICTER, why: str = "a customer asked for it") -> str:
    return f"objective:\n  share: {share}\n  why: {why}\n"


def test_only_that_stack_has_the_other_objective(folder: Path) -> None:
    write(folder, objective())
    assert rules.objective(rules.load(folder, stack="staging")) == STRICTER
    for stack in ("", "prod"):
        assert rules.objective(rules.load(folder, stack=stack)) == OBJECTIVE
    assert rules.recordings(folder, stack="staging")[rules.BUDGET].expr.strip() == f"vector(1 - {STRICTER})"
    own = rules.stack_objective("staging", folder)
    assert own and (own.share, own.why) == (STRICTER, "a customer asked for it")
    assert str(own.place).endswith("limits.staging.yml:1")


def test_an_objective_replaces_one_number_and_stands_beside_limits(folder: Path) -> None:
    write(folder, objective() + entry())
    both = zip(rules.load(folder), rules.load(folder, stack="staging"), strict=True)
    lines = [
        (a.strip(), b.strip())
        for usual, changed in both
        for a, b in zip(usual.text.split("\n"), changed.text.split("\n"), strict=True)
        if a != b
    ]
    assert lines == [(ALERT.limit.text, other(ALERT)), (f"vector(1 - {OBJECTIVE})", f"vector(1 - {STRICTER})")]
    assert rules.stack_limits("staging", folder).keys() == {ALERT.name}


def test_alerts_on_the_budget_must_be_able_to_fire(folder: Path) -> None:
    """If all requests fail, the budget burns 1 / (1 - objective) times as fast as allowed, and no faster."""
    (first, *_) = rules.on_budget(rules.alerts(folder).values())
    write(folder, entry(first.name, 40, "patient") + objective(0.97))
    with pytest.raises(
        RulesError, match=rf"limits\.staging\.yml:1: with an objective of 0\.97, {first.name} cannot fire: "
    ):
        rules.load(folder, stack="staging")
    write(folder, entry(first.name, 30, "patient") + objective(0.97))
    assert rules.load(folder, stack="staging")


def test_an_objective_that_nothing_records_is_refused(folder: Path) -> None:
    (path,) = (folder / file.name for file in rules.load() if any(one.name == rules.BUDGET for one in file.recordings))
    path.write_text(path.read_text("utf-8").replace(f"record: {rules.BUDGET}", "record: api:some_other:budget"))
    write(folder, objective())
    with pytest.raises(
        RulesError, match=rf"limits\.staging\.yml:1: no rule records {rules.BUDGET}, which would have the"
    ):
        rules.load(folder, stack="staging")
    assert rules.objective(rules.load(folder)) is None


@pytest.mark.parametrize(
    ("expr", "words"),
    [
        ("vector(0.01)", f"the recording {rules.BUDGET} must be `vector(1 - SHARE)`, such as vector(1 - 0.99)"),
        ("vector(1 - 99)", f"the objective in {rules.BUDGET} is 99, and it is a share of 1: for 99 % write 0.99"),
        ("vector(1 - 0.9)", "with an objective of 0.9, APIErrorBudgetBurnFast cannot fire: its limit is "),
    ],
)
def test_the_repositorys_objective_is_held_to_the_same(folder: Path, expr: str, words: str) -> None:
    path = folder / rules.recordings()[rules.BUDGET].file.name
    usual = rules.recordings()[rules.BUDGET].expr.strip()
    path.write_text(path.read_text("utf-8").replace(usual, expr), "utf-8")
    with pytest.raises(RulesError) as refused:
        rules.load(folder)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (objective(99.5), "`share` of the objective is 99.5, and it is a share of 1: for 99.5 % write 0.995"),
        (objective(0.005), "`share` of the objective is 0.005: it is the share that must succeed, "),
        (objective(1), "`share` of the objective is 1, which leaves no request that may fail"),
        (objective("99.5%"), "`share` of the objective must be a number: write 0.995"),
        (objective("'99.5 %'"), "`share` of the objective must be a number: write 0.995"),
        (objective("high"), "must be the share of requests that must succeed, such as 0.995"),
        (objective(".nan"), "must be the share of requests that must succeed"),
        (objective(-1), "must be the share of requests that must succeed"),
        (objective(why="''"), "`why` of the objective is empty: "),
        ("objective: 0.999\n", "the objective needs two lines below it, `share: 0.999` and `why: …`"),
        ("objective: 99.9 %\n", "the objective needs two lines below it, `share: 0.999` and `why: …`"),
        ("objective: high\n", "the objective needs two lines below it, `share: 0.995` and `why: …`"),
        ("objective:\n", "the objective needs two lines below it, `share: 0.995` and `why: …`"),
        ("objective: [0.995]\n", "the objective must be a mapping"),
        ("Objective: {share: 0.995, why: x}\n", "limits.staging.yml:1: Objective is no alert: did you mean objective?"),
        ("objectives: {share: 0.995, why: x}\n", "objectives is no alert: did you mean objective?"),
        ("objective: {share: 0.995}\n", "the objective has no `why`: add it"),
        (objective().replace("share", "shar"), "did you mean share?"),
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
    write(copy.folder / "rules", entry() + objective())
    shutil.copy(copy.folder / "Pulumi.prod.yaml", copy.folder / "Pulumi.staging.yaml")
    deployed, budget = {}, {}
    for stack in ("prod", "staging"):
        copy.succeeds("ops", "render", "--target", stack, "--out", stack)
        texts = [path.read_text("utf-8") for path in (copy.folder / stack).rglob("*.yaml")]
        (deployed[stack],) = (text for text in texts if f"alert: {ALERT.name}\n" in text)
        (budget[stack],) = (text for text in texts if f"record: {rules.BUDGET}\n" in text)
    assert deployed["prod"].count(other(ALERT)) + 1 == deployed["staging"].count(other(ALERT))
    assert f"vector(1 - {STRICTER})" in budget["staging"] and f"vector(1 - {OBJECTIVE})" in budget["prod"]


def test_tune_names_the_place_and_writes_nothing(copy: Copy) -> None:
    write(copy.folder / "rules", entry(), "prod")
    done = copy.run("ops", "tune", ALERT.name, "--because", "it is too low")
    assert done.returncode == 2
    assert done.stderr == f"the limit of {ALERT.name} for prod stands in rules/limits.prod.yml:1: change it there\n"
