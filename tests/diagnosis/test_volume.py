"""`diagnose volume`: the loudest alert by Prometheus' own record, and the setting that would cut most of its mails."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

import routing
import rules
from ops import build_tools, cli, targets
from ops import window as windows
from ops.clients.prometheus import ActiveAlert, Series
from ops.diagnosis import mail_volume, tuning_options
from ops.replay import mails
from ops.replay.mails import Firing
from ops.sandbox.lifecycle import Sandbox
from ops.window import Window
from tests.diagnosis.walked import detail
from tests.support.breaking import RULE_FILE
from tests.support.checkout import ROOT
from tests.support.waiting import until

NOISY = "WebhookProcessingFailuresHigh"
DAY = 86400.0


def flapping(alert: rules.Alert, start: float, count: int, every: float, seconds: float) -> list[Firing]:
    labels = tuple(sorted(alert.label_set.items()))
    return [Firing(labels, start + n * every, start + n * every + seconds) for n in range(count)]


@contextmanager
def remembered(sandbox: Sandbox, firings: list[Firing]) -> Iterator[None]:
    """The sandbox's Prometheus has these on disk, to be taken up at once; forgotten when it ends."""
    samples = []
    for one in firings:
        labels = ",".join(f'{name}="{value}"' for name, value in (*one.labels, ("alertstate", "firing")))
        assert one.end is not None
        samples += [f"ALERTS{{{labels}}} 1 {at}" for at in range(round(one.start), round(one.end), 30)]
    text, data = sandbox.home / "firings.om", sandbox.home / "data" / "prometheus"
    text.write_text("\n".join(samples) + "\n# EOF\n", "utf-8")
    before = set(data.iterdir())
    subprocess.run(
        [build_tools.path("promtool"), "tsdb", "create-blocks-from", "--quiet", "openmetrics", text, data], check=True
    )
    try:
        yield
    finally:
        text.unlink()
        for block in set(data.iterdir()) - before:
            if len(block.name) == 26:  # an identifier of a block
                shutil.rmtree(block)
        query, start = f"count_over_time(ALERTS{{alertname='{NOISY}'}}[1h])", firings[0].start
        until(lambda: not sandbox.prometheus.query(query, start + 3600), "not forgotten")


@pytest.mark.parametrize("ago", [0, 30, 59], ids=lambda ago: f"{ago} s before a whole minute")
def test_what_has_only_just_begun_to_fire_is_remembered(
    ago: int, target: targets.Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Prometheus that has evaluated the watchdog once, since the last whole minute."""
    (watchdog,) = (alert for alert in rules.alerts().values() if alert.is_watchdog)
    now = float(60 * (time.time() // 60) - ago)
    labels = {"alertname": watchdog.name, "alertstate": "firing", **watchdog.labels}

    def answer(_query: str, start: float, end: float, step: float, **_: object) -> list[Series]:
        moments = [start + n * step for n in range(round((end - start) / step) + 1)]
        return [Series(labels, tuple((at, 1.0) for at in moments if at > now - 0.5))]

    monkeypatch.setattr(time, "time", lambda: now + 0.4)
    monkeypatch.setattr(target.prometheus, "query_range", answer)
    found = mail_volume.measure(target, windows.period("7d"), 3)
    assert found.diagnosis.exit_code == 0
    assert detail(found.diagnosis, "history").endswith(" UTC only, less than a minute of 7 d")
    assert not found.alerts


def test_rules_that_were_not_evaluated_yet_are_no_fault_and_no_rules_are(
    target: targets.Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = target.prometheus.rules()
    new, evaluated = (
        [replace(group, rules=tuple(replace(rule, health=health) for rule in group.rules)) for group in groups]
        for health in ("unknown", "ok")
    )
    monkeypatch.setattr(target.prometheus, "query_range", lambda *_, **__: [])
    monkeypatch.setattr(target.prometheus, "rules", lambda: new)
    found = mail_volume.measure(target, windows.period("7d"), 3).diagnosis
    assert (found.exit_code, found.links[0].status) == (0, "skip")
    monkeypatch.setattr(target.prometheus, "rules", lambda: evaluated)  # once, and no ALERTS are written yet
    (watchdog,) = (alert for alert in rules.alerts().values() if alert.is_watchdog)
    active = ActiveAlert(watchdog.name, {}, {}, "firing", "", 1.0)
    monkeypatch.setattr(target.prometheus, "alerts", lambda: [active])
    found = mail_volume.measure(target, windows.period("7d"), 3).diagnosis
    assert (found.exit_code, found.links[0].status) == (0, "skip")
    monkeypatch.setattr(target.prometheus, "rules", lambda: [])
    monkeypatch.setattr(target.prometheus, "alerts", lambda: [])
    found = mail_volume.measure(target, windows.period("7d"), 3).diagnosis
    assert (found.exit_code, found.broken) == (1, "history")
    assert found.next == "bin/ops diagnose alerts --target sandbox"


def test_a_window_before_the_first_record_is_not_a_prometheus_that_has_just_started(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SANDBOX_HOME", str(sandbox.home))
    command = ["diagnose", "volume", "--target", "sandbox"]
    assert cli.run([*command, "--window", "2h", "--end", "2020-01-02"]) == 1
    told = capsys.readouterr().out
    assert "has no alert from 2020-01-01 22:00 to 2020-01-02 00:00 UTC, not even the watchdog" in told
    assert "choose another --window or --end" in told
    assert cli.run([*command, "--window", "2m"]) == 2
    assert capsys.readouterr().err == "--window 2m is too short; give at least 10 min\n"


def test_the_loudest_alert_and_what_would_quieten_it(target: targets.Target, sandbox: Sandbox) -> None:
    alert = rules.alerts()[NOISY]
    start = (time.time() - 3 * DAY) // 60 * 60
    # three minutes of every fifteen
    with remembered(sandbox, flapping(alert, start, 30, 900, 180)):
        found = mail_volume.measure(target, windows.period("7d"), 3)

        def taken_up() -> bool:
            nonlocal found
            found = mail_volume.measure(target, windows.period("7d"), 3)
            return any(one.name == NOISY and one.fired == 30 for one in found.alerts)

        until(taken_up, "not taken up")  # the blocks are, one after the other
        loud = next(one for one in found.alerts if one.name == NOISY)
        environment = {**os.environ, "SANDBOX_HOME": str(sandbox.home)}
        command = [sys.executable, "-m", "ops", "diagnose", "volume", "--target", "sandbox"]
        text = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        done = subprocess.run(
            [*command, "--mails-a-day", "20", "--format", "json"],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert loud.mails == 60  # one when it fires and one when it is over, each time
    # a record without marks of staleness counts for five minutes more
    assert 30 * 180 <= loud.seconds <= 30 * (180 + 360)
    assert found.diagnosis.broken == NOISY
    assert detail(found.diagnosis, NOISY).endswith("60 mails, more than 21 is too many")
    best = found.options[0]
    # one incident of 7.5 h: its beginning, its end, and a repeat every two hours
    assert (best.setting, best.old, best.new, best.mails) == ("keep_firing_for", "0 s", "10 min", 5)
    assert found.diagnosis.next == best.next
    assert best.next.startswith(f"set `keep_firing_for` to 10 min in rules/{RULE_FILE}:")
    assert text.returncode == 1
    assert f"First broken link: {NOISY}" in text.stdout
    assert f"Instead of 60 mails, {NOISY} would have sent" in text.stdout
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert answer["broken"] is None
    assert {"name": NOISY, "ours": True, "fired": 30, "mails": 60}.items() <= {
        key: value for one in answer["alerts"] if one["name"] == NOISY for key, value in one.items()
    }.items()
    assert answer["settings"][0]["mails"] == 5


def test_the_settings_replayed(target: targets.Target) -> None:
    alert = rules.alerts()[NOISY]
    config = routing.load().config
    over = Window(0.0, 7 * DAY, 60.0)
    often = flapping(alert, 3600, 10, 500, 200)  # gaps of five minutes: one incident
    before = sum(NOISY in mail.alerts for mail in mails.send(config, often, over.end))
    sent = {lever.setting: lever.mails for lever in tuning_options.variants(target, config, often, alert, over)}
    assert sent["for"] == 0
    assert sent["keep_firing_for"] == 2 < before  # one when it begins, one when it is over
    assert sent["group_wait"] <= before
    long = flapping(alert, 3600, 1, 0, 2 * DAY)
    before = sum(NOISY in mail.alerts for mail in mails.send(config, long, over.end))
    sent = {lever.setting: lever.mails for lever in tuning_options.variants(target, config, long, alert, over)}
    assert min(sent, key=lambda setting: sent[setting]) == "repeat_interval"
    assert sent["repeat_interval"] <= before // 2 + 1


def test_a_longer_for_and_a_longer_keep_firing_for() -> None:
    alert = rules.alerts()[NOISY]
    (one, two, three) = flapping(alert, 100, 3, 100, 60)
    still = Firing(one.labels, 500, None)
    every = [one, two, three, still]
    assert tuning_options.with_longer_for(every, NOISY, 60) == [Firing(one.labels, 560, None)]
    assert tuning_options.with_longer_for(every, "Other", 60) == every
    assert tuning_options.with_longer_keep_firing(every, NOISY, 40) == [Firing(one.labels, 100, 400), still]
    assert tuning_options.with_longer_keep_firing(every, NOISY, 200) == [Firing(one.labels, 100, None)]
    assert tuning_options.with_longer_keep_firing(every, "Other", 60) == every
