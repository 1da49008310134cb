"""The scenarios a second time: the same traffic as native histograms, and our rules as they read these."""

from pathlib import Path

import pytest
import yaml

import metrics
import rules
from formats.json_types import JsonObject
from tests.rules import native_series, signal_cases
from tests.rules.our_rules import ALERTS, run
from tests.rules.test_promtool_scenarios import SCENARIOS

CONTRACT = metrics.load()
NATIVE = CONTRACT.of_form("native").native
FILES = {file.name: file for file in rules.load(native=NATIVE)}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with our rule files, as they read native histograms."""
    folder = tmp_path_factory.mktemp("native")
    for file in FILES.values():
        (folder / file.name).write_text(file.text)
    return folder


def as_native(test: JsonObject) -> JsonObject:
    """A file of promtool's tests with native histograms as its input."""
    for one in test["tests"]:
        one["input_series"] = native_series.as_native(one["input_series"], CONTRACT)
        for asked in one.get("promql_expr_test", ()):
            asked["expr"] = rules.native_form(asked["expr"], NATIVE)
    return test


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda path: path.name.removesuffix(".test.yml"))
def test_scenarios_end_the_same_on_native_histograms(file: Path, promtool: Path, written: Path, tmp_path: Path) -> None:
    test = as_native(yaml.safe_load(file.read_text()))
    test["rule_files"] = [str(written / Path(one).name) for one in test["rule_files"]]
    copy = tmp_path / file.name
    copy.write_text(yaml.safe_dump(test, width=10**9))
    outcome = run(promtool, "test", "rules", copy)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_signals_answer_the_same_on_native_histograms(promtool: Path, tmp_path: Path) -> None:
    alerts = rules.alerts(native=NATIVE)
    test = as_native(yaml.safe_load(signal_cases.text(alerts[name] for name in ALERTS)))
    copy = tmp_path / "signals.test.yml"
    copy.write_text(yaml.safe_dump(test, width=10**9))
    outcome = run(promtool, "test", "rules", copy)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_the_scenarios_read_native_histograms() -> None:
    """Else they would hold nothing: no classic series is left in any of them."""
    series = {name for metric in NATIVE for name in CONTRACT.series if name.startswith(f"{metric}_")}
    seen = 0
    for file in SCENARIOS:
        for test in as_native(yaml.safe_load(file.read_text()))["tests"]:
            names = [one["series"].partition("{")[0] for one in test["input_series"]]
            assert not series & {*names}, (file, test["name"])
            seen += sum(name in NATIVE for name in names)
    assert seen > 5 * len(SCENARIOS)


def test_classic_input_does_not_do(promtool: Path, written: Path, tmp_path: Path) -> None:
    """The rules read native histograms alone: on the classic series a storm is not seen."""
    file = next(one for one in SCENARIOS if one.name == "APIP95LatencyHigh.test.yml")
    test = yaml.safe_load(file.read_text())
    test["rule_files"] = [str(written / Path(one).name) for one in test["rule_files"]]
    copy = tmp_path / file.name
    copy.write_text(yaml.safe_dump(test))
    assert run(promtool, "test", "rules", copy).returncode == 1
