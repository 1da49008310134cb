"""A Prometheus with native histograms alone: with the setting all is in order, without it is said what it should be."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import dashboards
import routing
import rules
from ops import build_tools, targets
from ops.checks import Check, live_dashboard, live_rules, metric_presence
from ops.checks.metric_sources import Sources
from ops.clients.prometheus import Prometheus
from ops.diagnosis import alert_coverage, empty_panels, silent_alerts
from ops.diagnosis.case import Case
from ops.targets import Target
from tests.support import past
from tests.support.native_histograms import NATIVE, scraped
from tests.support.waiting import until

pytestmark = pytest.mark.skipif(not build_tools.find("prometheus"), reason="`make tools` brings Prometheus")

READS_CLASSIC = (
    "as a native histogram, and rules and panels read the classic one "
    "({}_bucket), as the setting histograms is classic; set it to native, or"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """With our rules, as the program deploys them there."""
    folder = tmp_path_factory.mktemp("native")
    for file in rules.load(native=NATIVE):
        (folder / file.name).write_text(re.sub(r"interval: \w+", "interval: 1s", file.text))
    with scraped(folder, classic=False, native=True, rule_files=str(folder / "api*.yml")) as server:
        until(lambda: all(map(server.query, rules.recordings(native=NATIVE))), "not all is recorded")
        made = rules.recorded_histograms(native=NATIVE)
        until(lambda: all(server.query(f"histogram_quantile(0.95, {name}) > 0") for name in made))
        yield server


@pytest.fixture
def classic(server: Prometheus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Target:
    """That Prometheus, with the setting's default."""
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path / "home"))
    past.target(tmp_path / "home", server.url)
    return targets.load("sandbox")


@pytest.fixture
def native(classic: Target) -> Target:
    return replace(classic, settings=replace(classic.settings, histograms="native"))


def panels(target: Target) -> empty_panels.Case:
    return empty_panels.load_case(target, None)


def alerts(target: Target) -> Case:
    known = rules.alerts(native=target.native)
    chosen = [one for one in known.values() if not one.is_watchdog]
    return Case(target, chosen, rules.load(native=target.native), routing.load(), named=False)


def wrong(checks: list[Check]) -> list[str]:
    return [f"{one.name}: {one.detail}" for one in checks if one.status == "fail"]


def test_verify_is_in_order(native: Target) -> None:
    files, contract = rules.load(native=native.native), native.contract
    sources = Sources(native, contract, files)
    board = dashboards.load(native=native.native)
    found = [
        *metric_presence.present(native.prometheus, contract, sources),
        *metric_presence.queries(native.prometheus, contract, sources),
        metric_presence.buckets(native.prometheus, contract, rules.alerts(native=native.native), sources),
        *live_dashboard.panels(native, board, sources),
    ]
    assert not wrong(found)
    assert len([one for one in found if one.name.startswith("panel/") and one.status == "pass"]) >= 15
    running = {group.name: group for group in native.prometheus.rules()}
    for file in files:
        for group in file.groups:
            if group.name in running:  # the intervals are those of this test
                own = replace(group, interval=running[group.name].interval)
                assert not live_rules.group_problem(native.prometheus, file, own, list(running.values()))


def test_what_is_recorded_of_buckets_is_a_histogram(native: Target) -> None:
    """Recorded by that Prometheus itself: it has a quantile, and a count, which no series of buckets has."""
    for name in rules.recorded_histograms(native=native.native):
        expr = rules.recordings(native=native.native)[name].expr
        assert native.prometheus.query(f"histogram_quantile(0.95, {name}) > 0 and histogram_count({name}) > 0"), name
        assert not native.prometheus.query(f'{name}{{le!=""}}')
        assert native.prometheus.query(f"histogram_count({expr})"), name


def test_diagnosis_finds_nothing(native: Target) -> None:
    assert empty_panels.metrics_present(panels(native)).status == "pass"
    assert empty_panels.returns_data(panels(native)).status == "pass"
    assert silent_alerts.has_data(alerts(native)).status == "pass"
    end = native.prometheus.query("time()")[0].value
    coverage = alert_coverage.measure(native, (end - 600, end))
    assert not [one for one in coverage.alerts if one.impossible]


def test_the_wrong_setting_is_named(classic: Target) -> None:
    wanted = {histogram: READS_CLASSIC.format(histogram) for histogram in NATIVE}
    requests = wanted["phoenix_http_request_duration_milliseconds"]
    found = metric_presence.present(classic.prometheus, classic.contract, Sources(classic, classic.contract, ()))
    assert len(wrong(found)) == len(NATIVE)
    assert [one for one in wrong(found) if requests in one]
    assert requests in empty_panels.metrics_present(panels(classic)).detail
    said = silent_alerts.has_data(alerts(classic)).detail
    assert [words for words in wanted.values() if words in said]
    end = classic.prometheus.query("time()")[0].value
    coverage = alert_coverage.measure(classic, (end - 600, end))
    # Those that read a histogram itself: what that Prometheus recorded has a quantile, whatever the setting says.
    readers = {one.name: name for one in rules.alerts().values() for name in wanted if f"{name}_bucket" in one.signal}
    assert readers
    for slow in coverage.alerts:
        if slow.alert in readers:
            assert wanted[readers[slow.alert]] in slow.impossible
