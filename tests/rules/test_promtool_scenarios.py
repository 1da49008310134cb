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
from tests.mutants import rule_texts
from tests.rules import signal_cases
from tests.rules.our_rules import ALERTS, PERFORMANCE, run
from tests.support.checkout import ROOT

FOLDER = ROOT / "tests" / "rules"
SCENARIOS = sorted(FOLDER.glob("*.test.yml"))
RECORDED = sorted((FOLDER / "recorded").glob("*.test.yml"))  # of recordings that no rule reads
EVERY = rule_texts.load([file.name for file in rules.load()])
SIX = ("quiet", "storm", "recovery", "no traffic", "no data", "counter reset")


@pytest.mark.parametrize("file", [*SCENARIOS, *RECORDED], ids=lambda path: path.name.removesuffix(".test.yml"))
def test_scenarios(file: Path, promtool: Path, tmp_path: Path) -> None:
    """Each with the rule that it is named after, and what that reads: all rules would take six times as long."""
    copy = rule_texts.copied(file, rule_texts.with_what_it_reads(tried_by(file), EVERY), tmp_path)
    outcome = run(promtool, "test", "rules", copy)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@pytest.mark.parametrize("file", [*SCENARIOS, *RECORDED], ids=lambda path: path.name.removesuffix(".test.yml"))
def test_scenarios_can_be_run_by_hand(file: Path) -> None:
    """`promtool test rules FILE` finds each rule that they need, and evaluates it after what it reads."""
    test = yaml.safe_load(file.read_text("utf-8"))
    needed = rules.parse(rule_texts.with_what_it_reads(tried_by(file), EVERY), file)
    found = {path.name for pattern in test["rule_files"] for path in file.parent.glob(pattern)}
    read = {EVERY[rule.name].rule.file.name for group in needed.groups for rule in group.rules}
    assert read <= found, f"write into rule_files of tests/rules/{file.name}: {', '.join(sorted(read - found))}"
    groups = [group.name for group in needed.groups]
    order = [group for group in test.get("group_eval_order", groups[:1]) if group in groups]
    assert order == groups, f"write into group_eval_order of tests/rules/{file.name}, in this order: {groups}"


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


def tried_by(file: Path) -> str:
    """The rule that a file of scenarios is named after: an alert, or the last part of a recording's name."""
    name = file.name.removesuffix(".test.yml")
    found = [each for each in EVERY if each.rpartition(":")[2] == name]
    assert found, f"delete tests/rules/{file.name}, or name it after the alert: there is none of this name"
    return found[0]


def tuned(alert: Alert, factor: float) -> float:
    """Its limit times `factor`; halfway to what its signal cannot exceed, where that is nearer."""
    value, below = alert.limit.value * factor, margins.margin(alert).below
    return value if below is None else min(value, (alert.limit.value + below) / 2)


def test_scenarios_stay_well_clear_of_the_limits(promtool: Path, tmp_path: Path) -> None:
    """With every limit a fifth stricter or looser they end the same: tuning a limit breaks no test."""

    def outcome(factor: float) -> subprocess.CompletedProcess[str]:
        folder = tmp_path / f"{factor}"
        folder.mkdir()
        copies = []
        for path in SCENARIOS:
            alert = ALERTS[tried_by(path)]
            text = rules.with_limit(alert.file.read_text(), alert, tuned(alert, factor))
            changed = {each.rule.name: each.text for each in rule_texts.texts(rules.parse(text, alert.file))}
            only = rule_texts.with_what_it_reads(alert.name, EVERY, {alert.name: changed[alert.name]})
            copies.append(rule_texts.copied(path, only, folder))
        return run(promtool, "test", "rules", *copies)

    with ThreadPoolExecutor(2) as pool:
        for result in pool.map(outcome, (0.8, 1.2)):
            advice = "move the traffic of its quiet or storm away from the limit in tests/rules/ALERT.test.yml"
            assert result.returncode == 0, f"{result.stdout}{result.stderr}\n{advice}"


def test_signals_answer_where_silence_would_mislead(promtool: Path, tmp_path: Path) -> None:
    """No 5xx series is an error share of 0; the first week has as many requests as expected; absence is counted."""
    file = tmp_path / "signals.test.yml"
    recordings = rule_texts.recordings(EVERY)
    (tmp_path / "recordings.yml").write_text(recordings)
    file.write_text(signal_cases.text(ALERTS.values(), "recordings.yml", rule_texts.groups(recordings)))
    outcome = run(promtool, "test", "rules", file)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_signal_cases_are_of_alerts() -> None:
    unknown = signal_cases.cases().keys() - ALERTS.keys()
    assert not unknown, (
        f"take {', '.join(unknown)} out of tests/rules/signals.yml, or correct it: there is no such alert"
    )
