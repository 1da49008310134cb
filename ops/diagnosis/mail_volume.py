"""Diagnosis of too many mails: which alerts send them, and which change of a setting would avoid most."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import rules
from formats.durations import humanize
from ops import window as windows
from ops.checks import Check, failed, passed, skipped
from ops.diagnosis.chain import Diagnosis, verb_command
from ops.diagnosis.tuning_options import TuningOption, tuning_options
from ops.options import console
from ops.replay import mails
from ops.replay.alert_history import alert_name, fired
from ops.replay.mails import Firing
from ops.targets import Target
from ops.window import DAY, MINUTE, Window
from ops.words import count_noun, times
from rules import Alert

STEP = 60.0  # seconds between two samples of ALERTS; an alert that fires for less may be missed
SHORTEST, LONGEST = 10 * MINUTE, 90 * DAY  # a window
_NOW = 2 * MINUTE  # a window that ended less long ago ends now


@dataclass(frozen=True)
class AlertVolume:
    """How often an alert fired (each label set counted), for how many seconds in all, and in how many mails it was."""

    name: str
    ours: bool
    fired: int
    seconds: float
    mails: int


@dataclass(frozen=True)
class Volume:
    """What fired from `start` to `end` (seconds since the epoch). `since`: the first alert in Prometheus' data."""

    start: float
    end: float
    since: float | None
    alerts: Sequence[AlertVolume]
    options: Sequence[TuningOption]  # for our alert with most mails; fewest mails first
    diagnosis: Diagnosis

    def as_json(self) -> dict[str, object]:
        """The result for programs."""
        return self.diagnosis.as_json() | {
            "from": windows.iso(self.start),
            "to": windows.iso(self.end),
            "remembered_since": windows.iso(self.since) if self.since is not None else None,
            "alerts": [
                {"name": one.name, "ours": one.ours, "fired": one.fired, "seconds": one.seconds, "mails": one.mails}
                for one in self.alerts
            ],
            "settings": [
                {"setting": one.setting, "from": one.old, "to": one.new, "mails": one.mails, "next": one.next}
                for one in self.options
            ],
        }


def measure(target: Target, between: tuple[float, float], most: float) -> Volume:
    """The volume between two moments (seconds since the epoch); more than `most` mails a day are too many for an alert.

    Raises what the clients raise, and errors of the data packages.
    """
    start, end = between[0], float(int(between[1]))  # not rounded to a minute, so that alerts of the last seconds count
    over = Window(end - round((end - start) / STEP) * STEP, end, STEP)
    config = target.alertmanager.status().config
    known = rules.alerts(stack=target.name, native=target.native)
    firings = mails.arriving(target.prometheus.sender(), fired(target.prometheus, over))
    since = min((one.start for one in firings), default=None)
    found = volumes(config, firings, known, over)
    noise = [one for one in found if one.ours]
    checks = [_history(target, since, over), *(_volume_check(one, most * max(over.span / DAY, 1.0)) for one in found)]
    worst = next((one for one in noise if one.mails), None)
    options: list[TuningOption] = []
    if worst is not None:
        alert = known[worst.name]
        quieter = (one for one in tuning_options(target, config, firings, alert, over) if one.mails < worst.mails)
        options = sorted(quieter, key=lambda one: one.mails)
    broken = next((check.name for check in checks if check.status == "fail"), None)
    next_ = None
    if broken is not None:
        onward = "diagnose alerts" if worst is None else f"tune {worst.name} --dry-run"
        next_ = options[0].next if options else verb_command(target, onward)
    diagnosis = Diagnosis(target.name, "volume", tuple(checks), broken, next_, incomplete=False)
    return Volume(over.start, over.end, since, found, options, diagnosis)


def volumes(
    config: Mapping[str, object], firings: Sequence[Firing], known: Mapping[str, Alert], over: Window
) -> list[AlertVolume]:
    """The alerts that fired, most mails first, without watchdogs."""
    sent = mails.send(config, firings, over.end)
    found = []
    for name in {alert_name(one) for one in firings}:
        if name in known and known[name].is_watchdog:
            continue
        own = [one for one in firings if alert_name(one) == name]
        seconds = sum((over.end if one.end is None else one.end) - one.start for one in own)
        found.append(AlertVolume(name, name in known, len(own), seconds, sum(name in mail.alerts for mail in sent)))
    return sorted(found, key=lambda one: (-one.mails, -one.fired, one.name))


def show_options(found: Volume) -> None:
    """Print for people how many mails each option would have left."""
    if not found.options:
        return
    worst = next(one for one in found.alerts if one.ours)
    out = console()
    out.print(
        f"Instead of {count_noun(worst.mails, 'mail')}, {worst.name} would have sent, with one of these settings:",
        markup=False,
    )
    width = max(len(one.setting) for one in found.options)
    for one in found.options:
        out.print(f"  {one.mails:>5}  {one.setting.ljust(width)}  {one.old} → {one.new}   {one.next}", markup=False)


def _history(target: Target, since: float | None, over: Window) -> Check:
    """For how much of the window Prometheus has alerts: the watchdog, which always fires, shows it."""
    name = "history"
    if since is None:
        where = f"Prometheus at {target.prometheus.url} has no alert"
        if over.end < time.time() - _NOW:
            return failed(
                name,
                f"{where} from {over}, not even the watchdog, which always fires; choose another --window or --end",
            )
        always = [rule for group in target.prometheus.rules() for rule in group.rules if rule.name in _always()]
        if any(rule.health == "unknown" for rule in always):
            return skipped(name, "the rules were loaded just now, and are evaluated within a minute")
        if any(one.name in _always() for one in target.prometheus.alerts()):
            # After a start it writes no ALERTS before the state of `for` is restored, at a rule's second evaluation.
            return skipped(name, "Prometheus has just started: it records alerts within two minutes")
        return failed(
            name,
            f"{where} in {humanize(over.span)}, not even the watchdog, which always fires; check that the rules run",
        )
    if since > over.start + 2 * over.step:
        for_ = humanize(over.end - since) if over.end - since >= over.step else "less than a minute"
        return passed(name, f"alerts since {windows.stamp(since)} UTC only, {for_} of {humanize(over.span)}")
    return passed(name, f"{humanize(over.span)}, {over}")


def _always() -> set[str]:
    """The names of the watchdogs, which always fire."""
    return {name for name, alert in rules.alerts().items() if alert.is_watchdog}


def _volume_check(one: AlertVolume, most: float) -> Check:
    said = f"fired {times(one.fired)}, {humanize(one.seconds)} in all: {count_noun(one.mails, 'mail')}"
    if not one.ours:
        return Check(one.name, "skip", f"{said} (not one of ours)")
    if one.mails > most:
        return failed(one.name, f"{said}, more than {most:.0f} is too many")
    return passed(one.name, said)
