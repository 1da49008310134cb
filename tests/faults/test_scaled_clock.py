"""What a faster clock makes of durations and expressions: by the real clock they say what ours say by that one."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

import routing
import rules
from formats import durations
from ops import build_tools
from ops.clients.prometheus import Sample
from ops.errors import Misconfigured
from ops.faults import scaled_config
from ops.faults.instances import Noise, Traffic
from ops.faults.quiet_traffic import Rhythm
from ops.faults.scaled_clock import Clock
from ops.faults.stages import Stage
from ops.replay.recordings import expand
from ops.sandbox.blocks import write_series
from ops.sandbox.evaluation import evaluating
from routing import tree

DAY = 86400.0
SHOWN = 1_704_844_800.0 + 10 * 3600  # Wednesday, 2024-01-10, 10:00
# Both are multiples of every interval, as ranges with steps begin at such multiples.
CLOCK = Clock(60.0, 1_736_000_000.0 // 86400 * 86400, SHOWN)


def test_durations_are_shortened_to_the_millisecond() -> None:
    assert [CLOCK.shortened(seconds) for seconds in (0, 0.001, 10, 15, 30, 300, 7 * DAY)] == [
        *("0s", "1ms", "167ms", "250ms", "500ms", "5s", "2h48m")
    ]
    assert CLOCK.shows(CLOCK.moment(SHOWN + 90)) == SHOWN + 90
    assert CLOCK.moment(SHOWN + 60) == CLOCK.real + 1


@pytest.mark.parametrize(
    ("ours", "scaled"),
    [
        ('increase(x{a="[5m]"}[5m] offset 1w)', 'increase(x{a="[5m]"}[5s] offset 2h48m)'),
        ("x offset -5m", "x offset -5s"),
        ("max_over_time((x)[1h:1m] @ end() offset 5m)", "max_over_time((x)[1m:1s] @ end() offset 5s)"),
        ("max_over_time(x[1h:])", "max_over_time(x[1m:])"),
        ("sum(irate(x[5m]))", "sum((irate(x[5s]) / 60))"),
        ("predict_linear(x[1h], 3600)", "predict_linear(x[1m], (3600) / 60)"),
    ],
)
def test_an_expression_has_shorter_durations_wherever_they_stand(ours: str, scaled: str) -> None:
    assert rules.normalise(CLOCK.expression(ours)) == rules.normalise(scaled)


def test_a_moment_that_is_written_as_a_number_is_refused() -> None:
    with pytest.raises(Misconfigured, match=r"x @ 1700000000\.000 names a moment, but a clock that runs faster"):
        CLOCK.expression("rate(x[5m] @ 1700000000)")


def by_labels(samples: list[Sample]) -> dict[str, float]:
    return {str(sorted(one.labels.items())): one.value for one in samples}


def test_every_signal_has_the_value_that_it_has_by_the_slow_clock(tmp_path: Path) -> None:
    """The same traffic twice in one database, by both clocks: before a fault, in it, and as working hours end."""
    times = np.unique(
        np.concatenate(
            [
                np.arange(SHOWN - 7 * DAY - 7200, SHOWN - 7 * DAY + 32400, 60.0),
                np.arange(SHOWN - DAY - 7200, SHOWN - 9000, 120.0),
                np.arange(SHOWN - 9000, SHOWN + 30600, 15.0),
            ]
        )
    )
    faults = {"errors": 0.2, "slow": 3000.0, "db_slow": 300.0, "queue": 500.0, "pool_exhausted": 0.9}
    stages = [Stage(SHOWN, SHOWN + 3600, faults | {"webhook_slow": 2000.0, "webhook_failures": 0.3})]
    series = Traffic(times, Rhythm("Europe/Berlin").pace, 3, stages, noise=Noise(1 / 1000, 0.01)).series()
    write_series(tmp_path / "data", series, times)
    write_series(tmp_path / "data", series, CLOCK.real + (times - CLOCK.shown) / CLOCK.speed)
    known, compared = rules.recordings(), 0
    with evaluating(tmp_path / "data", 15.0) as prometheus:
        for alert in rules.alerts().values():
            signal = expand(alert.signal, known)
            for after in (-60.0, 120.0, 1800.0, 3900.0, 7500.0, 7.9 * 3600, 8.1 * 3600):
                slow = by_labels(prometheus.query(signal, SHOWN + after))
                fast = by_labels(prometheus.query(CLOCK.expression(signal), CLOCK.moment(SHOWN + after)))
                assert fast == pytest.approx(slow, rel=1e-6, nan_ok=True), f"{alert.name} after {after:g} s"
                compared += len(slow)
    assert compared > 4 * len(rules.alerts())


def test_prometheus_and_alertmanager_take_the_texts(tmp_path: Path) -> None:
    texts = scaled_config.rule_texts(CLOCK)
    assert texts.keys() == {file.name for file in rules.load()}
    for name, text in texts.items():
        (tmp_path / name).write_text(text, "utf-8")
    done = subprocess.run(
        [build_tools.path("promtool"), "check", "rules", *map(str, tmp_path.glob("*.yml"))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    ours = routing.load().config
    text = scaled_config.alertmanager_text(ours, CLOCK, smarthost="localhost:1", user="me", password_file="/p")
    (tmp_path / "alertmanager.yml").write_text(text, "utf-8")
    done = subprocess.run(
        [build_tools.path("amtool"), "check-config", str(tmp_path / "alertmanager.yml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout


def test_routing_is_the_same_but_for_its_times() -> None:
    ours = routing.load().config
    text = scaled_config.alertmanager_text(ours, CLOCK, smarthost="localhost:1", user="me", password_file="/p")
    scaled = tree.parse(text, "the scaled one")
    for alert in rules.alerts().values():
        for slow, fast in zip(tree.matches(ours, alert.label_set), tree.matches(scaled, alert.label_set), strict=True):
            assert (slow.receiver, slow.path, slow.group_by) == (fast.receiver, fast.path, fast.group_by)
            for name in ("group_wait", "group_interval", "repeat_interval"):
                assert getattr(fast, name) == durations.seconds(CLOCK.shortened(getattr(slow, name)))
    assert scaled["inhibit_rules"] == ours["inhibit_rules"]
    assert scaled["receivers"] == ours["receivers"]
