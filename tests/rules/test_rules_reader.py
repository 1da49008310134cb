"""The reader of rule files: what it reads, refuses and rewrites."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rules
from rules import RulesError
from tests.rules.our_rules import run

ONE = """\
groups:
  - name: api_performance
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
          team: sre
        annotations:
          summary: Slow.
          description: It took {{ printf "%.0f" $value }} ms.
          runbook_url: https://example.org/Slow
          dashboard_url: https://example.org/d
"""
LIMIT_LINE = 11
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


def read(text: str) -> rules.RuleFile:
    return rules.parse(text, Path("x.yml"))


def test_reads_an_alert() -> None:
    (alert,) = read(ONE).alerts
    assert (alert.name, alert.group, alert.line, alert.limit_line) == ("Slow", "api_performance", 5, LIMIT_LINE)
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
        (ONE + "---\n" + ONE, 23, "second document"),
        (ONE.replace("\n", "\r\n"), 1, "carriage return"),
        (changed("name: api_performance", "name: &one api_performance"), 2, "anchor"),
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
        (changed("          team: sre\n", ""), 13, "lacks `team`: name the team of .github/CODEOWNERS that owns it"),
        (changed("component: api", "component: api\n          stage: beta"), 16, "is `beta`: write `shadow` for an"),
        (changed("component: api", "component: 5"), 15, "in quotes"),
        (changed("component: api", "component:"), 15, "is empty"),
        (changed("component: api", "'': api"), 15, "an empty name"),
        (changed("component: api", "alertname: x"), 15, "Prometheus itself"),
        (changed("          summary: Slow.\n", ""), 18, "no `summary`"),
        (changed("$value }} ms", "$value ms"), 20, "{{ is not closed"),
        (changed('printf "%.0f" $value', "printf '%.0f $value"), 20, "template"),
        (changed("$value }} ms", "$valeu }} ms"), 20, "$valeu"),
        (changed('printf "%.0f" $value', "humanise $value"), 20, "no function"),
        (changed('printf "%.0f" $value', "if $value"), 20, "{{ if }} is not closed; add {{ end }}"),
        (changed("component: api", "component: '{{ $value }}'"), 15, "put the value into an annotation"),
        (changed("component: api", "component: '{{ .Value | humanize }}'"), 15, "put the value into an annotation"),
        (changed("component: api", "component: '{{ if gt $value 5.0 }}a{{ end }}'"), 15, "put the value into an ann"),
        (changed("https://example.org/Slow", "example.org/Slow"), 21, "URL"),
        (ONE + ONE.split("rules:\n", 1)[1], 23, "another alert Slow"),
        (ONE + ONE.removeprefix("groups:\n"), 23, "name of another group"),
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
    (tmp_path / "b.yml").write_text(ONE.replace("name: api_performance", "name: api_performance_two"))
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
    (tmp_path / "more.yml").write_text(ONE.replace("api_performance", "more"))
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


@pytest.mark.parametrize("depth", [500, 5000, 50_000])
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
