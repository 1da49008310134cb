"""What `make mutants` changes, and that a sample of it is seen by the scenarios."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import metrics
import rules
from ops.errors import OpsError
from rules import Alert, Recording
from tests.mutants import __main__, equivalents, mutate, rule_texts, trials
from tests.mutants.equivalents import Equivalent
from tests.mutants.mutate import Mutant
from tests.mutants.rule_texts import RuleText

EVERY = rule_texts.load()
CHANGES = mutate.changes()
MUTANTS = {name: mutate.mutants(text, CHANGES) for name, text in EVERY.items()}
LISTED = {key for entry in equivalents.read() for key in entry.keys}

CHEAP = "DatabaseConnectionPoolUtilizationHigh"  # to try: gauges, in short scenarios

# Kind → whether a rule has what is changed.
HAS: dict[str, Callable[[Alert | Recording], object]] = {
    "comparison": lambda rule: isinstance(rule, Alert) or re.search(r" [<>]=? ", rule.expr),
    "aggregation": lambda rule: re.search(r"\b(?:sum|max)(?: by|\()", rule.expr),
    "aggregation label": lambda rule: re.search(r"\b(?:sum|max)(?: by|\()", rule.expr),
    "window": lambda rule: "[" in rule.expr,
    "step": lambda rule: re.search(r"\[\w+:\w+\]", rule.expr),
    "for": lambda rule: isinstance(rule, Alert) and rule.for_,
    "keep_firing_for": lambda rule: isinstance(rule, Alert) and rule.keep_firing_for,
    "guard": lambda rule: re.search(r"and on \(\w*\)", rule.expr) or re.search(r"> [\d.]+\)", rule.expr),
    "or": lambda rule: re.search(r"\bor\b", rule.expr),
    "rate": lambda rule: re.search(r"\b(?:rate|increase)\(", rule.expr),
    "filter": lambda rule: "{" in rule.expr,
    "function": lambda rule: re.search(r"clamp|(?:min|sum)_over_time", rule.expr),
    "quantile": lambda rule: "histogram_quantile" in rule.expr,
    "objective": lambda rule: rule.name.endswith(":budget"),
    "offset": lambda rule: "offset" in rule.expr,
    "hours and days": lambda rule: "hour()" in rule.expr,
    "metric": lambda rule: {one.name for one in metrics.selectors(rule.expr)} - {"up"},
    "severity": lambda rule: isinstance(rule, Alert),
    "component": lambda rule: isinstance(rule, Alert),
    "signal": lambda rule: isinstance(rule, Alert),
}


def rule(lines: str) -> RuleText:
    """An alert with these lines as its signal, and nothing else that could be changed but its limit and labels."""
    text = f"""\
      - alert: Any
        expr: |
{"".join(f"          {line}{chr(10)}" for line in lines.splitlines())}\
          > 1
        labels: {{severity: warning, component: api, signal: any}}
        annotations: {{summary: for 5m, description: d, runbook_url: https://r, dashboard_url: https://d}}
"""
    whole = f"groups:\n  - name: any\n    interval: 1m\n    rules:\n{text}"
    return RuleText(rules.parse(whole, Path("any.yml")).alerts[0], text)


def made(lines: str, kind: str) -> list[str]:
    return [mutant.what for mutant in mutate.mutants(rule(lines), CHANGES) if mutant.kind == kind]


def test_the_kinds_are_those_of_the_file() -> None:
    assert {change.kind for change in CHANGES} == HAS.keys()


@pytest.mark.parametrize("kind", HAS)
def test_a_kind_changes_each_rule_that_has_such_a_part_and_no_other(kind: str) -> None:
    changed = {name for name, found in MUTANTS.items() if any(mutant.kind == kind for mutant in found)}
    assert changed == {name for name, text in EVERY.items() if HAS[kind](text.rule)}


def test_each_window_and_each_metric_is_changed_by_itself() -> None:
    for name, found in MUTANTS.items():
        kinds = [mutant.kind for mutant in found]
        assert kinds.count("window") == 2 * EVERY[name].rule.expr.count("["), name
        assert len({mutant.key for mutant in found}) == len(found), name


def test_a_rule_without_such_parts_has_none_of_these_changes() -> None:
    found = mutate.mutants(rule("vector(2)"), CHANGES)
    assert {mutant.kind for mutant in found} == {"comparison", "severity", "component", "signal"}
    assert [mutant.what for mutant in found if mutant.kind == "comparison"] == ["limit > → <", "limit > → >="]


def test_what_stands_in_a_text_is_not_taken_for_an_operator() -> None:
    assert made('sum(up{job="a > b or vector(0) and on () hour() >= 8 [5m]"})', "or") == []
    assert made('sum(up{job="a > b"})', "comparison") == ["limit > → <", "limit > → >="]
    assert made('sum(up{job=~"a|b"})', "filter") == [
        '{job=~"a|b"} → nothing',
        "=~ → !~",
        "|b → nothing",
    ]


def test_what_a_change_becomes() -> None:
    assert made("max by (repo) (rate(a_b[5m]))", "aggregation label") == [
        "by (repo) → nothing",
        "nothing → instance,",
    ]
    assert made("sum_over_time(a_b[1d:1h])", "window") == ["[1d:1h] → [6d:1h]", "[1d:1h] → [12h:1h]"]
    assert made("sum_over_time(a_b[1d:1h])", "step") == ["1h] → 6h]", "1h] → 30m]"]
    assert made("rate(a_b[5m]) / rate(a_b[1d])", "window") == [
        "[5m] → [30m]",
        "[5m] → [150s]",
        "[1d] → [6d]",
        "[1d] → [12h]",
    ]
    assert made("(\na_b\nand on () c_d >= 20\n)", "guard") == [
        "and on () c_d >= 20 → nothing",
        "and on () c_d >= 20 → and on () c_d >= 200",
    ]
    assert made("a_b offset 1w", "offset") == ["offset 1w → nothing", "offset 1w → offset 1d"]
    subquery = "min_over_time(a_b[2h:15m])"
    assert made(subquery, "window") == ["[2h:15m] → [12h:15m]", "[2h:15m] → [1h:15m]"]
    assert made(subquery, "step") == ["15m] → 90m]", "15m] → 450s]"]
    assert made(subquery, "function") == ["min_over_time → max_over_time", "min_over_time → avg_over_time"]
    few = "histogram_quantile(scalar(clamp(1 - 3.5 / sum(a_b), 0, 0.95)), c_bucket)"
    assert made(few, "quantile") == ["0.95 → 0.5", "0.95 → 0.99", "3.5 → 4.5", "3.5 → 2.5"]
    assert (made(few, "function"), made(few, "objective")) == (["0 → -1"], [])


def test_what_is_no_rule_is_no_change() -> None:
    """A name that is no number stays out: `can_be` asks the reader of the rules."""
    text = rule("vector(2)")
    assert text.can_be(text.text) and not text.can_be(text.text.replace("vector(2)", "vector("))


def test_promtool_takes_each_change_for_a_rule() -> None:
    assert trials.invalid([mutant for found in MUTANTS.values() for mutant in found], EVERY) == []


def test_a_sample_of_each_kind_is_seen() -> None:
    """One change of each kind, in the first rule that has it."""
    sample: dict[str, Mutant] = {}
    for found in MUTANTS.values():
        for mutant in found:
            if mutant.key not in LISTED:
                sample.setdefault(mutant.kind, mutant)
    assert sample.keys() == HAS.keys()
    alive = trials.survivors([*sample.values()], EVERY)
    assert not alive, "\n".join(__main__.line(mutant) for mutant in alive)


def test_what_no_scenario_sees_survives() -> None:
    (same,) = (mutant for mutant in MUTANTS[CHEAP] if mutant.key in LISTED)
    assert trials.survivors([same], EVERY) == [same]


def test_scenarios_that_fail_anyway_are_named() -> None:
    mutant = next(mutant for mutant in MUTANTS[CHEAP] if mutant.kind == "severity")
    broken = {**EVERY, CHEAP: replace(EVERY[CHEAP], text=mutant.text)}
    with pytest.raises(OpsError, match=rf"{CHEAP}\.test\.yml fails with the rules as they are; correct it first"):
        trials.must_pass(CHEAP, broken)


# ── changes that no scenario can see ──


def test_each_of_them_is_a_change_of_the_rules() -> None:
    every = [mutant for found in MUTANTS.values() for mutant in found]
    assert equivalents.dead(equivalents.read(), every) == []


def test_an_entry_that_is_not_right_any_more_is_named() -> None:
    seen, unseen = MUTANTS[CHEAP][:2]
    entries = [
        Equivalent((CHEAP,), "for", ("7m → 8m",), "because"),
        *(Equivalent((CHEAP,), one.kind, (one.what,), "because") for one in (seen, unseen)),
    ]
    assert equivalents.dead(entries, MUTANTS[CHEAP]) == [
        f"equivalent.yml lists {CHEAP}, for: 7m → 8m, which is no change of the rules; take it out, or correct it"
    ]
    assert equivalents.killed(entries, [seen, unseen], [unseen]) == [
        f"equivalent.yml lists {equivalents.said(seen.key)}, but a scenario fails with it; take it out"
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- {rules: [A], kind: for, what: [a]}", "entry 1 of e.yml cannot be used; give it kind, rules, what, why"),
        ("- {rules: [A], kind: for, what: [a], why: ' '}", "entry 1 of e.yml cannot be used"),
        ("- {rules: [A, A], kind: for, what: [a], why: b}", "e.yml has A, for: a twice; take one out"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "e.yml").write_text(text)
    with pytest.raises(OpsError, match=re.escape(words)):
        equivalents.read(tmp_path / "e.yml")


# ── the command ──


def test_the_table_counts_by_kind() -> None:
    first, second, third = MUTANTS[CHEAP][:3]
    assert {first.kind, second.kind, third.kind} == {"comparison"}
    assert __main__.table([first, second, third], [second, third], [third])[-1].split() == [
        *("all", "3", "1", "1", "1", "50", "%")
    ]


def test_a_name_of_no_rule_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(["APIAnything"]) == 2
    assert re.fullmatch(
        r"APIAnything is none of APIErrorRateHigh, .*; name rules, or none for all\n", capsys.readouterr().err
    )
