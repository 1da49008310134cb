"""The scenarios a second time: the same traffic as native histograms, and our rules as they read these."""

import math
import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import pytest
import yaml

import metrics
import rules
from formats.json_types import JsonObject
from ops.replay.recordings import expand
from tests.mutants import rule_texts
from tests.rules import native_series, signal_cases
from tests.rules.our_rules import ALERTS, run
from tests.rules.test_promtool_scenarios import SCENARIOS, tried_by

CONTRACT = metrics.load()
NATIVE = CONTRACT.of_form("native").native
RECORDED = rules.recorded_histograms(native=NATIVE)
SCHEMA = 3  # of exponential buckets: each bound is 2 ** (1 / 2 ** 3) times the one before
EVERY = rule_texts.load([file.name for file in rules.load()], NATIVE)
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
            asked["expr"] = rules.native_form(asked["expr"], NATIVE, recorded=RECORDED)
    return test


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda path: path.name.removesuffix(".test.yml"))
def test_scenarios_end_the_same_on_native_histograms(file: Path, promtool: Path, tmp_path: Path) -> None:
    copy = rule_texts.copied(file, rule_texts.with_what_it_reads(tried_by(file), EVERY), tmp_path)
    copy.write_text(yaml.safe_dump(as_native(yaml.safe_load(copy.read_text())), width=10**9))
    outcome = run(promtool, "test", "rules", copy)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_signals_answer_the_same_on_native_histograms(promtool: Path, tmp_path: Path) -> None:
    alerts = rules.alerts(native=NATIVE)
    recordings = rule_texts.recordings(EVERY)
    (tmp_path / "recordings.yml").write_text(recordings)
    cases = signal_cases.text((alerts[name] for name in ALERTS), "recordings.yml", rule_texts.groups(recordings))
    test = as_native(yaml.safe_load(cases))
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


def exponential(observations: Sequence[float]) -> str:
    """promtool's notation for so many more of these observations each minute, in buckets that grow by 9 %."""
    counts = Counter(math.ceil(math.log2(one) * 2**SCHEMA) for one in observations)
    first = min(counts)
    buckets = " ".join(str(counts[at]) for at in range(first, max(counts) + 1))
    one = f"{{{{schema:{SCHEMA} count:{len(observations)} sum:1 offset:{first} buckets:[{buckets}]}}}}"
    return f"{one}+{one}x30"


def queries(native: Collection[str]) -> str:
    """What the alert on slow queries measures, with what it reads of recordings computed."""
    return expand(rules.alerts(native=native)["DatabaseQueryLatencyHigh"].quantity, rules.recordings(native=native))


@pytest.mark.parametrize(
    "took",
    [[51.0] * 100, [random.Random(17).lognormvariate(4.5, 1) for _ in range(1000)]],
    ids=["all the same", "many"],
)
def test_exponential_buckets_read_closer_than_those_of_the_contract(
    took: list[float], promtool: Path, tmp_path: Path
) -> None:
    """A quantile is at most a bucket from the truth, here 9.1 %."""
    quantity = queries(NATIVE)
    metric = next(iter(metrics.selectors(quantity))).name
    truth = sorted(took)[math.ceil(0.95 * len(took)) - 1]
    asked = f"abs(({quantity}) / {truth} - 1) <= bool {2 ** (1 / 2**SCHEMA) - 1 + 1e-6}"
    _hold(asked, 1, {f'{metric}{{repo="a"}}': exponential(took)}, promtool, tmp_path)


@pytest.mark.parametrize("native", [False, True], ids=["classic", "native with the same buckets"])
def test_the_buckets_of_the_contract_read_240_where_all_take_51(native: bool, promtool: Path, tmp_path: Path) -> None:
    """Between 50 and 250, the two bounds about it, both forms interpolate on a straight line."""
    metric = "rsolv_prom_ex_ecto_query_duration_milliseconds"
    classic = [
        {"series": f'{metric}_bucket{{le="{bound}"}}', "values": f"0+{100 if bound >= 250 else 0}x30"}
        for bound in (*CONTRACT.metrics[metric].buckets, float("inf"))
    ]
    series = native_series.as_native(classic, CONTRACT) if native else classic
    given = {one["series"].replace("inf", "+Inf"): one["values"] for one in series}
    _hold(queries(NATIVE if native else ()), 240, given, promtool, tmp_path)


def _hold(expr: str, value: float, series: Mapping[str, str], promtool: Path, folder: Path) -> None:
    """promtool finds one series without labels, of that value, after 20 minutes of these series."""
    asked = {"expr": expr, "eval_time": "20m", "exp_samples": [{"labels": "{}", "value": value}]}
    given = [{"series": name, "values": values} for name, values in series.items()]
    test = {"rule_files": [], "tests": [{"interval": "1m", "input_series": given, "promql_expr_test": [asked]}]}
    copy = folder / "one.test.yml"
    copy.write_text(yaml.safe_dump(test | {"fuzzy_compare": True}, width=10**9))
    outcome = run(promtool, "test", "rules", copy)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
