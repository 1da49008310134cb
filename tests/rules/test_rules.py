"""The rules: read strictly, tried with promtool, and closed: each alert has scenarios, a runbook and links."""

import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import rules
from ops import build_tools
from rules import Alert, RulesError
from tests.support.checkout import ROOT
from tests.support.waiting import PATIENCE

SCENARIOS = sorted((ROOT / "tests" / "rules").glob("*.test.yml"))
SIX = ("quiet", "storm", "recovery", "no traffic", "no data", "counter reset")
ALERTS = rules.alerts()
PERFORMANCE = {name: alert for name, alert in ALERTS.items() if alert.group == "api_performance"}

ONE = """\
groups:
  - name: one
    interval: 30s
    rules:
      - alert: Slow
        expr: |
          (
            histogram_quantile(0.95, sum by (le) (rate(x_bucket[5m])))
            and on () sum(increase(x_count[5m])) >= 20
          )
          >  1000  # ms
        for: 5m
        labels:
          severity: warning
          component: api
          signal: latency
        annotations:
          summary: Slow.
          description: It took {{ printf "%.0f" $value }} ms.
          runbook_url: https://example.org/Slow
          dashboard_url: https://example.org/d
"""
LIMIT_LINE = 11


@pytest.fixture(scope="session")
def promtool() -> Path:
    return build_tools.path("promtool")


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=PATIENCE, check=False
    )


# ── the rules as they stand ──────────────────────────────────────────────────────────────────────────────────────────


def test_there_are_the_fifteen_alerts_of_the_plan() -> None:
    """Name, component, severity, signal, operator and `for`; the limit itself stands in the rule alone.

    A further alert needs no line here.
    """
    plan = {
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
    found = {
        name: (alert.component, alert.severity, alert.labels["signal"], alert.limit.operator, alert.for_ / 60)
        for name, alert in PERFORMANCE.items()
        if name in plan
    }
    assert found == plan
    assert {alert.interval for alert in PERFORMANCE.values()} == {30}


def test_the_watchdog_is_the_only_other_alert_and_always_fires() -> None:
    (watchdog,) = (alert for alert in ALERTS.values() if alert.group != "api_performance")
    assert (watchdog.quantity, watchdog.limit.text, watchdog.for_) == ("vector(1)", "> 0", 0)
    assert watchdog.severity == "none"


@pytest.mark.parametrize("file", sorted(rules.FOLDER.glob("*.yml")), ids=lambda path: path.name)
def test_promtool_accepts_it(file: Path, promtool: Path) -> None:
    outcome = run(promtool, "check", "rules", "--lint=all", "--lint-fatal", file)
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
    grouping = set(re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", alert.quantity))))
    for text in alert.annotations.values():
        assert (
            not re.search(rf"(?<![\w.%]){re.escape(f'{alert.limit.value:g}')}(?![\w.])", text) or not alert.limit.value
        )
        assert {*re.findall(r"\$labels\.(\w+)", text)} <= grouping, text


def test_a_critical_alert_mutes_a_warning_only_of_the_same_thing() -> None:
    """Where component and signal are shared, one is a warning and one is critical, never two of a kind."""
    by_key: dict[tuple[str, str, str], list[str]] = {}
    for alert in PERFORMANCE.values():
        by_key.setdefault((alert.component, alert.labels["signal"], alert.severity), []).append(alert.name)
    assert all(len(names) == 1 for names in by_key.values()), by_key


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
    recordings = rules.recordings()
    assert recordings
    for recording in recordings.values():
        assert re.fullmatch(r"[a-z_]+:[a-z_]+:[a-z_0-9]+", recording.name)
        assert recording.group != "api_performance"


def test_promtool_and_the_parser_agree_on_every_expression(promtool: Path) -> None:
    """Prometheus shows expressions in its own layout: normalised, they are ours."""

    def formatted(expr: str) -> str:
        outcome = run(promtool, "--experimental", "promql", "format", expr)
        assert outcome.returncode == 0, outcome.stderr
        return outcome.stdout

    every = [alert.expr for alert in ALERTS.values()] + [alert.quantity for alert in ALERTS.values()]
    every += [recording.expr for recording in rules.recordings().values()]
    with ThreadPoolExecutor(4) as pool:
        for expr, theirs in zip(every, pool.map(formatted, every), strict=True):
            assert rules.normalise(theirs) == rules.normalise(expr)


GOOD_TEMPLATES = (
    "plain, with } and { and { { and }}",
    "{{ $value }} {{- $labels.a -}} {{ .Labels.a }} {{ .Value }} {{ $externalURL }}",
    '{{ printf "%.1f }} %s" $value `}}` }}',
    '{{ if gt $value 1.5 }}high{{ else if eq $labels.a "x" }}x{{ else }}low{{ end }}',
    '{{ range query "up" }}{{ .Labels.instance }}={{ .Value }} {{ end }}',
    '{{ with query "up" }}{{ . | first | value | humanizePercentage }}{{ end }}',
    "{{ $x := $value | humanize }}{{ $x }}{{/* a }} comment */}}",
    '{{ (index (query "up") 0).Value }}',
    '{{ $labels.a | title | reReplaceAll "(.*)" "$1" }}',
    '{{- define "t" }}x{{ end }}{{ template "t" }}',
)
BAD_TEMPLATES = (
    "{{ $value",
    "{{ }}",
    "{{ $valeu }}",
    "{{ humanise $value }}",
    "{{ if $value }}",
    "{{ end }}",
    "{{ else }}",
    "{{ ($value }}",
    '{{ "open }}',
    "{{ $value {{ $value }}",
)


@pytest.mark.parametrize(("templates", "good"), [(GOOD_TEMPLATES, True), *(((bad,), False) for bad in BAD_TEMPLATES)])
def test_promtool_and_the_reader_agree_on_templates(
    templates: tuple[str, ...], good: bool, promtool: Path, tmp_path: Path
) -> None:
    every = [ONE.replace('It took {{ printf "%.0f" $value }} ms.', f"'{text}'") for text in templates]
    for text in every:
        if good:
            assert read(text).alerts
        else:
            with pytest.raises(RulesError):
                read(text)
    for number, text in enumerate(every):
        (tmp_path / f"{number}.yml").write_text(text)
    outcome = run(promtool, "check", "rules", *sorted(tmp_path.iterdir()))
    assert (outcome.returncode == 0) is good, outcome.stdout + outcome.stderr


# ── runbooks ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_alerts_and_runbooks_match_one_to_one() -> None:
    assert {path.stem for path in (ROOT / "docs" / "runbooks").glob("*.md")} == set(ALERTS)


@pytest.mark.parametrize("alert", ALERTS.values(), ids=lambda alert: alert.name)
def test_runbook_says_what_to_do_and_repeats_no_limit(alert: Alert) -> None:
    text = (ROOT / "docs" / "runbooks" / f"{alert.name}.md").read_text()
    assert text.startswith(f"# {alert.name}\n")
    parts = re.split(r"^## ", text, flags=re.MULTILINE)
    assert [part.split("\n")[0] for part in parts[1:]] == ["Meaning", "Impact", "Diagnosis", "Mitigation"]
    assert all(len(part) > 100 for part in parts[1:]), "a section says next to nothing"
    prose = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
    assert not re.search(r"\d\s*(ms|%|s\b|seconds|milliseconds|percent)", prose), "limits stand in the rule alone"


# ── scenarios ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda path: path.name.removesuffix(".test.yml"))
def test_scenarios(file: Path, promtool: Path) -> None:
    outcome = run(promtool, "test", "rules", file)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@pytest.mark.parametrize("alert", PERFORMANCE.values(), ids=lambda alert: alert.name)
def test_each_alert_has_all_six_scenarios(alert: Alert) -> None:
    tests = yaml.safe_load((ROOT / "tests" / "rules" / f"{alert.name}.test.yml").read_text())["tests"]
    by_name = {test["name"]: test["alert_rule_test"] for test in tests}
    assert set(SIX) <= set(by_name)
    fires = {name: [bool(check["exp_alerts"]) for check in checks] for name, checks in by_name.items()}
    assert fires["storm"][0] is False and fires["storm"][-1] is True
    assert fires["recovery"][0] is True and fires["recovery"][-1] is False
    assert not any(fires["quiet"] + fires["counter reset"])
    asked = {check["alertname"] for checks in by_name.values() for check in checks}
    assert asked == {alert.name}


def test_scenarios_stay_well_clear_of_the_limits(promtool: Path, tmp_path: Path) -> None:
    """With every limit a fifth stricter or looser they end the same: tuning a limit breaks no test."""

    recordings = next(file for file in rules.load() if file.recordings)

    def outcome(factor: float) -> subprocess.CompletedProcess[str]:
        folder = tmp_path / f"{factor}"
        folder.mkdir()
        (folder / recordings.name).write_text(recordings.text)
        copies = []
        for path in SCENARIOS:
            alert = ALERTS[path.name.removesuffix(".test.yml")]
            text = rules.with_limit(alert.file.read_text(), alert, alert.limit.value * factor)
            only = yaml.safe_load(text)
            only["groups"][0]["rules"] = [rule for rule in only["groups"][0]["rules"] if rule["alert"] == alert.name]
            (folder / f"{alert.name}.yml").write_text(yaml.safe_dump(only))
            read_by_it = [recordings.name] if any(each.name in alert.expr for each in recordings.recordings) else []
            test = yaml.safe_load(path.read_text()) | {"rule_files": [f"{alert.name}.yml", *read_by_it]}
            test["tests"] = [case for case in test["tests"] if case["name"] in ("quiet", "storm", "recovery", "always")]
            copies.append(folder / path.name)
            copies[-1].write_text(yaml.safe_dump(test))
        return run(promtool, "test", "rules", *copies)

    with ThreadPoolExecutor(2) as pool:
        for result in pool.map(outcome, (0.8, 1.2)):
            assert result.returncode == 0, result.stdout + result.stderr


def test_signals_answer_where_silence_would_mislead(promtool: Path, tmp_path: Path) -> None:
    """No 5xx series is an error share of 0; the first week has as many requests as expected; absence is counted."""
    requests = 'phoenix_http_request_duration_milliseconds_count{status="200"}'
    served = [{"series": requests, "values": "0+100x120"}]
    cases = [
        ("APIErrorRateHigh", served, 0),
        ("APIRequestRateAnomalyLow", served, 1),
        ("APIMetricsAbsent", [*served, {"series": 'up{job="rsolv-platform"}', "values": "1x120"}], 0),
        ("APIMetricsAbsent", [], 2),
    ]
    tests = [
        {
            "interval": "1m",
            "input_series": series,
            "promql_expr_test": [
                {
                    "expr": ALERTS[name].quantity,
                    "eval_time": "2h",
                    "exp_samples": [{"labels": "{}", "value": value}],
                }
            ],
        }
        for name, series, value in cases
    ]
    file = tmp_path / "signals.test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [], "tests": tests}))
    outcome = run(promtool, "test", "rules", file)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


# ── the reader ───────────────────────────────────────────────────────────────────────────────────────────────────────


def read(text: str) -> rules.RuleFile:
    return rules.parse(text, Path("x.yml"))


def test_reads_an_alert() -> None:
    (alert,) = read(ONE).alerts
    assert (alert.name, alert.group, alert.line, alert.limit_line) == ("Slow", "one", 5, LIMIT_LINE)
    assert (alert.limit.operator, alert.limit.value, alert.limit.text) == (">", 1000.0, "> 1000")
    assert (alert.interval, alert.for_, alert.keep_firing_for) == (30, 300, 0)
    assert rules.normalise(alert.quantity) == "histogram_quantile(0.95, sum by (le) (rate(x_bucket[5m])))"
    assert (alert.component, alert.severity) == ("api", "warning")


def changed(old: str, new: str) -> str:
    assert old in ONE
    return ONE.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "is empty"),
        ("groups: []\n", 1, "empty list"),
        ("- a\n", 1, "must be a mapping"),
        ("groups:\n\t- name: x\n", 2, "tab"),
        ("groups: [\n", 2, "not YAML"),
        (ONE + "---\n" + ONE, 22, "second document"),
        (ONE.replace("\n", "\r\n"), 1, "carriage return"),
        (changed("name: one", "name: &one one"), 2, "anchor"),
        (changed("30s", "!!str 30s"), 3, "explicit type"),
        (changed("    interval: 30s\n", ""), 2, "has no `interval`"),
        (changed("30s", "30"), 3, "no duration"),
        (changed("30s", "0s"), 3, "zero"),
        (changed("for: 5m", "for: 5 minutes"), 12, "no duration"),
        (changed("for: 5m", "For: 5m"), 12, "unknown key `For`"),
        (changed("for: 5m", "for: 5m\n        for: 6m"), 13, "a second time"),
        (changed("- alert: Slow", "- alrt: Slow"), 5, "unknown key"),
        (changed("alert: Slow", "alert: Slow Thing"), 5, "one word"),
        (changed("expr: |", "expr: >"), 6, "literal block"),
        (changed("  >  1000  # ms", "  >  1000 or vector(1)"), 6, "only the comparison"),
        (changed("  >  1000  # ms", "  > bool 1000"), 6, "only the comparison"),
        (changed("          (\n", "          up and on () up and\n          (\n"), 6, "parentheses"),
        (changed("rate(x_bucket[5m])", "rate(x_bucket)"), 6, "not PromQL"),
        (changed("sum(increase(x_count[5m])) >= 20", "sum(("), 6, "not PromQL"),
        (changed("and on () sum(", "or y and on () sum("), 6, "one side of its `or`"),
        (changed("          (\n", "          up or\n          (\n"), 6, "parentheses"),
        (changed("severity: warning", "severity: Warning"), 14, "routed nowhere"),
        (changed("severity: warning", "severity: none"), 14, "routed nowhere"),
        (changed("          signal: latency\n", ""), 13, "lacks `signal`"),
        (changed("component: api", "component: 5"), 15, "in quotes"),
        (changed("component: api", "component:"), 15, "is empty"),
        (changed("component: api", "my-component: api"), 15, "no name for a label"),
        (changed("component: api", "alertname: x"), 15, "Prometheus itself"),
        (changed("          summary: Slow.\n", ""), 17, "no `summary`"),
        (changed("$value }} ms", "$value ms"), 19, "{{ is not closed"),
        (changed('printf "%.0f" $value', "printf '%.0f $value"), 19, "template"),
        (changed("$value }} ms", "$valeu }} ms"), 19, "$valeu"),
        (changed('printf "%.0f" $value', "humanise $value"), 19, "no function"),
        (changed('printf "%.0f" $value', "if $value"), 19, "{{ if }} is not closed; add {{ end }}"),
        (changed("component: api", "component: '{{ $value }}'"), 15, "put the value into an annotation"),
        (changed("component: api", "component: '{{ .Value | humanize }}'"), 15, "put the value into an annotation"),
        (changed("component: api", "component: '{{ if gt $value 5.0 }}a{{ end }}'"), 15, "put the value into an ann"),
        (changed("https://example.org/Slow", "example.org/Slow"), 20, "URL"),
        (ONE + ONE.split("rules:\n", 1)[1], 22, "another alert Slow"),
        (ONE + ONE.removeprefix("groups:\n"), 22, "name of another group"),
    ],
)
def test_refuses_in_one_sentence_with_its_place(text: str, line: int, words: str) -> None:
    with pytest.raises(RulesError) as caught:
        read(text)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"x.yml:{line}: "), message
    assert words in message, message


def test_whole_folder_is_checked(tmp_path: Path) -> None:
    def refused(words: str) -> None:
        with pytest.raises(RulesError, match=words):
            rules.load(tmp_path)

    refused("no rule file")
    (tmp_path / "a.yml").write_text(ONE)
    assert len(rules.load(tmp_path)) == 1
    (tmp_path / "b.yml").write_text(ONE.replace("name: one", "name: two"))
    refused(r"b\.yml:5: there is another alert Slow, at .*a\.yml:5")
    (tmp_path / "b.yml").rename(tmp_path / "b.yaml")
    refused("would not be deployed")
    (tmp_path / "b.yaml").unlink()
    (tmp_path / "c.yml").write_bytes(b"groups:\n  - name: \xff\n")
    refused(r"c\.yml:2: is not UTF-8")
    (tmp_path / "c.yml").unlink()
    (tmp_path / "d.yml").mkdir()
    refused(r"d\.yml:1: cannot be read")
    with pytest.raises(RulesError, match="no folder"):
        rules.load(tmp_path / "nowhere")


def test_a_further_rule_file_needs_no_python(tmp_path: Path) -> None:
    for file in rules.load():
        (tmp_path / file.name).write_text(file.text)
    (tmp_path / "more.yml").write_text(ONE)
    assert "Slow" in rules.alerts(tmp_path)


@pytest.mark.parametrize(
    ("limit", "written"), [(1200.0, ">  1200  # ms"), (0.025, ">  0.025  # ms"), (1e-7, ">  1e-07  # ms")]
)
def test_a_limit_is_rewritten_in_place(limit: float, written: str) -> None:
    (alert,) = read(ONE).alerts
    before, after = ONE.split("\n"), rules.with_limit(ONE, alert, limit).split("\n")
    assert after[LIMIT_LINE - 1].strip() == written
    assert [line for line in after if line not in before] == [after[LIMIT_LINE - 1]]
    assert read("\n".join(after)).alerts[0].limit.value == limit


def test_a_limit_is_not_rewritten_blindly() -> None:
    (alert,) = read(ONE).alerts
    with pytest.raises(RulesError, match="has changed"):
        rules.with_limit(changed("1000", "900"), alert, 5)
    with pytest.raises(RulesError, match="no limit"):
        rules.with_limit(ONE, alert, float("nan"))


@pytest.mark.parametrize("depth", [100, 5000, 50_000])
@pytest.mark.parametrize("make", [lambda n: "(" * n + "a" + ")" * n, lambda n: "-" * n + "a", lambda n: "a+" * n + "a"])
def test_monstrous_expressions_end_in_a_sentence(make: Callable[[int], str], depth: int) -> None:
    with pytest.raises(RulesError):
        rules.normalise("abs(" + make(depth) + ")" + "+a" * 10)


def mutations() -> Iterator[st.SearchStrategy[str]]:
    position = st.integers(0, len(ONE))
    yield st.builds(lambda at, text: ONE[:at] + text + ONE[at:], position, st.text(max_size=8))
    yield st.builds(lambda at, length: ONE[:at] + ONE[at + length :], position, st.integers(1, 40))
    yield st.builds(
        lambda at, text: ONE[:at] + text + ONE[at:],
        position,
        st.sampled_from(
            ["{{", "}}", "\n", ": ", "- ", "|", ">", "[", "}", "'", '"', "&a ", "*a", "!", "#", "%", "(", "\\"]
        ),
    )
    yield st.text()


@settings(max_examples=100, deadline=None)
@given(st.one_of(*mutations()))
def test_whatever_is_read_ends_in_rules_or_a_rules_error(text: str) -> None:
    try:
        file = read(text)
    except RulesError as error:
        assert re.match(r"x\.yml:\d+: \S", str(error))
        assert "\n" not in str(error)
    else:
        for alert in file.alerts:
            assert alert.limit.text in " ".join(text.split("\n")[alert.limit_line - 1].split())
