"""Which of our alerts fired in a window whose values are recorded: the values of an incident are no normal traffic."""

from collections.abc import Mapping
from dataclasses import dataclass

from formats.durations import humanize
from ops import window as windows
from ops.clients.prometheus import Prometheus
from ops.replay.alert_history import alert_name, fired
from ops.replay.mails import Firing
from ops.window import Window
from ops.words import listed, times
from rules import Alert


@dataclass(frozen=True, slots=True)
class FiredAlert:
    """How often an alert fired (each label set counted), for how many seconds in all, and from when to when.

    `last` is None where it still fired at the window's end.
    """

    name: str
    times: int
    seconds: float
    first: float
    last: float | None

    @property
    def text(self) -> str:
        """`APIP95LatencyHigh (once, 50 min, from 2026-11-23 10:10 UTC)`."""
        whole = " in all" if self.times > 1 else ""
        return (
            f"{self.name} ({times(self.times)}, {humanize(self.seconds)}{whole}, from {windows.stamp(self.first)} UTC)"
        )


@dataclass(frozen=True, slots=True)
class Incidents:
    """What fired of ours in a window, without watchdogs, by the first time. `ran`: for how many seconds the rules ran.

    `since`: when they began to run, None where they did not.
    """

    window: Window
    alerts: tuple[FiredAlert, ...]
    ran: float
    since: float | None

    @property
    def text(self) -> str:
        """The alerts in one line, and for how much of the window that is known."""
        if self.since is None:
            return "unknown, as no rules of ours ran"
        said = ", ".join(one.text for one in self.alerts) or "none"
        return f"{said}; {self._gap}" if self._gap else said

    @property
    def warnings(self) -> list[str]:
        """Sentences on why the values may not be those of normal traffic."""
        found = []
        if self.alerts:
            found.append(
                f"an incident is in the window: {listed([one.text for one in self.alerts])} fired; "
                "unless this is normal, choose another window with --window and --end"
            )
        if self.since is None:
            found.append("nobody can say whether alerts fired in the window, as no rules of ours ran in it")
        elif self._gap:
            found.append(f"whether alerts fired is not known of the whole window: {self._gap}")
        return found

    def as_json(self) -> list[dict[str, object]]:
        """The alerts for programs."""
        return [
            {
                "alert": one.name,
                "times": one.times,
                "seconds": one.seconds,
                "first": windows.iso(one.first),
                "last": windows.iso(one.last) if one.last is not None else None,
            }
            for one in self.alerts
        ]

    @property
    def _gap(self) -> str:
        if self.since is None or self.window.span - self.ran <= max(2 * self.window.step, 0.02 * self.window.span):
            return ""
        ran = f"the rules ran for {humanize(self.ran)} of {humanize(self.window.span)}"
        later = self.since > self.window.start + 2 * self.window.step
        return f"{ran}, from {windows.stamp(self.since)} UTC on" if later else ran


def incidents(prometheus: Prometheus, over: Window, alerts: Mapping[str, Alert]) -> Incidents:
    """Which of `alerts` fired in the window, by Prometheus' series ALERTS. Raises what the client raises.

    A watchdog, which always fires, shows for how long the rules ran; without one they are taken to have run always.
    """
    # at the interval of the rules, so that an alert that fires once is not missed in a long window
    fine = Window(over.start, over.end, min((one.interval for one in alerts.values()), default=over.step))
    by_name: dict[str, list[Firing]] = {}
    for one in fired(prometheus, fine):
        if alert_name(one) in alerts:
            by_name.setdefault(alert_name(one), []).append(one)
    always = {name for name, alert in alerts.items() if alert.is_watchdog}
    watched = [by_name.get(name, []) for name in always]
    found = [_summed(name, firings, over) for name, firings in by_name.items() if name not in always]
    starts = [one.start for firings in watched for one in firings] + [one.first for one in found]
    return Incidents(
        fine,
        tuple(sorted(found, key=lambda one: (one.first, one.name))),
        max((_seconds(firings, over) for firings in watched), default=over.span),
        min(starts, default=None) if watched else over.start,
    )


def _summed(name: str, firings: list[Firing], over: Window) -> FiredAlert:
    ends = [one.end for one in firings]
    return FiredAlert(
        name,
        len(firings),
        _seconds(firings, over),
        min(one.start for one in firings),
        None if None in ends else max(end for end in ends if end is not None),
    )


def _seconds(firings: list[Firing], over: Window) -> float:
    return sum((over.end if one.end is None else one.end) - one.start for one in firings)
