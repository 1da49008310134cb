"""What `sandbox scenario` says of the alerts to come holds, and `--already` makes them as old as it says."""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial

import pytest

import rules
from formats import durations
from ops.clients.http import Http
from ops.clients.prometheus import ActiveAlert, Prometheus
from ops.sandbox.expected_alerts import as_lines
from ops.sandbox.forecast import Expected, Forecast, forecast
from ops.sandbox.lifecycle import Sandbox
from ops.window import parse_moment
from tests.sandbox.own_sandbox import ops
from tests.support.checkout import ROOT
from tests.support.waiting import PATIENCE, until

HIGH = rules.alerts()["APIP95LatencyHigh"]
REWRITING = ("writing the past anew", "restarting Prometheus with it")
_DURATION = r"((?:\d+ (?:d|h|min|s) ?)+?)"
_TO_COME = re.compile(rf"  (\w+) +pending in about {_DURATION}, firing in about {_DURATION} \(\d\d:\d\d UTC\)")
_ERROR = re.compile(rf"These times may be up to {_DURATION} early or late")


def seconds(said: str) -> float:
    """`1 min 30 s` → 90."""
    return durations.seconds(said.replace("min", "m").replace(" ", ""))


def active(prometheus: Prometheus, name: str, state: str) -> list[ActiveAlert]:
    return [one for one in prometheus.alerts() if one.name == name and one.state == state]


def first_firing(prometheus: Prometheus, name: str) -> float | None:
    """When the alert began to fire, in seconds since the epoch."""
    found = prometheus.query(f'min_over_time(timestamp(ALERTS{{alertname="{name}",alertstate="firing"}})[15m:1s])')
    return found[0].value if found else None


def test_the_times_that_a_scenario_says_hold(own: Sandbox) -> None:
    try:
        asked = time.time()
        done = ops("sandbox", "scenario", "errors", home=own.home)
        said = time.time()  # the times count from when they are printed, between these two
        assert done.returncode == 0, done.stderr
        error = _ERROR.search(done.stdout)
        assert error is not None, done.stdout
        most = seconds(error[1])
        lines = [(found[1], seconds(found[2]), seconds(found[3])) for found in _TO_COME.finditer(done.stdout)]
        name, pending, firing = min(lines, key=lambda one: one[2])
        until(partial(active, own.prometheus, name, "firing"), f"{name} does not fire", firing + most + PATIENCE)
        began = parse_moment(active(own.prometheus, name, "firing")[0].active_at)
        assert asked + pending - most <= began <= said + pending + most
        fired = until(partial(first_firing, own.prometheus, name))
        assert asked + firing - most <= fired <= said + firing + most
    finally:
        own.control("normal")


def test_already_makes_alerts_as_old_as_it_says(own: Sandbox) -> None:
    before = own.state
    assert before is not None
    try:
        done = ops("sandbox", "scenario", "slow", "--already", "1800", home=own.home)
        began = time.time() - 1800
        assert done.returncode == 0, done.stderr
        assert done.stderr.splitlines() == [*REWRITING, "computing when alerts fire"]
        assert "begun 30 min ago" in done.stdout
        assert re.search(rf"  {HIGH.name} +firing for about \d+ min", done.stdout)
        prometheus = own.prometheus
        (one,) = until(partial(active, prometheus, HIGH.name, "firing"), f"{HIGH.name} does not fire", 2 * PATIENCE)
        # The P95 crosses the limit within the first samples; the last ones are from before the restart.
        assert parse_moment(one.active_at) == pytest.approx(began, abs=2 * HIGH.interval)
        age = time.time() - parse_moment(one.active_at) - HIGH.for_
        assert age >= 1800 - HIGH.for_ - 2 * HIGH.interval
        past = began + 900
        assert prometheus.query(HIGH.expr, past), "the traffic itself is that old"
        assert prometheus.query(f'ALERTS{{alertname="{HIGH.name}",alertstate="firing"}}', past)
        assert own.state is not None
        assert own.state.prometheus_url == before.prometheus_url
        assert {file.name for file in (own.home / "data").iterdir()} == {"alertmanager", "prometheus"}
    finally:
        own.control("normal")


@pytest.mark.parametrize("line", REWRITING)
def test_an_interrupt_leaves_the_past_and_the_scenario_as_they_were(own: Sandbox, line: str) -> None:
    state = own.state
    assert state is not None
    own.control("webhook_slow")
    marks = sorted(one.labels["job"] for one in own.prometheus.query("count by (job) (up)"))
    command = [sys.executable, "-m", "ops", "sandbox", "scenario", "down", "--already", "10m"]
    environment = {**os.environ, "SANDBOX_HOME": str(own.home)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        while process.stderr.readline().strip() != line:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        printed, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, said
    assert printed == ""
    assert "Traceback" not in said
    with Http(state.application_url, name="the application") as http:
        assert list(http.get_json("/control")["scenarios"]) == ["webhook_slow"]
    assert own.ended == []
    until(own.prometheus.ready)
    assert sorted(one.labels["job"] for one in own.prometheus.query("count by (job) (up offset 5s)")) == marks
    assert {file.name for file in (own.home / "data").iterdir()} == {"alertmanager", "prometheus"}
    own.control("normal")


def test_the_times_follow_from_the_rule_and_the_traffic() -> None:
    def first(alert: rules.Alert, intensity: float = 0.1, already: float = 0.0) -> Expected:
        (found,) = forecast({"errors": intensity}, 7200, already=already, alerts=[alert]).expected
        return found

    alert = replace(rules.alerts()["APIErrorRateHigh"], for_=300.0, interval=15.0)
    usual = first(alert)
    assert usual.firing is not None
    assert usual.firing - usual.pending == 300
    longer = first(replace(alert, for_=600.0))
    assert longer.firing is not None
    assert longer.firing - longer.pending == 600
    half_hour = (f"sum_over_time(api:{one}:increase5m[30m])" for one in ("http_request_errors", "http_requests"))
    wider = first(replace(alert, signal=" / ".join(half_hour)))
    assert wider.pending > usual.pending, "a wide window takes longer to fill"
    assert first(alert, 0.9).pending <= usual.pending
    past = first(alert, already=1200)
    most = usual.spread + past.spread + alert.interval
    assert past.pending == pytest.approx(usual.pending - 1200, abs=most)


def test_what_never_crosses_its_limit_is_not_expected() -> None:
    found = forecast({"errors": 0.0}, 7200, alerts=[rules.alerts()["APIErrorRateCritical"]])
    assert found.expected == ()
    assert as_lines(found, [], already=False) == [
        f"No alert will be pending by it within {durations.humanize(found.ahead)}, as far as was looked ahead."
    ]


def test_an_alert_that_is_active_already_is_said_to_be() -> None:
    now = 1_800_000_000.0
    found = Forecast((Expected(replace(HIGH, for_=600.0), 20.0, 620.0),), 10_800.0, now)

    def line(state: str, ago: float) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - ago))
        return as_lines(found, [ActiveAlert(HIGH.name, {}, {}, state, moment, 1.0)], already=False, now=now)[0]

    assert line("firing", 900) == f"  {HIGH.name}  is firing already"
    assert line("pending", 120) == f"  {HIGH.name}  pending for about 2 min, firing in about 8 min (08:08 UTC)"
    never = as_lines(Forecast((Expected(HIGH, 20.0, None),), 10_800.0, now - 5), [], already=False, now=now)
    assert never[0] == f"  {HIGH.name}  pending in about 15 s, firing later than in 3 h"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("slow", "--already", "7h"), "--already 7h is no duration up to 6 h; give one such as 2h or 30m, or 0\n"),
        (("errors", "--intensity", "2"), "--intensity 2 of errors is no number from 0 to 1\n"),
        (("nonesuch",), "there is no scenario 'nonesuch'; known are normal, errors"),
    ],
)
def test_a_wrong_scenario_is_one_sentence(own: Sandbox, arguments: tuple[str, ...], sentence: str) -> None:
    done = ops("sandbox", "scenario", *arguments, home=own.home)
    assert done.returncode == 2
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1
