"""promtool's scenarios: each alert has them, and they end as written, also with other limits."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

import metrics
import rules
from ops.tuning import margins
from rules import Alert
from tests.rules import signal_cases
from tests.rules.our_rules import ALERTS, PERFORMANCE, as_scenarios_have_it, run
from tests.support.checkout import ROOT

FOLDER = ROOT / "tests" / "rules"
SCENARIOS = sorted(FOLDER.glob("*.test.yml"))
RECORDED = sorted((FOLDER / "recorded").glob("*.test.yml"))  # of recordings that no rule reads
SIX = ("quiet", "storm", "recovery", "no traffic", "no data", "counter reset")


@pytest.mark.parametrize("file", [*SCENARIOS, *RECORDED], ids=lambda path: path.name.removesuffix(".test.yml"))
def test_scenarios(file: Path, promtool: Path, scenarios: Path) -> None:
    outcome = run(promtool, "test", "rules", scenarios / file.relative_to(FOLDER))
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@pytest.mark.parametrize("alert", PERFORMANCE.values(), ids=lambda alert: alert.name)
def test_each_alert_has_all_six_scenarios(alert: Alert) -> None:
    path = ROOT / "tests" / "rules" / f"{alert.name}.test.yml"
    assert path.is_file(), f"write tests/rules/{path.name}: promtool's scenarios {', '.join(SIX)}"
    by_name = {test["name"]: test["alert_rule_test"] for test in yaml.safe_load(path.read_text())["tests"]}
    missing = ", ".join(name for name in SIX if name not in by_name)
    assert not missing, f"write into tests/rules/{path.name} the scenarios that are missing: {missing}"
    fires = {name: [bool(check["exp_alerts"]) for check in checks] for name, checks in by_name.items()}
    assert fires["storm"][0] is False and fires["storm"][-1] is True
    assert fires["recovery"][0] is True and fires["recovery"][-1] is False
    assert not any(fires["quiet"] + fires["counter reset"])
    asked = {check["alertname"] for checks in by_name.values() for check in checks}
    assert asked == {alert.name}


def test_each_recording_that_no_rule_reads_has_scenarios() -> None:
    ours = {name: one for name, one in rules.recordings().items() if one.is_house}
    exprs = [*(one.expr for one in ours.values()), *(alert.expr for alert in ALERTS.values())]
    read = {selector.name for expr in exprs for selector in metrics.selectors(expr)}
    unread = ours.keys() - read
    assert {name.rpartition(":")[2] for name in unread} == {path.name.removesuffix(".test.yml") for path in RECORDED}


def test_hours_that_were_recorded_before_the_requests_were_do_not_count(promtool: Path, tmp_path: Path) -> None:
    """The errors of old hours would be held against the requests of new ones."""
    budget = next(one.expr for name, one in rules.recordings().items() if name.endswith(":budget_left30d"))
    series = {
        "api:http_request_errors:increase1h": "50x4 6x6",  # an hour each
        "api:http_requests:increase1h": "_x5 1000x6",
        rules.BUDGET: "0.01x10",
    }
    test = {
        "interval": "1h",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {"expr": f"round({budget}, 0.0001)", "eval_time": at, "exp_samples": [{"labels": "{}", "value": value}]}
            for at, value in (("4h", 1), ("10h", 0.4))
        ],
    }
    file = tmp_path / "hours.test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [], "tests": [test]}))
    outcome = run(promtool, "test", "rules", file)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def tuned(alert: Alert, factor: float) -> float:
    """Its limit times `factor`; halfway to what its signal cannot exceed, where that is nearer."""
    value, below = alert.limit.value * factor, margins.margin(alert).below
    return value if below is None else min(value, (alert.limit.value + below) / 2)


def test_scenarios_stay_well_clear_of_the_limits(promtool: Path, tmp_path: Path) -> None:
    """With every limit a fifth stricter or looser they end the same: tuning a limit breaks no test."""

    recordings = next(file for file in rules.load() if any(each.is_house for each in file.recordings))
    recordings = as_scenarios_have_it(recordings)

    def outcome(factor: float) -> subprocess.CompletedProcess[str]:
        folder = tmp_path / f"{factor}"
        folder.mkdir()
        (folder / recordings.name).write_text(recordings.text)
        copies = []
        for path in SCENARIOS:
            alert = ALERTS.get(path.name.removesuffix(".test.yml"))
            assert alert, f"delete tests/rules/{path.name}, or name it after the alert: there is none of this name"
            text = rules.with_limit(alert.file.read_text(), alert, tuned(alert, factor))
            only = yaml.safe_load(text)
            only["groups"][0]["rules"] = [rule for rule in only["groups"][0]["rules"] if rule["alert"] == alert.name]
            (folder / f"{alert.name}.yml").write_text(yaml.safe_dump(only))
            read_by_it = [recordings.name] if any(each.name in alert.expr for each in recordings.recordings) else []
            test = yaml.safe_load(path.read_text()) | {"rule_files": [f"{alert.name}.yml", *read_by_it]}
            copies.append(folder / path.name)
            copies[-1].write_text(yaml.safe_dump(test))
        return run(promtool, "test", "rules", *copies)

    with ThreadPoolExecutor(2) as pool:
        for result in pool.map(outcome, (0.8, 1.2)):
            advice = "move the traffic of its quiet or storm away from the limit in tests/rules/ALERT.test.yml"
            assert result.returncode == 0, f"{result.stdout}{result.stderr}\n{advice}"


def test_signals_answer_where_silence_would_mislead(promtool: Path, tmp_path: Path) -> None:
    """No 5xx series is an error share of 0; the first week has as many requests as expected; absence is counted."""
    file = tmp_path / "signals.test.yml"
    file.write_text(signal_cases.text(ALERTS.values()))
    outcome = run(promtool, "test", "rules", file)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_signal_cases_are_of_alerts() -> None:
    unknown = signal_cases.cases().keys() - ALERTS.keys()
    assert not unknown, (
        f"take {', '.join(unknown)} out of tests/rules/signals.yml, or correct it: there is no such alert"
    )
