"""What has an interval of its own is waited for by that interval, and every sentence leads to a line that is there."""

import json
import re
from dataclasses import replace

import pytest

import dashboards
import metrics
import rules
from dashboards import Panel
from formats.json_types import JsonObject
from ops import targets
from ops.checks import Check, Grace, every_check, failed, findings, passed
from ops.checks.metric_sources import Sources
from ops.sandbox.lifecycle import Sandbox
from tests.support.breaking import extra_rules
from tests.support.waiting import until

NEVER = "52w"  # an interval in which a group is not evaluated while a test runs
REQUESTS = "phoenix_http_request_duration_milliseconds_count"


def recording(group: str, interval: str, name: str, expr: str) -> JsonObject:
    return {"name": group, "interval": interval, "rules": [{"record": name, "expr": expr}]}


def sources(target: targets.Target) -> Sources:
    return Sources(target, metrics.load(), rules.load())


@pytest.fixture
def panel(monkeypatch: pytest.MonkeyPatch) -> Panel:
    """One panel more on the dashboard, of a recording that no rule of the repository makes."""
    board = dashboards.load()
    more = Panel(999, "Late", "", "timeseries", ("test:late",), "short", ())
    monkeypatch.setattr(dashboards, "load", lambda **_: replace(board, panels=(*board.panels, more)))
    return more


def test_a_group_that_is_evaluated_as_late_as_can_be_is_waited_for(
    panel: Panel, target: targets.Target, sandbox: Sandbox
) -> None:
    """At which moment of its interval a group is evaluated follows from its file and name: here, it has just passed.

    So its first evaluation comes a whole interval after it was loaded, and the wait itself is far shorter than that.
    """
    told: list[str] = []
    before, after = (recording("late", "20s", name, "vector(1)") for name in ("test:before", panel.queries[0]))
    with extra_rules(sandbox, target, before):
        until(lambda: evaluated(target, "late"), "the group was not evaluated")
        (sandbox.mounts.rules / "extra.yml").write_text(json.dumps({"groups": [after]}), "utf-8")
        target.prometheus.reload()
        report = every_check.check_until_passed(target, 1, told.append)
    assert [check.status for check in report.checks if check.name == "panel/Late"] == ["pass"]
    assert report.exit_code == 0
    assert "panel/Late" in told[0]
    assert told[0].endswith(" s (group late is evaluated every 20 s, after rsolv-platform is scraped every 1 s) …")


def evaluated(target: targets.Target, group: str) -> bool:
    return any(one.name == group and one.rules[0].health == "ok" for one in target.prometheus.rules())


def test_how_long_a_first_value_may_take(target: targets.Target, sandbox: Sandbox) -> None:
    """All that lies before it is added up: two scrapes for a rate, then every group on the way."""
    scrapes = sources(target).grace(f"rate({REQUESTS}[5m])")
    assert scrapes == Grace(2.0, "rsolv-platform is scraped every 1 s")
    slowest = sources(target).grace("api:http_request_errors:ratio_rate5m + api:http_request_errors:ratio_rate1d")
    assert 77 <= slowest.seconds < 92  # and what an evaluation took last time
    assert slowest.why == (
        "group api_performance_recordings_long is evaluated every 1 min, "
        "after group api_performance_recordings is evaluated every 15 s, after rsolv-platform is scraped every 1 s"
    )
    chain = (
        recording("one", NEVER, "test:one", f"sum({REQUESTS})"),
        recording("two", NEVER, "test:two", "test:one * 2"),
    )
    with extra_rules(sandbox, target, *chain):
        found = sources(target)
        assert found.grace("max(test:two)").seconds == 2 * 52 * 7 * 86400 + 2
        assert found.grace("test:two").why.startswith(
            "group two is evaluated every 364 d, after group one is evaluated"
        )
        assert str(found.early("max(test:two)")).startswith("test:one is not recorded yet: group one, evaluated every ")
    with extra_rules(sandbox, target, recording("itself", NEVER, "test:itself", "test:itself or vector(1)")):
        assert sources(target).grace("test:itself").seconds == 52 * 7 * 86400 + 2


def test_every_sentence_leads_to_a_line_that_is_there(target: targets.Target, sandbox: Sandbox) -> None:
    lines = {check.name for check in every_check.run_checks(target).checks}

    def line(sentence: str) -> str:
        (found,) = re.findall(r"see the line (\S+?)[,;]|see the line (\S+)$", sentence)
        return "".join(found)

    assert line(sources(target).absent(REQUESTS)) == "metric/phoenix_http_request_duration_milliseconds"
    assert line(sources(target).absent("up")) == "scrape-target"
    assert "neither rules/ nor metrics/contract.yml knows it" in sources(target).absent("no_such_metric")
    with extra_rules(sandbox, target, recording("none", "1s", "test:none", f"{REQUESTS} < 0")):
        until(lambda: evaluated(target, "none"), "the group was not evaluated")
        assert sources(target).early("test:none") is None
        said = sources(target).absent("test:none")
    assert said.startswith(
        "group none records test:none, but its expression gives no value; see the line metric/phoenix"
    )
    assert said.endswith(f", then {target.prometheus.url}/rules")
    file = next(file for file in rules.load() if file.recordings)
    path = sandbox.mounts.rules / file.name
    text = path.read_text("utf-8")
    path.unlink()
    try:
        target.prometheus.reload()
        gone = sources(target).absent(file.recordings[0].name)
    finally:
        path.write_text(text, "utf-8")
        target.prometheus.reload()
    assert gone.startswith("Prometheus does not record ")
    assert {line(gone), line(said), "scrape-target"} <= lines


def test_alerts_that_were_not_evaluated_yet_are_not_called_quiet(target: targets.Target, sandbox: Sandbox) -> None:
    alert = {"alert": "DatabaseQueryLatencyHigh", "expr": "vector(1)"}
    with extra_rules(sandbox, target, {"name": "extra", "interval": NEVER, "rules": [alert]}):
        (check,) = (one for one in every_check.run_checks(target).checks if one.name == "alerts")
    assert check.status == "skip"
    assert re.search(
        r"so far, but (1 of them has|\d+ of them have) not been evaluated yet; check again in 364 d$", check.detail
    )


def test_what_fired_before_a_restart_of_prometheus_is_not_called_pending(
    target: targets.Target, sandbox: Sandbox
) -> None:
    """Prometheus knows only after two evaluations for how long an alert has been true."""
    name = "DatabaseQueryLatencyHigh"
    alert = {"alert": name, "expr": "vector(1)", "for": "1h"}
    with extra_rules(sandbox, target, {"name": "extra", "interval": "1s", "rules": [alert]}):
        sandbox.stop("prometheus")
        sandbox.start("prometheus")
        check = until(lambda: found(target, f"alert/{name}"), "the alert is not active")
    assert check.status == "skip"
    assert check.detail.endswith(
        "Prometheus has just started, and it may have been firing before; check again in 1 min"
    )


def found(target: targets.Target, name: str) -> Check | None:
    return next((one for one in every_check.run_checks(target).checks if one.name == name), None)


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_an_interval_that_is_known_only_later_shortens_the_wait(
    monkeypatch: pytest.MonkeyPatch, target: targets.Target
) -> None:
    clock = Clock()
    monkeypatch.setattr(every_check, "time", clock)
    monkeypatch.setattr(
        every_check,
        "run_checks",
        lambda _: findings.Report("sandbox", (failed("x", "", Grace(10 if clock.now > 3 else 600, "so")),)),
    )
    assert every_check.check_until_passed(target, 20, lambda _: None).exit_code == 1
    assert clock.now == pytest.approx(34, abs=every_check.PAUSE)


@pytest.mark.parametrize(
    ("grace", "comes", "ends", "exits"),
    [
        (None, None, 20, 1),
        (None, 10, 10, 0),
        (Grace(60, "so"), None, 80, 1),
        (Grace(60, "so"), 79, 80, 0),
        (Grace(60, "so"), 5, 6, 0),
    ],
)
def test_the_wait_is_as_long_as_what_is_missing_may_take(
    grace: Grace | None,
    comes: float | None,
    ends: float,
    exits: int,
    monkeypatch: pytest.MonkeyPatch,
    target: targets.Target,
) -> None:
    clock, told = Clock(), list[str]()

    def run_checks(_: targets.Target) -> findings.Report:
        there = comes is not None and clock.now >= comes
        checks = (passed("x", "") if there else failed("x", "", grace), passed("y", ""))
        return findings.Report("sandbox", checks)

    monkeypatch.setattr(every_check, "time", clock)
    monkeypatch.setattr(every_check, "run_checks", run_checks)
    assert every_check.check_until_passed(target, 20, told.append).exit_code == exits
    assert clock.now == pytest.approx(ends, abs=every_check.PAUSE)
    assert told[0] == ("waiting for x, up to 1 min 20 s (so) …" if grace else "waiting for x, up to 20 s …")
    assert len(told) == 1 + int(max(0.0, clock.now - every_check.PAUSE) // 16)  # a line every 15 s, said at a look
