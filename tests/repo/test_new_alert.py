"""`make new-alert`: a new alert's files, valid at once, done as CONTRIBUTING.md says; or one sentence, and no file."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import dashboards
import rules
from ops.errors import Misconfigured
from ops.repo import new_alert
from ops.repo.alert_skeleton import MARK, SIGNAL
from ops.repo.files import shown
from tests.support.tree_copy import Copy, failures
from tests.support.waiting import PATIENCE
from tests.test_worked_examples import NEW, SECTIONS, blocks, scenarios_and_runbook

SECTION = SECTIONS["How an alert is added"]
REMINDER = "tests/repo/test_new_alert.py::test_nothing_is_left_to_replace"
QUOTES = "',\""  # what may stand around it in YAML and JSON
RULES, MARGINS, BOARD = (shown(path) for path in (new_alert.RULES, new_alert.MARGINS, dashboards.FILE))


def test_nothing_is_left_to_replace() -> None:
    files = [
        new_alert.RULES,
        *new_alert.SCENARIOS.glob("*.test.yml"),
        *new_alert.RUNBOOKS.glob("*.md"),
        *(new_alert.MARGINS, dashboards.FILE),
    ]
    tasks = [
        f"{shown(path)}:{number}: replace what is marked {line[line.index(MARK) :].rstrip(QUOTES)}"
        for path in files
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if MARK in line
    ]
    tasks += [
        f"{shown(alert.file)}:{alert.line}: replace the expression and the limit of {alert.name}"
        for alert in rules.alerts().values()
        if alert.quantity == rules.quantity(SIGNAL)
    ]
    assert not tasks, "\n".join(tasks)


def make(copy: Copy, name: str) -> subprocess.CompletedProcess[str]:
    """`make new-alert`, with the packages of this checkout."""
    command = ["make", "-o", ".venv/.installed", f"PY={sys.executable}", "new-alert", f"NAME={name}"]
    # Below `make test` it would be a make within a make, which says so in further lines.
    outside = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return subprocess.run(
        command, cwd=copy.folder, env=outside, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def refused(copy: Copy, *arguments: str) -> str:
    """The one sentence with which the module refuses; no file has changed."""
    done = copy.run("ops.repo.new_alert", *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stdout + done.stderr
    assert copy.changed() == set()
    return done.stderr.rstrip("\n")


def test_it_is_valid_at_once_and_done_as_contributing_says(copy: Copy) -> None:
    assert f"\nmake new-alert NAME={NEW}\n" in SECTION
    files = {name.replace("ALERT", NEW) for name in re.findall(r"^\| `([^`]+)` \|", SECTION, re.MULTILINE)}
    before = {name: (copy.folder / name).read_text("utf-8") for name in (RULES, MARGINS, BOARD)}
    done = make(copy, NEW)
    assert done.returncode == 0, done.stdout + done.stderr
    assert copy.changed() == files
    printed = re.findall(r"^(\S+):(\d+): replace \S.*$", done.stdout, re.MULTILINE)
    assert len(printed) == len(done.stdout.splitlines()) and {name for name, _ in printed} == files
    for name, line in printed:
        assert MARK in (copy.folder / name).read_text("utf-8").splitlines()[int(line) - 1]
    # All that was there is there, byte for byte.
    rule, margin, panel = ((copy.folder / name).read_text("utf-8") for name in (RULES, MARGINS, BOARD))
    assert rule.startswith(before[RULES])
    added = re.search(rf"^{NEW}:\n.*\n.*\n\n", margin, re.MULTILINE)
    assert added and margin.replace(added[0], "") == before[MARGINS]
    model = json.loads(panel)
    model["panels"].pop()
    assert dashboards.text(model) == before[BOARD]

    named = {*re.findall(r"`(tests/[\w/]+\.py::\w+)`", SECTION)} - {"tests/test_worked_examples.py::test_an_alert"}
    rooms = {"rules/test_rules.py", "metrics/test_contract.py", "dashboards/test_dashboards.py"}
    told = copy.tests(*named, *(f"tests/{room}" for room in rooms))
    assert failures(told) == {REMINDER}, told.stdout + told.stderr
    copy.passes("tests/rules/test_promtool_scenarios.py", "-k", NEW)
    for name in files:
        assert re.search(rf"{re.escape(name)}:\d+: replace what is marked {MARK}", told.stdout), told.stdout
    assert f"replace the expression and the limit of {NEW}" in told.stdout

    finished, distance = blocks("How an alert is added")
    (copy.folder / RULES).write_text(f"{before[RULES]}\n{finished}", "utf-8")
    copy.edit(MARGINS, added[0], f"{distance}\n")
    scenarios_and_runbook(copy, finished)
    (copy.folder / BOARD).write_text(before[BOARD], "utf-8")  # a panel shows the quantity
    copy.succeeds("dashboards")
    assert copy.changed() == files
    copy.passes(*named)
    copy.passes("tests/rules/test_promtool_scenarios.py", "-k", NEW)


def test_a_second_one_stands_beside_the_first(copy: Copy) -> None:
    """Of another component and severity, by its name; both are drawn after `python -m dashboards`."""
    for name in ("DatabaseLockWaitHigh", "APIQueueCritical", "CDNErrorsHigh"):
        done = copy.succeeds("ops.repo.new_alert", name)
        line = int(re.findall(rf"^{RULES}:(\d+): ", done, re.MULTILINE)[0])
        assert name in (copy.folder / RULES).read_text("utf-8").splitlines()[line - 2]
    copy.succeeds("dashboards")
    told = copy.tests(REMINDER, "tests/rules/test_rules.py", "tests/dashboards/test_dashboards.py")
    assert failures(told) == {REMINDER}, told.stdout + told.stderr
    assert "replace the expression and the limit of CDNErrorsHigh" in told.stdout
    found = rules.alerts(copy.folder / "rules")
    assert (found["DatabaseLockWaitHigh"].component, found["DatabaseLockWaitHigh"].severity) == ("database", "warning")
    assert (found["APIQueueCritical"].component, found["APIQueueCritical"].severity) == ("api", "critical")


@pytest.mark.parametrize(
    "name", ["", "queueTimeHigh", "API", "Queue-Time", "Queue Time", "../Queue", "Größe", "Q" * 40 + "a" * 50, "a'$(b)"]
)
def test_a_name_that_is_not_in_camel_case_is_refused(name: str) -> None:
    with pytest.raises(Misconfigured, match="CamelCase") as caught:
        new_alert.edits(name)
    assert repr(name) in str(caught.value)


def test_what_cannot_be_is_refused_with_one_sentence_and_nothing_is_written(copy: Copy) -> None:
    assert refused(copy) == "name one alert: make new-alert NAME=WebhookQueueTimeHigh"
    assert refused(copy, "A", "B") == refused(copy, "")
    assert refused(copy, "queue_time").startswith("'queue_time' cannot be the name of an alert; give one in CamelCase")
    exists = f"exists in {RULES}; give the new alert another name"
    assert refused(copy, "APIP95LatencyHigh") == f"APIP95LatencyHigh {exists}"
    assert refused(copy, "ApiP95LatencyHigh") == f"APIP95LatencyHigh {exists}"
    by_make = make(copy, "a'; touch x; '$$(touch y)")
    assert by_make.returncode == 2 and "cannot be the name of an alert" in by_make.stderr
    assert copy.changed() == set()

    for name in (RULES, MARGINS, BOARD):
        path = copy.folder / name
        path.chmod(0o444)
        assert refused(copy, NEW) == f"{name} is read-only; make it writable (chmod u+w) and run this again"
        path.chmod(0o644)


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        (RULES, "        for: 5m\n", "        four: 5m\n", rf"{RULES}:\d+: .*four"),
        (MARGINS, "\nother:\n", "\nothers:\n", f"{MARGINS} has no entry other"),
        (BOARD, '  "panels": [\n', '  "panels":  [\n', f"{BOARD} was edited; run .venv/bin/python -m dashboards"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(copy: Copy, name: str, old: str, new: str, words: str) -> None:
    path: Path = copy.folder / name
    text = path.read_text("utf-8").replace(old, new, 1)
    path.write_text(text, "utf-8")
    done = copy.run("ops.repo.new_alert", NEW)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stdout + done.stderr
    assert re.match(words, done.stderr), done.stderr
    assert copy.changed() == {name} and path.read_text("utf-8") == text


def test_a_runbook_or_scenarios_of_that_name_are_not_overwritten(copy: Copy) -> None:
    for name in (f"docs/runbooks/{NEW}.md", f"tests/rules/{NEW}.test.yml"):
        (copy.folder / name).write_text("ours\n", "utf-8")
        done = copy.run("ops.repo.new_alert", NEW)
        assert (done.returncode, done.stderr) == (2, f"{NEW} exists in {name}; give the new alert another name\n")
        assert copy.changed() == {name} and (copy.folder / name).read_text("utf-8") == "ours\n"
        (copy.folder / name).unlink()
