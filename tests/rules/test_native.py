"""Expressions on classic histograms, as they read native ones: the same series, matchers, windows and groups."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import metrics
import rules
from formats.promql import parse
from rules import RulesError
from tests.support.checkout import ROOT

HISTOGRAMS = frozenset({"m", "other_ms"})
CASES = {
    # counts and sums, wherever they stand
    'sum(rate(m_count{s=~"5.."}[5m])) or vector(0)': 'sum(histogram_count(rate(m{s=~"5.."}[5m]))) or vector(0)',
    "sum by (status) (increase(m_count[1h] offset 1w))": "sum by (status) (histogram_count(increase(m[1h] offset 1w)))",
    "sum(rate(m_count[$__rate_interval])) by (status)": "sum(histogram_count(rate(m[$__rate_interval]))) by (status)",
    "rate(m_sum[5m]) / rate(m_count[5m])": "histogram_sum(rate(m[5m])) / histogram_count(rate(m[5m]))",
    "m_sum / m_count > 0": "histogram_sum(m) / histogram_count(m) > 0",
    "a and m_count": "a and histogram_count(m)",
    "a and on () (m_count)": "a and on () (histogram_count(m))",
    "m_count offset -5m + m_count @ start()": "histogram_count(m offset -5m) + histogram_count(m @ start())",
    # subqueries: the outer function sees numbers, as before
    "min_over_time(sum(rate(m_count[30m]))[2h:30m] offset 6d23h)": (
        "min_over_time(sum(histogram_count(rate(m[30m])))[2h:30m] offset 6d23h)"
    ),
    "max_over_time(m_count[5m:1m] offset 1d)": "max_over_time(histogram_count(m)[5m:1m] offset 1d)",
    "rate(m_count[5m:1m])": "histogram_count(rate(m[5m:1m]))",
    # what asks whether there is something
    'absent(m_count{a="b"}) or vector(0)': 'absent(m{a="b"}) or vector(0)',
    "absent((m_bucket))": None,
    "absent((m_count))": "absent((m))",
    "count_over_time(m_count[1h])": "count_over_time(m[1h])",
    # quantiles
    "histogram_quantile(0.95, sum by (le) (rate(m_bucket[5m])))": "histogram_quantile(0.95, sum(rate(m[5m])))",
    "histogram_quantile(0.9, sum by (le, path) (rate(m_bucket[5m])))": (
        "histogram_quantile(0.9, sum by (path) (rate(m[5m])))"
    ),
    "histogram_quantile(0.9, sum by (path,le) (rate(m_bucket[5m])))": (
        "histogram_quantile(0.9, sum by (path) (rate(m[5m])))"
    ),
    "histogram_quantile(0.9, sum(rate(m_bucket[5m])) by (le))": "histogram_quantile(0.9, sum(rate(m[5m])))",
    "histogram_quantile(0.9, sum(rate(m_bucket[5m])) by (le,  a))": "histogram_quantile(0.9, sum(rate(m[5m])) by (a))",
    "histogram_quantile(0.9, sum without (a) (rate(m_bucket[5m])))": (
        "histogram_quantile(0.9, sum without (a) (rate(m[5m])))"
    ),
    "histogram_quantile(0.9, sum by (le) (sum by (le, a) (rate(m_bucket[5m]))))": (
        "histogram_quantile(0.9, sum(sum by (a) (rate(m[5m]))))"
    ),
    "histogram_quantile(0.9, rate(m_bucket[5m]))": "histogram_quantile(0.9, rate(m[5m]))",
    "histogram_quantile(\n  scalar(clamp_max(1 - 2 / sum(increase(m_count[30m])), 0.95)),\n"
    "  sum by (le) (rate(m_bucket[30m]))\n)": (
        "histogram_quantile(\n  scalar(clamp_max(1 - 2 / sum(histogram_count(increase(m[30m]))), 0.95)),\n"
        "  sum(rate(m[30m]))\n)"
    ),
    # names in braces, comments, and what only looks like a series of a histogram
    '{__name__="m_count",a="b"}': 'histogram_count({__name__="m",a="b"})',
    '{"m_count", a="b"} offset 5m': 'histogram_count({"m", a="b"} offset 5m)',
    "x # m_count\n + sum(\n rate(m_count[5m]))": "x # m_count\n + sum(\n histogram_count(rate(m[5m])))",
    'mm_count + m_count_total + sum by (m_count) (x{m_count="m_count"})': (
        'mm_count + m_count_total + sum by (m_count) (x{m_count="m_count"})'
    ),
    "m:ratio_rate5m / x:m_count": "m:ratio_rate5m / x:m_count",
    '{__name__=~"up|a.*"}': '{__name__=~"up|a.*"}',
    # without such a form
    "quantile_over_time(0.5, m_count[5m])": None,
    "m_count[5m]": None,
    "sum by (le) (rate(m_bucket[5m]))": None,
    'sum(rate(m_bucket{le="500"}[5m]))': None,
    "histogram_quantile(0.9, max by (le) (rate(m_bucket[5m])))": None,
    "histogram_quantile(0.9, sum by (a) (rate(m_bucket[5m])))": None,
    "histogram_quantile(0.9, sum without (le) (rate(m_bucket[5m])))": None,
    "histogram_quantile(0.9, sum by (le) (rate(m_bucket[5m])) * 2)": None,
    '{__name__=~"m_.*"}': None,
    '{__name__!="up"}': None,
    "sum by (__name__) (m_count)": None,
    'label_replace(m_count, "a", "$1", "__name__", "(.*)")': None,
    "sum(rate(m_count[5m])": None,
}
FOLDER = ROOT / "rules"
RECORDED = frozenset({"m:rate5m", "m:path:rate5m"})


@pytest.mark.parametrize(("classic", "native"), CASES.items())
def test_the_native_form(classic: str, native: str | None) -> None:
    if native is not None:
        assert rules.native_form(classic, HISTOGRAMS) == native
        assert rules.native_form(native, HISTOGRAMS) == native
        return
    with pytest.raises(RulesError, match="has no form for native histograms: it "):
        rules.native_form(classic, HISTOGRAMS)


LABELS = st.sampled_from(["path", "status", "instance", "method"])
GROUPS = st.lists(LABELS, max_size=3, unique=True)
OPERATORS = st.sampled_from(["+", "/", "or", "and on ()", "> bool", "unless"])
AGGREGATIONS = st.sampled_from(["sum", "max", "avg"])


def expressions(
    matchers: Sequence[str], windows: Sequence[str], whens: Sequence[str], recorded: Sequence[str] = ()
) -> st.SearchStrategy[str]:
    """Random expressions on `HISTOGRAMS`, of what a selector may have: matchers, a range, `offset …` or `@ …`.

    `recorded`: recordings of buckets, of which quantiles are taken too.
    """

    def selector(parts: Sequence[str], *, window: bool) -> st.SearchStrategy[str]:
        return st.builds(
            lambda metric, part, matching, length, when: f"{metric}_{part}{{{', '.join(matching)}}}{length}{when}",
            st.sampled_from(sorted(HISTOGRAMS)),
            st.sampled_from(parts),
            st.lists(st.sampled_from(matchers), max_size=3, unique=True),
            st.sampled_from([f"[{one}]" for one in windows] if window else [""]),
            st.sampled_from(whens),
        )

    counting = st.sampled_from(["rate", "increase", "irate"])
    numbers = st.one_of(
        selector(["count", "sum"], window=False),
        st.builds(lambda name, of: f"{name}({of})", counting, selector(["count", "sum"], window=True)),
        st.just('sum(up{job="x"})'),
    )

    @st.composite
    def quantiles(draw: st.DrawFn) -> str:
        inner = f"rate({draw(selector(['bucket'], window=True))})"
        if bool(recorded) and draw(st.booleans()):
            inner = (
                f"{draw(st.sampled_from(recorded))}{{{draw(st.sampled_from(matchers))}}}{draw(st.sampled_from(whens))}"
            )
        groups: list[str] = draw(GROUPS)
        for _ in range(draw(st.integers(0, 2))):  # what the outer one keeps, the inner one has kept
            clause = f"by ({', '.join(draw(st.permutations(['le', *groups])))})"
            inner = draw(
                st.sampled_from([f"sum {clause} ({inner})", f"avg({inner}) {clause}", f"(sum {clause}({inner}))"])
            )
            groups = groups[1:]
        share = draw(st.one_of(st.just("0.95"), numbers.map(lambda one: f"scalar(1 - 2 / sum({one}))")))
        return f"histogram_quantile({share}, {inner})"

    def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.builds(lambda a, operator, b: f"({a})\n{operator} ({b})", inner, OPERATORS, inner),
            st.builds(lambda name, by, a: f"{name} by ({', '.join(by)}) ({a})", AGGREGATIONS, GROUPS, inner),
            st.builds(lambda a, when: f"max_over_time(({a})[{windows[0]}:]{when})", inner, st.sampled_from(whens)),
            st.builds(lambda a: f"clamp_max({a}, 1) # of m_count\n", inner),
        )

    return st.recursive(st.one_of(numbers, quantiles()), larger, max_leaves=6)


WHEN = re.compile(r"\[[^]]*\]|offset [-\w]+|@ \w+")
MATCHERS = ['path="200"', 'status!="5.."', 'instance=~"a(b|c)"', 'method!~"le, m_count"']
WINDOWS = ["5m", "1h30m", "1d", "2h:30m", "30m:"]
WHENS = ["", " offset 1w", " offset -5m", " @ end()", " offset 1h @ 1700000000"]


@given(expressions(MATCHERS, WINDOWS, WHENS, sorted(RECORDED)))
def test_the_native_form_asks_for_the_same(classic: str) -> None:
    """The same metrics, matchers, groups and functions in the same order, and the same lines."""
    native = rules.native_form(classic, HISTOGRAMS, RECORDED)
    parse(native)
    assert native.count("\n") == classic.count("\n")
    before, after = metrics.selectors(classic), metrics.selectors(native)
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        name, _, part = (old.name, "", "bucket") if old.name in RECORDED else old.name.rpartition("_")
        if name not in HISTOGRAMS | RECORDED:
            assert new == old
            continue
        assert (new.name, new.matchers) == (name, old.matchers)
        added = {"count": "histogram_count", "sum": "histogram_sum"}.get(part)
        assert [one for one in new.functions if one != added] == list(old.functions)
        assert new.functions.count(added or "") == bool(added)
        assert set(new.grouping) == set(old.grouping) - ({"le"} if part == "bucket" else set())
    assert WHEN.findall(native) == WHEN.findall(classic)


NATIVE = metrics.load().of_form("native").native


def test_our_rules_keep_their_limits_and_lines() -> None:
    classic, native = rules.load(), rules.load(native=NATIVE)
    assert [file.name for file in classic] == [file.name for file in native]
    changed = 0
    for before, after in zip(classic, native, strict=True):
        assert before.text.count("\n") == after.text.count("\n")
        for old, new in zip(before.alerts, after.alerts, strict=True):
            assert (old.name, old.line, old.limit, old.limit_line) == (new.name, new.line, new.limit, new.limit_line)
            assert (old.labels, old.annotations, old.for_) == (new.labels, new.annotations, new.for_)
            changed += old.expr != new.expr
        for recorded, recording in zip(before.recordings, after.recordings, strict=True):
            changed += recorded.expr != recording.expr
            assert not {one.name for one in metrics.selectors(recording.expr)} & metrics.load().series.keys() - NATIVE
    assert changed >= 8
    assert rules.recordings(native=NATIVE).keys() == rules.recordings().keys()


def test_without_native_histograms_nothing_changes() -> None:
    for file in rules.load(native=frozenset()):
        assert file.text == (FOLDER / file.name).read_text("utf-8")


GROUP = """groups:
  - name: {name}
    interval: 30s
    rules:
      - record: a:b
        expr: {expr}
"""
DURATION = "phoenix_http_request_duration_milliseconds"


def _load(folder: Path, name: str, expr: str) -> str:
    (folder / "a.yml").write_text(GROUP.format(name=name, expr=expr))
    return rules.load(folder, native=NATIVE)[0].text


def test_rules_of_others_stay_as_they_are(tmp_path: Path) -> None:
    expr = f"quantile_over_time(0.5, {DURATION}_count[5m])"
    assert _load(tmp_path, "theirs", expr) == GROUP.format(name="theirs", expr=expr)


@pytest.mark.parametrize(
    ("expr", "sentence"),
    [
        (
            f"sum by (le) ({DURATION}_bucket)",
            f"a.yml:6: `expr` has no form for native histograms: a:b reads {DURATION}_",
        ),
        (f"sum by (le) (rate({DURATION}_bucket[5m])) * 2", f"a:b reads {DURATION}_bucket other than as histogram_q"),
        (
            f"quantile_over_time(0.5, {DURATION}_count[5m])",
            f"a.yml:6: `expr` has no form for native histograms: a:b takes quantile_over_time() of {DURATION}_count, "
            "which no function gives of a native histogram; write it otherwise, or leave the setting `histograms` as",
        ),
        (
            f"'sum(rate({DURATION}_count[5m]))'",
            "a.yml:6: `expr` must be a literal block (`expr: |`), so that it can be",
        ),
    ],
)
def test_what_has_no_native_form_is_refused_with_its_place(tmp_path: Path, expr: str, sentence: str) -> None:
    with pytest.raises(RulesError) as refused:
        _load(tmp_path, "api_performance_x", expr)
    assert sentence in str(refused.value)


def test_an_expression_in_one_line_or_many(tmp_path: Path) -> None:
    """Comments and spaces stay, in a block and behind the key."""
    wanted = f"sum(histogram_count(rate({DURATION}[5m])))"
    for expr in ("sum(rate(X[5m]))", "sum(rate(X[5m]))  # X", "|\n          # X\n          sum(rate(X[5m]))  \n"):
        classic = GROUP.format(name="api_performance_x", expr=expr.replace("X", f"{DURATION}_count"))
        found = _load(tmp_path, "api_performance_x", expr.replace("X", f"{DURATION}_count"))
        assert found == classic.replace(f"sum(rate({DURATION}_count[5m]))", wanted)
