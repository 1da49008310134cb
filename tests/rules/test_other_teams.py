"""Rule files of other teams in `rules/`: read, proved to run and left alone, whatever their form."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import rules
from components.alert_rules import operator_rules
from components.live.running.wanted import rule_name_of, wanted_rules
from formats.json_types import JsonObject
from ops import cli
from ops.drill import prepare
from rules import RuleFile, RulesError, rule_needs
from tests.rules.other_teams_files import FOLDER, SAMPLES, together
from tests.rules.our_rules import run
from tests.support import past

# ── what is read ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_they_stand_beside_ours_and_change_none_of_them(tmp_path: Path, promtool: Path) -> None:
    files = rules.load(together(tmp_path))
    assert rules.alerts(tmp_path).keys() == rules.alerts().keys() | {"AccountsLoginFailures"}
    assert (
        rules.recordings().items()
        <= {
            name: replace(one, file=rules.FOLDER / one.file.name) for name, one in rules.recordings(tmp_path).items()
        }.items()
    )
    assert sum(len(file.other_alerts) for file in files) == 16
    outcome = run(promtool, "check", "rules", *sorted(tmp_path.iterdir()))
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert {file.name: file.text for file in files} == {p.name: p.read_text("utf-8") for p in tmp_path.iterdir()}


def test_what_an_old_version_does_not_know_of_them_is_said() -> None:
    found = {need.what: need for need in rule_needs.needs([rules.parse(p.read_text(), p) for p in SAMPLES])}
    assert {"limit", "query_offset", "labels", "keep_firing_for", "a UTF-8 label name", "a UTF-8 metric name"} <= {
        *found
    }
    assert found["a UTF-8 metric name"].feature.since == "3.0"


def test_an_alert_of_others_that_has_our_form_can_be_tuned_and_needs_no_runbook(tmp_path: Path) -> None:
    labels = "{severity: critical, component: payments, signal: latency}"
    path = tmp_path / "pay.yml"
    path.write_text(
        "groups:\n- name: pay\n  interval: 1m\n  rules:\n  - alert: PaySlow\n    expr: |\n"
        f"      sum(pay_seconds)\n      > 2\n    labels: {labels}\n",
        "utf-8",
    )
    (found,) = rules.alerts(tmp_path).values()
    assert (found.limit.text, found.severity, found.is_house) == ("> 2", "critical", False)
    assert "> 3" in rules.with_limit(path.read_text("utf-8"), found, 3)


# ── what is refused ──────────────────────────────────────────────────────────────────────────────────────────────────

OTHER = "groups:\n- name: theirs\n  rules:\n  - alert: Theirs\n    expr: up == 0\n"
REFUSED = [
    ("alert: Theirs", "alert: APIErrorRateHigh", "there is another alert APIErrorRateHigh, at "),
    (
        "alert: Theirs",
        "record: api:http_request_errors:budget",
        "there is another recording api:http_request_errors:bu",
    ),
    ("name: theirs", "name: watchdog", "there is another group watchdog, at "),
    ("name: theirs", "name: api_performance", "has no `interval`: add it"),
    ("  rules:", "  rulez:", "unknown key `rulez`: did you mean rules?"),
    ("  rules:", "  partial_response_strategy: warn\n  rules:", "unknown key `partial_response_strategy`"),
    ("  rules:", "  limit: many\n  rules:", "must be a whole number"),
    ("  rules:", "  query_offset: 1 minute\n  rules:", "is no duration"),
    ("up == 0", "up ==", "is not PromQL"),
    ("up == 0", "up[5m]", "is a matrix, and an alert needs a vector or scalar"),
    ("up == 0", "'\"x\"'", "is a string, and an alert needs a vector or scalar"),
    ("up == 0", "''", "is empty: fill it in"),
    ("    expr:", "    for: soon\n    expr:", "is no duration"),
    ("    expr:", "    labels: {__name__: x}\n    expr:", "is set by Prometheus itself"),
    ("    expr:", "    labels: {a: [b]}\n    expr:", "must be a single value"),
    ("    expr:", "    annotations: {a: '{{ end'}\n    expr:", "has a fault in its template"),
    ("    expr:", "    annotations: {a: '{{ humanise 1 }}'}\n    expr:", "no function humanise"),
    ("    expr:", "    record: x\n    expr:", "must have either `alert` or `record`"),
    ("alert: Theirs", "record: 'a{b}'", "must be a metric name"),
    ("groups:\n", "groups: [\n", "is not YAML"),
]


@pytest.mark.parametrize(("old", "new", "words"), REFUSED, ids=[words[:30] for _, _, words in REFUSED])
def test_what_cannot_be_deployed_is_refused_in_one_sentence(
    old: str, new: str, words: str, tmp_path: Path, promtool: Path
) -> None:
    assert old in OTHER
    for path in rules.FOLDER.glob("*.yml"):
        shutil.copy(path, tmp_path / path.name)
    theirs = tmp_path / "theirs.yml"
    theirs.write_text(OTHER, "utf-8")
    assert rules.load(tmp_path)
    theirs.write_text(OTHER.replace(old, new), "utf-8")
    with pytest.raises(RulesError) as refusal:
        rules.load(tmp_path)
    said = str(refusal.value)
    assert words in said and "\n" not in said
    assert re.match(r".*theirs\.yml:\d+: |.*watchdog\.yml:\d+: ", said), said
    if "another" in words or "vector or scalar" in words or "interval" in words:
        return  # Prometheus takes these; the first three are ours to refuse, the others never could be evaluated
    assert run(promtool, "check", "rules", theirs).returncode != 0, "Prometheus takes it, so we should"


def test_two_rules_of_others_may_share_a_name_but_not_with_one_of_ours(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(OTHER)
    (tmp_path / "b.yml").write_text(OTHER.replace("theirs", "more"))
    assert [one.name for file in rules.load(tmp_path) for one in file.other_alerts] == ["Theirs", "Theirs"]
    (tmp_path / "limits.prod.yml").write_text("Theirs: {limit: 1, why: because}\n")
    with pytest.raises(RulesError, match="Theirs has no limit in a line of its own: take the entry out"):
        rules.load(tmp_path, stack="prod")


# ── any file ─────────────────────────────────────────────────────────────────────────────────────────────────────────

NAMES = st.text("aZ0_:. -/#é{", min_size=1, max_size=8)
TEXTS = st.one_of(st.text("ab $1:é-", max_size=8), st.integers(-9, 99), st.booleans(), st.none())
LABELS = st.dictionaries(NAMES, TEXTS, max_size=3)
DURATIONS = st.sampled_from(["0s", "30s", "1h30m", "2y", "0"])
EXPRESSIONS = st.sampled_from(
    [
        *("up == 0", "1", "vector(1)", 'sum by ("a.b") ({"x.y"}) > 2', "rate(x[5m]) > on () group_left () y"),
        *(
            "a > 1 < 2",
            "absent(up)",
            "x{a='b'} offset 5m unless y",
            "-x",
            "max_over_time(x[1h:5m])",
            "time() % 60 > 30",
        ),
    ]
)


ALERTS = st.builds(
    lambda name, expr, more: {"alert": name, "expr": expr, **more},
    NAMES,
    EXPRESSIONS,
    st.fixed_dictionaries(
        {}, optional={"for": DURATIONS, "keep_firing_for": DURATIONS, "labels": LABELS, "annotations": LABELS}
    ),
)
RECORDINGS = st.builds(
    lambda name, expr, more: {"record": name, "expr": expr, **more},
    NAMES,
    EXPRESSIONS,
    st.fixed_dictionaries({}, optional={"labels": LABELS}),
)
GROUP = st.builds(
    lambda name, found, more: {"name": f"theirs {name}", "rules": found, **more},
    NAMES,
    st.lists(st.one_of(ALERTS, RECORDINGS), max_size=4),
    st.fixed_dictionaries(
        {},
        optional={
            "interval": st.sampled_from(["30s", "0s", "1h"]),
            "limit": st.integers(0, 99),
            "labels": LABELS,
            "query_offset": DURATIONS,
        },
    ),
)


@settings(max_examples=60, deadline=None)
@given(groups=st.lists(GROUP, min_size=1, max_size=4, unique_by=lambda group: str(group["name"])))
def test_what_promtool_takes_is_taken_and_what_it_refuses_is_not(
    groups: list[JsonObject], promtool: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yml"
    path.write_text(yaml.safe_dump({"groups": groups}, allow_unicode=True), "utf-8")
    outcome = run(promtool, "check", "rules", path)
    try:
        read: RuleFile | None = rules.parse(path.read_text("utf-8"), path)
    except RulesError as refusal:
        read, said = None, str(refusal)
        assert outcome.returncode, f"promtool takes it, and we say: {said}"
    if read is not None:
        assert outcome.returncode == 0, outcome.stdout + outcome.stderr
        assert sum(len(group.rules) for group in read.groups) == sum(len(group["rules"]) for group in groups)


# ── what the readers of rules say of them ────────────────────────────────────────────────────────────────────────────


@given(names=st.lists(st.text("a#2/", min_size=1, max_size=5), min_size=1, max_size=6))
def test_every_rule_has_a_mark_and_its_name_is_read_back(names: list[str]) -> None:
    text = yaml.safe_dump({"groups": [{"name": "g#2", "rules": [{"alert": one, "expr": "up"} for one in names]}]})
    marks = wanted_rules([rules.parse(text, Path("x.yml"))])
    assert [rule_name_of(key) for key in marks] == [f"g#2/{one}" for one in names]


def test_a_prometheus_rule_of_the_operator_has_texts_where_texts_have_to_be() -> None:
    spec = operator_rules.spec((FOLDER / "odd-forms.yml").read_text("utf-8"))
    first = spec["groups"][0]["rules"]
    assert first[1]["labels"] == {"severity": "2", "paging": "true", "runbook.id": "pay-2", "nothing": ""}
    assert first[3] == {"alert": "Always", "expr": "1", "for": "1y1d"}
    assert operator_rules.spec((FOLDER / "slo-generator.yml").read_text("utf-8"))["groups"][0]["limit"] == 500


@pytest.mark.parametrize("verb", ["tune", "backtest", "diagnose alerts"])
def test_a_verb_that_needs_a_limit_says_so(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "theirs.yml").write_text(OTHER)
    monkeypatch.setattr(rules, "other_alerts", lambda: {one.name: one for one in rules.load(tmp_path)[0].other_alerts})
    past.target(tmp_path / "home", "http://127.0.0.1:9")
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path / "home"))
    assert cli.run([*verb.split(), "Theirs", "--target", "sandbox"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "Theirs has no limit in a last line of its own, or not the labels severity, component and signal, so" in said


def test_an_alert_of_others_can_be_sent_as_a_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "theirs.yml").write_text(OTHER.replace("expr:", "labels: {severity: page}\n    expr:"))
    monkeypatch.setattr(rules, "other_alerts", lambda: {one.name: one for one in rules.load(tmp_path)[0].other_alerts})
    assert {"alertname": "Theirs", "severity": "page"}.items() <= prepare("Theirs", []).labels.items()
