"""Tries mutants: promtool runs the scenarios of each, and one that fails none of them survives."""

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import rules
from ops import build_tools
from ops.errors import OpsError
from rules import Alert, Recording
from tests.mutants import rule_texts
from tests.mutants.mutate import Mutant
from tests.mutants.rule_texts import RuleText
from tests.rules import signal_cases
from tests.support.checkout import ROOT

AT_A_TIME = 2  # processes of promtool
_AT_ONCE = 8  # mutants in one process, at most: its start costs as much as some of them
# The scenarios that see most changes; what none of them sees is tried with all. It halves the time.
_FIRST = "^(begins and ends|what is recorded|just enough)"
_SCENARIOS = ROOT / "tests" / "rules"
_TESTED = re.compile(r"^(?:Unit Testing: |Processing test file:) (.+)$", re.MULTILINE)  # before 3.11, and since
_CHECKED = re.compile(r"^Checking (.+)$", re.MULTILINE)


def survivors(chosen: Sequence[Mutant], every: Mapping[str, RuleText]) -> list[Mutant]:
    """Those that no scenario tells from the rule, in their order. The scenarios have to pass without a change."""
    with TemporaryDirectory(prefix="mutants-") as folder:
        size = min(_AT_ONCE, -(-len(chosen) // AT_A_TIME))
        parts = [chosen[at : at + size] for at in range(0, len(chosen), size or 1)]
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            return [one for alive in pool.map(lambda part: _alive(part, every, Path(folder)), parts) for one in alive]


def must_pass(name: str, every: Mapping[str, RuleText]) -> None:
    """Raises OpsError where scenarios of a rule fail with the rule as it is: no change could be told then."""
    with TemporaryDirectory(prefix="mutants-") as folder:
        tests = _tests(name, every[name].text, every, Path(folder) / "unchanged")
        if failed := [file.name for file, passed in _outcomes("test", tests).items() if not passed]:
            raise OpsError(f"{', '.join(failed)} fails with the rules as they are; correct it first")


def _alive(part: Sequence[Mutant], every: Mapping[str, RuleText], folder: Path) -> list[Mutant]:
    with TemporaryDirectory(dir=folder) as own:
        files = {
            mutant: _tests(mutant.rule.name, mutant.text, every, Path(own) / str(number))
            for number, mutant in enumerate(part)
        }
        alive = [*part]
        for some in ((f"--run={_FIRST}",), ()):
            passed = _outcomes("test", [file for mutant in alive for file in files[mutant]], *some)
            alive = [mutant for mutant in alive if all(passed[file] for file in files[mutant])]
        return alive


def invalid(chosen: Sequence[Mutant], every: Mapping[str, RuleText]) -> list[Mutant]:
    """Those that promtool does not take for rules."""
    with TemporaryDirectory(prefix="mutants-") as folder:
        files: dict[Path, Mutant] = {}
        for number, mutant in enumerate(chosen):
            file = Path(folder) / f"{number}.yml"
            name = mutant.rule.name
            file.write_text(rule_texts.with_what_it_reads(name, every, {name: mutant.text}), "utf-8")
            files[file] = mutant
        return [files[file] for file, passed in _outcomes("check", [*files]).items() if not passed]


def _tests(name: str, text: str, every: Mapping[str, RuleText], folder: Path) -> list[Path]:
    """Writes what tries a rule with `text`: a file of scenarios for each rule that shows it, beside its rules."""
    folder.mkdir(parents=True)
    found = []
    for reader in rule_texts.readers(name, every):
        needed = rule_texts.with_what_it_reads(reader, every, {name: text})
        found.append(rule_texts.copied(scenarios_of(every[reader].rule), needed, folder))
        parsed = rules.parse(needed, every[reader].rule.file)
        changed = [one for one in parsed.alerts if one.name == reader]
        if signals := signal_cases.text(changed, f"{reader}.yml", rule_texts.groups(needed)):
            found.append(folder / f"{reader}.signals.test.yml")
            found[-1].write_text(signals, "utf-8")
    return found


def scenarios_of(rule: Alert | Recording) -> Path:
    """The scenarios of an alert, or of a recording that no rule reads: `budget_left30d` of `api:…:budget_left30d`."""
    if isinstance(rule, Alert):
        return _SCENARIOS / f"{rule.name}.test.yml"
    return _SCENARIOS / "recorded" / f"{rule.name.rpartition(':')[2]}.test.yml"


def _outcomes(what: str, files: Sequence[Path], *options: str) -> dict[Path, bool]:
    """`promtool test rules` or `promtool check rules`: each file → whether it is all right there. Raises OpsError."""
    if not files:
        return {}
    command = [str(build_tools.path("promtool")), what, "rules", *options, *map(str, files)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", check=False)
    found = dict(_spoken(_TESTED if what == "test" else _CHECKED, done.stdout))
    if [*found] != [*map(str, files)]:
        raise OpsError(f"promtool {what} rules did not say how each file is: {done.stdout.strip()[-500:]}")
    return {file: "SUCCESS" in found[str(file)] for file in files}


def _spoken(heading: re.Pattern[str], said: str) -> Iterator[tuple[str, str]]:
    """What promtool says below each heading."""
    parts = heading.split(said)
    yield from zip(parts[1::2], parts[2::2], strict=True)
