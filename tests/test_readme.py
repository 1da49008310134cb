"""README.md: the table "To change something" leads to the one place, and what else is named is there."""

import ast
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import dashboards
import metrics
import routing
import rules
from components import settings
from components.live.text import marks, remove
from ops import cli
from tests.support.checkout import ROOT

TEXT = (ROOT / "README.md").read_text("utf-8")
THEIRS = {"prometheus.yml", "alertmanager.yml"}  # keys of ConfigMaps, no files of ours
ROWS = {
    cells[0].strip(): " ".join(cells[1:])
    for line in TEXT.partition("\n## To change something\n")[2].partition("\n## ")[0].splitlines()
    if line.startswith("| ") and (cells := re.split(r"(?<!\\)\|", line.strip("|")))
}


def row(thing: str) -> str:
    (found,) = [text for name, text in ROWS.items() if re.match(rf"{thing}\b", name)]
    return found


def paths(text: str) -> list[str]:
    """The files that a text names, in backticks or as links."""
    named = re.findall(r"`([\w./-]+\.(?:py|yml|yaml|json|md)|[\w/-]+/)`", text)
    return [*named, *(target.partition("#")[0] for target in re.findall(r"\]\(([^)]+)\)", text))]


def path(thing: str) -> Path:
    """The first file in the row of what is to be changed."""
    return ROOT / paths(row(thing))[0]


@pytest.mark.parametrize("name", sorted({*paths(TEXT)} - THEIRS))
def test_every_path_is_there(name: str) -> None:
    """MODE stands for a way of delivery and STACK for a stack: there is one of each at least."""
    assert [*ROOT.glob(name.replace("MODE", "*").replace("STACK", "*"))], f"README.md names {name}, which is not there"


def test_every_make_target_is_there() -> None:
    targets = re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    named = re.findall(r"(?:^    |`)make ([a-z0-9-]+)", TEXT, re.MULTILINE)
    assert named and set(named) <= set(targets)


def test_every_verb_is_there() -> None:
    assert set(re.findall(r"bin/ops ([a-z][a-z-]+)", TEXT)) <= set(cli.VERBS)


# ── a row leads to the one place ─────────────────────────────────────────────────────────────────────────────────────


def test_a_limit() -> None:
    file = path("a limit")
    for alert in rules.alerts().values():
        if alert.component != "watchdog":
            assert alert.file == file
            assert file.read_text("utf-8").splitlines()[alert.limit_line - 1].strip() == alert.limit.text
    assert "`bin/ops tune ALERT" in row("a limit")


def test_an_alert() -> None:
    """The watchdog, which is no alert of the API's performance, has a file of its own."""
    assert path("an alert").name in {alert.file.name for alert in rules.alerts().values()}
    assert path("an alert").parent == rules.FOLDER


def test_a_receiver() -> None:
    file = path("a receiver")
    assert file == routing.load().path
    text = file.read_text("utf-8")
    for receiver in routing.load().config["receivers"]:
        assert f"- name: {receiver['name']}" in text


def test_a_panel_and_a_metric() -> None:
    assert path("a panel") == dashboards.FILE
    assert path("a metric") == metrics.FILE


def test_a_way_of_delivery() -> None:
    modes = [settings.choices(key) for key in ("rulesMode", "alertmanagerMode", "grafanaMode")]
    for pattern, names in zip(re.findall(r"`(components/\w+/MODE_\w+\.py)`", row("a way")), modes, strict=True):
        for name in names:
            assert (ROOT / pattern.replace("MODE", name)).is_file()


def test_a_check() -> None:
    """Each line of the list names a module of ops/checks and a function in it."""
    tree = ast.parse(path("a check").read_text("utf-8"))
    modules = {
        alias.asname or alias.name: ROOT / node.module.replace(".", "/") / f"{alias.name}.py"
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "ops.checks"
        for alias in node.names
    }
    (run,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "run_checks"]
    listed = [
        (node.value.id, node.attr)
        for node in ast.walk(run)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules
    ]
    assert len(listed) > 10
    for name, function in listed:
        assert f"def {function}(" in modules[name].read_text("utf-8")


def test_a_verb() -> None:
    assert path("a verb") == ROOT / "ops" / "cli.py"
    for verb, place in cli.VERBS.items():
        module, _, name = place.partition(":")
        text = (ROOT / module.replace(".", "/")).with_suffix(".py").read_text("utf-8")
        assert re.search(rf"^(def {name}\(|{name} = )", text, re.MULTILINE), verb


def test_a_setting() -> None:
    value, default = (text for name, text in ROWS.items() if name.startswith("a setting"))
    assert "`Pulumi.STACK.yaml`" in value and "`Pulumi.yaml`" in default
    assert set(settings.schema()) == set(yaml.safe_load((ROOT / "Pulumi.yaml").read_text("utf-8"))["config"])
    listed = (ROOT / paths(value)[-1]).read_text("utf-8")
    assert all(f"| `{key}` |" in listed for key in settings.schema())


def said_by_a_verb(capsys: pytest.CaptureFixture[str]) -> str:
    assert cli.run(["verify", "--target", "staging"]) == 2
    return capsys.readouterr().err


def said_in_a_preview(_: pytest.CaptureFixture[str]) -> str:
    text = "groups:\n- name: api_performance\n  interval: 0s\n  rules: []\n"
    with pytest.raises(rules.RulesError) as refused:
        rules.parse(text, Path("x.yml"))
    return str(refused.value)


def said_of_a_text_of_others(_: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(ValueError, match="marks") as refused:
        remove.remove_marked(f"{marks.begin('receivers', '', marks.Memory())}\n", "alertmanager.yml")
    return str(refused.value)


@pytest.mark.parametrize("said", [said_by_a_verb, said_in_a_preview, said_of_a_text_of_others])
def test_a_message(said: Callable[[pytest.CaptureFixture[str]], str], capsys: pytest.CaptureFixture[str]) -> None:
    """By the row's own command: four words of a real message that are no names are found once."""
    command = re.search(r"`(git grep [^`]+)`", row("a message"))
    assert command
    words = said(capsys).split()
    runs = [" ".join(words[at : at + 4]) for at in range(len(words) - 3)]
    found = {
        run: grep(command[1].replace("four words of it", run)) for run in runs if re.fullmatch(r"[A-Za-z ,;'-]+", run)
    }
    assert [run for run, places in found.items() if len(places) == 1], found


def grep(command: str) -> list[str]:
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.splitlines()
