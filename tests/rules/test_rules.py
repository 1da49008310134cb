"""The rules as they stand: tried with promtool, and each with a runbook and links."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import metrics
import rules
from ops.replay.recordings import expand
from rules import Alert
from tests.rules.our_rules import ALERTS, PERFORMANCE, run
from tests.support.checkout import ROOT

RUNBOOKS = ROOT / "docs" / "runbooks"
PARTS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
# The alerts of the deployment guide, the one list of them: component, severity, signal, operator and `for` in minutes.
# The limits stand in the rules alone, and a further alert needs no line here.
GUIDE = {
    "APIErrorRateHigh": ("api", "warning", "errors", ">", 5),
    "APIErrorRateCritical": ("api", "critical", "errors", ">", 2),
    "APIErrorBudgetBurnFast": ("api", "critical", "budget", ">", 2),
    "APIErrorBudgetBurnSlow": ("api", "warning", "budget", ">", 60),
    "APIP95LatencyHigh": ("api", "warning", "latency", ">", 10),
    "APIP95LatencyCritical": ("api", "critical", "latency", ">", 5),
    "APIEndpointLatencyHigh": ("api", "warning", "endpoint_latency", ">", 10),
    "APIRequestRateAnomalyLow": ("api", "warning", "traffic", "<", 30),
    "APIMetricsAbsent": ("api", "critical", "traffic", ">", 10),
    "DatabaseQueryLatencyHigh": ("database", "warning", "latency", ">", 10),
    "DatabaseQueryLatencyCritical": ("database", "critical", "latency", ">", 5),
    "DatabaseConnectionPoolUtilizationHigh": ("database", "warning", "pool", ">", 10),
    "DatabasePoolQueueTimeHigh": ("database", "critical", "pool", ">", 5),
    "WebhookProcessingLatencyHigh": ("webhook", "warning", "latency", ">", 10),
    "WebhookProcessingFailuresHigh": ("webhook", "critical", "failures", ">", 5),
}

# ── the rules as they stand ──────────────────────────────────────────────────────────────────────────────────────────


def test_there_are_the_fifteen_alerts_of_the_guide() -> None:
    assert len(GUIDE) == 15
    found = {
        name: (alert.component, alert.severity, alert.labels["signal"], alert.limit.operator, alert.for_ / 60)
        for name, alert in PERFORMANCE.items()
        if name in GUIDE
    }
    assert found == GUIDE, "the deployment guide names these: change GUIDE too if it is meant"
    assert {alert.interval for alert in PERFORMANCE.values()} == {30}


def test_the_watchdog_is_the_only_other_alert_and_always_fires() -> None:
    (watchdog,) = (alert for alert in ALERTS.values() if not alert.is_house)
    assert (watchdog.quantity, watchdog.limit.text, watchdog.for_) == ("vector(1)", "> 0", 0)
    assert watchdog.severity == "none"


@pytest.mark.parametrize("file", rules.load(), ids=lambda file: file.name)
def test_promtool_accepts_it(file: rules.RuleFile, promtool: Path) -> None:
    ours = any(getattr(rule, "is_house", False) for group in file.groups for rule in group.rules)
    lint = ("--lint=all", "--lint-fatal") if ours else ()
    outcome = run(promtool, "check", "rules", *lint, file.path)
    assert outcome.returncode == 0, outcome.stderr


def test_what_is_deployed_is_the_file() -> None:
    for file in rules.load():
        assert file.text.encode() == file.path.read_bytes()


@pytest.mark.parametrize("alert", ALERTS.values(), ids=lambda alert: alert.name)
def test_limit_stands_on_its_own_line(alert: Alert) -> None:
    line = alert.file.read_text().split("\n")[alert.limit_line - 1]
    assert line.strip() == alert.limit.text
    assert alert.expr.strip() == f"{alert.signal}\n{alert.limit.text}"


@pytest.mark.parametrize("alert", ALERTS.values(), ids=lambda alert: alert.name)
def test_links_are_derived_from_the_name(alert: Alert) -> None:
    assert alert.annotations["runbook_url"] == f"https://docs.rsolv.dev/runbooks/{alert.name}"
    assert alert.annotations["dashboard_url"].startswith("https://grafana.rsolv.dev/d/api-performance-baseline")


@pytest.mark.parametrize("alert", ALERTS.values(), ids=lambda alert: alert.name)
def test_prose_names_no_limit_and_only_labels_that_are_there(alert: Alert) -> None:
    measured = expand(alert.quantity, rules.recordings())
    grouping = set(re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", measured))))
    for text in alert.annotations.values():
        assert (
            not re.search(rf"(?<![\w.%]){re.escape(f'{alert.limit.value:g}')}(?![\w.])", text) or not alert.limit.value
        )
        assert {*re.findall(r"\$labels\.(\w+)", text)} <= grouping, text


def test_a_critical_alert_mutes_a_warning_only_of_the_same_thing() -> None:
    """Where component and signal are shared, one is a warning and one is critical, never two of a kind."""
    by_key: dict[tuple[str, str, str], list[str]] = {}
    for alert in (one for one in PERFORMANCE.values() if not one.is_shadow):
        by_key.setdefault((alert.component, alert.labels["signal"], alert.severity), []).append(alert.name)
    for key, names in by_key.items():
        assert len(names) == 1, f"give {' or '.join(names)} another signal or severity: both have {', '.join(key)}"


def test_two_severities_of_one_quantity_have_the_looser_limit_on_the_warning() -> None:
    pairs = [
        (low, high)
        for low in PERFORMANCE.values()
        for high in PERFORMANCE.values()
        if low.quantity == high.quantity and (low.severity, high.severity) == ("warning", "critical")
    ]
    assert len(pairs) >= 3
    assert all(low.limit.value < high.limit.value for low, high in pairs)


def test_recordings_are_named_by_convention_and_stand_apart() -> None:
    recordings = [recording for recording in rules.recordings().values() if recording.is_house]
    assert recordings
    for recording in recordings:
        assert re.fullmatch(r"[a-z_]+:[a-z_]+:[a-z_0-9]+", recording.name)
        assert recording.group != "api_performance"


def test_each_raw_series_is_read_once() -> None:
    """What a recording reads no other rule reads, but a part that labels choose, and whether it is there at all."""

    def read(rule: rules.Rule) -> set[str]:
        found = metrics.selectors(rule.signal if isinstance(rule, Alert) else rule.expr)
        return {one.name for one in found if ":" not in one.name and not one.matchers and "absent" not in one.functions}

    recordings = [recording for recording in rules.recordings().values() if recording.is_house]
    every: list[rules.Rule] = [*recordings, *PERFORMANCE.values()]
    recorded = set[str]().union(*map(read, recordings))
    assert len(recorded) >= 3
    for name in recorded:
        readers = [rule.name for rule in every if name in read(rule)]
        assert len(readers) == 1, f"{' and '.join(readers)} read {name}: let one record it for the others"


def test_the_critical_endpoints_are_the_same_in_each_recording() -> None:
    ours = [one for one in rules.recordings().values() if one.name.startswith("critical_endpoint:")]
    lists = {tuple(selector.matchers.items()) for one in ours for selector in metrics.selectors(one.expr)}
    assert len(ours) >= 2
    assert len(lists) == 1, "list the same endpoints in each recording of critical_endpoint:"


def test_promtool_and_the_parser_agree_on_every_expression(promtool: Path) -> None:
    """Prometheus shows expressions in its own layout: normalised, they are ours."""

    def formatted(expr: str) -> str:
        outcome = run(promtool, "--experimental", "promql", "format", expr)
        assert outcome.returncode == 0, outcome.stderr
        return outcome.stdout

    every = [alert.expr for alert in ALERTS.values()] + [alert.quantity for alert in ALERTS.values()]
    every += [rule.expr for file in rules.load() for group in file.groups for rule in group.rules]
    with ThreadPoolExecutor(4) as pool:
        for expr, theirs in zip(every, pool.map(formatted, every), strict=True):
            assert rules.normalise(theirs) == rules.normalise(expr)


# ── runbooks ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_alerts_and_runbooks_match_one_to_one() -> None:
    there = {path.stem for path in RUNBOOKS.glob("*.md")}
    tasks = [f"write docs/runbooks/{name}.md: {', '.join(PARTS)}" for name in ALERTS if name not in there]
    tasks += [f"delete docs/runbooks/{name}.md: there is no such alert" for name in sorted(there - set(ALERTS))]
    assert not tasks, "; ".join(tasks)


@pytest.mark.parametrize("alert", ALERTS.values(), ids=lambda alert: alert.name)
def test_runbook_says_what_to_do_and_repeats_no_limit(alert: Alert) -> None:
    path = RUNBOOKS / f"{alert.name}.md"
    assert path.is_file(), f"write docs/runbooks/{path.name}: {', '.join(PARTS)}"
    text = path.read_text()
    assert text.startswith(f"# {alert.name}\n")
    parts = re.split(r"^## ", text, flags=re.MULTILINE)
    assert [part.split("\n")[0] for part in parts[1:]] == PARTS
    assert all(len(part) > 100 for part in parts[1:]), "a section says next to nothing"
    prose = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
    assert not re.search(r"\d\s*(ms|%|s\b|seconds|milliseconds|percent)", prose), "limits stand in the rule alone"
