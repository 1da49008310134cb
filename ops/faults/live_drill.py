"""A drill: a scenario on real servers, by a clock that runs faster. What the alerts did, and who got mail."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import rules
from formats.durations import humanize
from ops.build_tools import Progress
from ops.faults import live_stack
from ops.faults.expectations import Happened, problems
from ops.faults.instances import COUNT
from ops.faults.live_stack import Stack
from ops.faults.scenario_files import Scenario
from ops.faults.stages import DEAD

SPEED = 60.0  # times as fast as the real clock
_AFTERWARDS = 240.0  # seconds of the clock after the fault: the longest group_wait, and a while
_TICK = 0.2  # real seconds between two looks
_DELAY = 2.0  # real seconds by which an alert may be late: the servers and this machine take them at any speed
_PACED = 2.0  # real seconds between two settings of the pace
_MOST_POINTS = 10_000  # Prometheus gives 11,000


@dataclass(frozen=True)
class Drill:
    """What a scenario did at `speed`. `muted`: alert → by which alerts Alertmanager said that it was inhibited.

    `wrong`: what is not as the scenario says, a clause for each.
    """

    scenario: Scenario
    speed: float
    happened: Happened
    muted: Mapping[str, tuple[str, ...]]
    wrong: tuple[str, ...]


def run(scenario: Scenario, home: Path, speed: float, progress: Progress) -> Drill:
    """Run a scenario in the empty folder `home`; nothing runs on.

    Raises SandboxError, ToolError, and what the clients raise.
    """
    with live_stack.running(home, scenario.at, scenario.lasts, speed, progress) as stack:
        live_stack.wait_settled(stack, scenario.at)
        begin = time.time()
        progress(
            f"now: {scenario.what}, for {humanize(scenario.lasts)}, which takes {humanize(scenario.lasts / speed)}"
        )
        muted = _watch(stack, scenario, begin, progress)
        happened = _happened(stack, begin)
    return Drill(scenario, speed, happened, muted, tuple(problems(scenario, happened, _DELAY * speed)))


def _watch(stack: Stack, scenario: Scenario, begin: float, progress: Progress) -> dict[str, tuple[str, ...]]:
    """Let go wrong what the scenario says, until it is over; which alerts Alertmanager mutes meanwhile."""
    muted: dict[str, tuple[str, ...]] = {}
    said = set[str]()
    instances = [_Instance(stack, number) for number in range(COUNT)]
    speed = stack.clock.speed
    while (gone := (time.time() - begin) * speed) < scenario.lasts + _AFTERWARDS:
        for instance in instances:
            instance.set(_faults(scenario, gone, instance.number))
        for alert in stack.prometheus.alerts():
            if alert.state == "firing" and alert.name not in said and alert.labels.get("severity") != "none":
                said.add(alert.name)
                progress(f"  {alert.name} fires after {humanize(gone)}")
        muted |= dict(_muted(stack))
        time.sleep(_TICK)
    return muted


def _muted(stack: Stack) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Which alerts are inhibited now, and by which."""
    held = stack.alertmanager.alerts()
    loud = [one for one in held if not one.inhibited_by]
    for one in held:
        if one.inhibited_by:
            same = [other for other in loud if other.labels.get("signal") == one.labels.get("signal")]
            yield one.labels["alertname"], tuple(dict.fromkeys(other.labels["alertname"] for other in same))


def _faults(scenario: Scenario, gone: float, instance: int) -> dict[str, float]:
    """What is wrong with an instance so many seconds after the beginning."""
    found: dict[str, float] = {}
    for stage in scenario.stages:
        if stage.start <= gone < stage.end and stage.concerns(instance):
            found |= stage.faults
    return found


class _Instance:
    """An instance, and what was last set for it."""

    def __init__(self, stack: Stack, number: int) -> None:
        self.stack, self.number = stack, number
        self._dead = False
        self._set: dict[str, float] = {}
        self._paced = -_PACED

    def set(self, faults: dict[str, float]) -> None:
        """Set these faults where others were set, and the pace now and then."""
        dead = DEAD in faults
        if dead != self._dead:
            (self.stack.kill if dead else self.stack.start)(self.number)
            self._dead, self._paced = dead, -_PACED
        if dead:
            return
        if faults != self._set or time.monotonic() - self._paced > _PACED:
            self.stack.control(self.number, faults)
            self._set, self._paced = faults, time.monotonic()


def _happened(stack: Stack, begin: float) -> Happened:
    """What Prometheus recorded of its alerts, and the mails that came, in seconds of the clock after `begin`."""
    clock, now = stack.clock, time.time()
    step = max(min(alert.interval for alert in rules.alerts().values()) / 2 / clock.speed, (now - begin) / _MOST_POINTS)
    fired: dict[str, float] = {}
    for series in stack.prometheus.query_range('ALERTS{alertstate="firing",severity!="none"}', begin - 1, now, step):
        name, after = series.labels["alertname"], (series.points[0][0] - begin) * clock.speed
        fired[name] = min(after, fired.get(name, after))
    receivers: dict[str, tuple[str, ...]] = {}
    mailed: dict[str, float] = {}
    for mail in stack.mails():
        for name in mail.alerts:
            receivers[name] = tuple(dict.fromkeys((*receivers.get(name, ()), mail.receiver)))
            mailed.setdefault(name, (mail.at - begin) * clock.speed)
    return Happened(dict(sorted(fired.items(), key=lambda one: one[1])), receivers, mailed)
