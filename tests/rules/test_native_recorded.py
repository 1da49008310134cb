"""Recordings of buckets, which record a native histogram, and what reads them."""

import json
from pathlib import Path

import pytest

import dashboards
import rules
from rules import RulesError
from tests.rules.test_native import DURATION, GROUP, HISTOGRAMS, NATIVE, RECORDED

OF_RECORDED = {
    "histogram_quantile(0.95, m:rate5m)": "histogram_quantile(0.95, m:rate5m)",
    'histogram_quantile(0.95, m:path:rate5m{path="a"} offset 1d)': (
        'histogram_quantile(0.95, m:path:rate5m{path="a"} offset 1d)'
    ),
    "histogram_quantile(0.95, sum by (le) (m:path:rate5m)) > 3": "histogram_quantile(0.95, sum(m:path:rate5m)) > 3",
    "histogram_quantile(0.95, sum by (path, le) (m:path:rate5m))": (
        "histogram_quantile(0.95, sum by (path) (m:path:rate5m))"
    ),
    'histogram_quantile(0.95, sum({"m:path:rate5m"}) by (le))': 'histogram_quantile(0.95, sum({"m:path:rate5m"}))',
    "histogram_quantile(0.95, sum by (le) (avg_over_time(m:path:rate5m[1h])))": (
        "histogram_quantile(0.95, sum(avg_over_time(m:path:rate5m[1h])))"
    ),
    "max_over_time(histogram_quantile(0.95, m:rate5m)[1h:1m])": (
        "max_over_time(histogram_quantile(0.95, m:rate5m)[1h:1m])"
    ),
    "histogram_quantile(0.95, m:rate5m) and on () sum(increase(m_count[5m])) >= 20": (
        "histogram_quantile(0.95, m:rate5m) and on () sum(histogram_count(increase(m[5m]))) >= 20"
    ),
    "sum by (le) (m:rate15m)": "sum by (le) (m:rate15m)",  # that of somebody else
    # without such a form
    "m:rate5m": None,
    "sum by (le) (m:path:rate5m)": None,
    'm:rate5m{le="500"}': None,
    'histogram_quantile(0.95, m:rate5m{le!="500"})': None,
    "histogram_quantile(0.95, m:rate5m * 2)": None,
    "histogram_quantile(m:rate5m, m:rate5m)": None,
    "histogram_quantile(0.95, sum by (path) (m:path:rate5m))": None,
    "histogram_quantile(0.95, sum without (le) (m:path:rate5m))": None,
    "histogram_quantile(0.95, rate(m:rate5m[5m]))": None,
    "histogram_quantile(0.95, max_over_time(m:rate5m[5m]))": None,
    '{__name__=~"m:.*"}': None,
}


@pytest.mark.parametrize(("classic", "native"), OF_RECORDED.items())
def test_the_native_form_of_what_reads_a_recorded_histogram(classic: str, native: str | None) -> None:
    if native is not None:
        assert rules.native_form(classic, HISTOGRAMS, RECORDED) == native
        return
    with pytest.raises(RulesError, match="has no form for native histograms: it "):
        rules.native_form(classic, HISTOGRAMS, RECORDED)


RATES = f"sum by (le, path) (rate({DURATION}_bucket[5m]))"
READER = """groups:
  - name: api_performance_readers
    interval: 30s
    rules:
      - record: a:first
        expr: |
          {first}
      - record: c:all
        expr: |
          sum by (le) (a:b)
      - record: d:quantile
        expr: |
          {last}
"""


def _two_files(folder: Path, first: str, last: str, name: str = "api_performance_z") -> dict[str, str]:
    """The reader comes before what it reads, by the names of the files and of the recordings."""
    (folder / "a.yml").write_text(READER.format(first=first, last=last))
    (folder / "z.yml").write_text(GROUP.format(name=name, expr=RATES))
    return {one.name: one.expr.strip() for file in rules.load(folder, native=NATIVE) for one in file.recordings}


def test_a_recording_of_buckets_records_a_native_histogram(tmp_path: Path) -> None:
    """Also one made from another; readers in other files and groups know it."""
    last = "histogram_quantile(0.95, {0}) - histogram_quantile(0.5, {1})"
    assert _two_files(tmp_path, "sum by (le) (c:all)", last.format("c:all", "sum by (le) (a:b)")) == {
        "a:b": f"sum by (path) (rate({DURATION}[5m]))",
        "c:all": "sum(a:b)",
        "a:first": "sum(c:all)",
        "d:quantile": last.format("c:all", "sum(a:b)"),
    }
    assert rules.recorded_histograms(tmp_path, native=NATIVE) == {"a:b", "c:all", "a:first"}
    assert not rules.recorded_histograms(tmp_path)


@pytest.mark.parametrize(
    ("first", "last", "line"),
    [
        (
            'a:b{le="100"}',
            "1",
            "a.yml:6: `expr` has no form for native histograms: a:first selects buckets of a:b by le",
        ),
        ("1", "c:all * 2", "a.yml:12: `expr` has no form for native histograms: d:quantile reads c:all other than as"),
    ],
)
def test_what_a_reader_does_otherwise_with_recorded_buckets_is_refused(
    tmp_path: Path, first: str, last: str, line: str
) -> None:
    with pytest.raises(RulesError) as refused:
        _two_files(tmp_path, first, last)
    assert line in str(refused.value)


def test_what_others_record_of_buckets_is_no_native_histogram(tmp_path: Path) -> None:
    """Their rules stay classic, and so does what reads them."""
    found = _two_files(tmp_path, "sum by (le) (a:b)", "1", name="theirs")
    assert (found["a:b"], found["a:first"]) == (RATES, "sum by (le) (a:b)")


def test_an_alert_may_not_end_as_a_histogram(tmp_path: Path) -> None:
    own = next(
        file for file in rules.load() if any(alert.is_house and alert.name != "Watchdog" for alert in file.alerts)
    )
    alert = next(one for one in own.alerts if one.name == "APIP95LatencyCritical")
    signal = next(line for line in own.text.split("\n")[alert.line :] if "histogram_quantile(" in line)
    buckets = signal.partition("histogram")[0] + f"sum by (le) (rate({DURATION}_bucket[5m]))"
    before, _, after = own.text.partition(f"- alert: {alert.name}\n")
    text = before + f"- alert: {alert.name}\n" + after.replace(signal, buckets, 1)
    for file in rules.load():
        (tmp_path / file.name).write_text(text if file.name == own.name else file.text)
    with pytest.raises(
        RulesError, match=rf"{own.name}:{alert.line + 1}: .*{alert.name} reads \S+_bucket other than as"
    ):
        rules.load(tmp_path, native=NATIVE)


def test_panels_know_what_the_rules_beside_them_record(tmp_path: Path) -> None:
    """By the folder of rules that is named: another one may record something else."""
    (tmp_path / "z.yml").write_text(GROUP.format(name="api_performance_z", expr=RATES))
    model = json.loads(dashboards.FILE.read_text("utf-8"))
    panel = next(one for one in model["panels"] if one.get("targets"))

    def drawn(expr: str) -> str:
        panel["targets"][0]["expr"] = expr
        (tmp_path / dashboards.FILE.name).write_text(json.dumps(model))
        board = dashboards.load(tmp_path / dashboards.FILE.name, native=NATIVE, rule_folder=tmp_path)
        return board.panels[0].queries[0]

    assert drawn("histogram_quantile(0.9, sum by (le) (a:b))") == "histogram_quantile(0.9, sum(a:b))"
    with pytest.raises(dashboards.DashboardError, match="a:b other than as histogram_quantile"):
        drawn("sum by (le) (a:b)")
