"""Too many mails: which alerts they come from, and which setting would cut most of them."""

import copy
import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import metrics
import rules
from ops import window as windows
from ops.backtest import mails
from ops.backtest.mails import Firing
from ops.backtest.signals import Replay
from ops.checks import Check, failed, passed
from ops.clients.prometheus import Prometheus
from ops.diagnose.walk import Diagnosis, again
from ops.errors import OpsError
from ops.options import console
from ops.targets import Target
from ops.tune.margins import margin
from ops.tune.verb import tuning
from ops.window import DAY, HOUR, MINUTE, Window, told
from routing import tree
from rules import Alert

STEP = 60.0  # seconds between two looks at what fired; what fires for less may be missed
WATCHDOG = "none"  # the severity of what always fires, and is meant to


@dataclass(frozen=True)
class Loud:
    """One alert's share: how often it fired (any of its label sets), for how long in all, and the mails naming it."""

    name: str
    ours: bool
    fired: int
    seconds: float
    mails: int


@dataclass(frozen=True)
class Lever:
    """A setting of an alert and how many mails it would have sent with the other value. `next`: where to change it."""

    setting: str
    old: str
    new: str
    mails: int
    next: str


@dataclass(frozen=True)
class Volume:
    """What fired in the window (seconds since the epoch; `since`: from when Prometheus remembers alerts)."""

    start: float
    end: float
    since: float | None
    alerts: Sequence[Loud]
    levers: Sequence[Lever]  # for the loudest of our alerts, what cuts most first
    diagnosis: Diagnosis

    def as_json(self) -> dict[str, Any]:
        """The shape that programs read."""
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
                for one in self.levers
            ],
        }


def measure(target: Target, days: float, most: float) -> Volume:
    """The last `days` days; an alert with more than `most` mails a day is one too many."""
    end = float(int(time.time() // STEP * STEP))
    over = Window(end - round(days * DAY / STEP) * STEP, end, STEP)
    config = target.alertmanager.status().config
    known = rules.alerts()
    firings = fired(target.prometheus, over)
    since = min((one.start for one in firings), default=None)
    found = counted(config, firings, known, over)
    noise = [one for one in found if one.ours]
    checks = [_history(target, since, over), *(_loudness(one, most * max(days, 1.0)) for one in found)]
    worst = next((one for one in noise if one.mails), None)
    levers: list[Lever] = []
    if worst is not None:
        alert = known[worst.name]
        levers = [*variants(config, firings, alert, over), *_limit(target, config, firings, alert, over)]
        levers = sorted((one for one in levers if one.mails < worst.mails), key=lambda one: one.mails)
    broken = next((check.name for check in checks if check.status == "fail"), None)
    next_ = None
    if broken is not None:
        onward = "diagnose alerts" if worst is None else f"tune {worst.name} --dry-run"
        next_ = levers[0].next if levers else again(target, onward)
    diagnosis = Diagnosis(target.name, "volume", tuple(checks), broken, next_, blind=False)
    return Volume(over.start, over.end, since, found, levers, diagnosis)


def fired(prometheus: Prometheus, over: Window) -> list[Firing]:
    """What fired in the window, as Prometheus remembers it; what still does has no end."""
    found = []
    for series in windows.history(prometheus, 'ALERTS{alertstate="firing"}', over):
        pairs = ((name, value) for name, value in series.labels.items() if name not in ("__name__", "alertstate"))
        labels = tuple(sorted(pairs))
        moments = [at for at, _ in series.points]
        for first, last in _spells(moments, over.step):
            found.append(Firing(labels, first, None if last >= over.end - over.step else last + over.step))
    return sorted(found, key=lambda one: (one.start, one.labels))


def counted(
    config: Mapping[str, Any], firings: Sequence[Firing], known: Mapping[str, Alert], over: Window
) -> list[Loud]:
    """The alerts that fired, most mails first; what is meant to fire always is left out."""
    sent = mails.send(config, firings, over.end)
    found = []
    for name in {_name(one) for one in firings}:
        if name in known and known[name].labels.get("severity") == WATCHDOG:
            continue
        own = [one for one in firings if _name(one) == name]
        seconds = sum((over.end if one.end is None else one.end) - one.start for one in own)
        found.append(Loud(name, name in known, len(own), seconds, sum(name in mail.alerts for mail in sent)))
    return sorted(found, key=lambda one: (-one.mails, -one.fired, one.name))


def variants(config: Mapping[str, Any], firings: Sequence[Firing], alert: Alert, over: Window) -> Iterator[Lever]:
    """What other values of the settings would have made of the same firings: each about twice as patient."""

    def sent(config: Mapping[str, Any], firings: Sequence[Firing]) -> int:
        return sum(alert.name in mail.alerts for mail in mails.send(config, firings, over.end))

    place = f"rules/{alert.file.name}:{alert.line}"
    longer = max(2 * alert.for_, alert.for_ + 5 * MINUTE)
    new, keep = told(longer), max(2 * alert.keep_firing_for, 10 * MINUTE)
    retry = f"then python -m ops backtest {alert.name} --against HEAD"
    delayed = later(firings, alert.name, longer - alert.for_)
    yield Lever("for", told(alert.for_), new, sent(config, delayed), f"set `for` to {new} in {place}, {retry}")
    new = told(keep)
    kept = merged(firings, alert.name, keep - alert.keep_firing_for)
    yield Lever(
        "keep_firing_for", told(alert.keep_firing_for), new, sent(config, kept),
        f"set `keep_firing_for` to {new} in {place}, {retry}",
    )  # fmt: skip
    for match in tree.matches(config, {**alert.labels, "alertname": alert.name}):
        for setting, old, value in (
            ("group_wait", match.group_wait, max(5 * MINUTE, 2 * match.group_wait)),
            ("group_interval", match.group_interval, max(15 * MINUTE, 2 * match.group_interval)),
            ("repeat_interval", match.repeat_interval, max(12 * HOUR, 2 * match.repeat_interval)),
        ):
            changed = _with(config, match.position, setting, value)
            where = f"the route to {match.receiver} in routing/alertmanager.yml"
            yield Lever(
                setting, told(old), told(value), sent(changed, firings),
                f"set `{setting}` to {told(value)} in {where}, then pulumi preview",
            )  # fmt: skip


def later(firings: Sequence[Firing], name: str, seconds: float) -> list[Firing]:
    """The firings with that alert's `for` so much longer: each begins later, and the short ones never do."""
    found = []
    for one in firings:
        if _name(one) != name:
            found.append(one)
        elif one.end is None or one.start + seconds < one.end:
            found.append(Firing(one.labels, one.start + seconds, one.end))
    return found


def merged(firings: Sequence[Firing], name: str, seconds: float) -> list[Firing]:
    """The firings with that alert's `keep_firing_for` so much longer: each ends later, and short gaps are bridged."""
    found = [one for one in firings if _name(one) != name]
    last: dict[object, Firing] = {}
    for one in sorted((one for one in firings if _name(one) == name), key=lambda one: one.start):
        before = last.get(one.labels)
        end = None if one.end is None else one.end + seconds
        if before is not None and (before.end is None or one.start <= before.end):
            last[one.labels] = Firing(one.labels, before.start, end)
            continue
        if before is not None:
            found.append(before)
        last[one.labels] = Firing(one.labels, one.start, end)
    return [*found, *last.values()]


def show_levers(found: Volume) -> None:
    """Print for people what each setting of the loudest alert would change, what cuts most first."""
    if not found.levers:
        return
    worst = next(one for one in found.alerts if one.ours)
    out = console()
    out.print(f"Of its {worst.mails} mails {worst.name} would have sent, with one of these instead:", markup=False)
    width = max(len(one.setting) for one in found.levers)
    for one in found.levers:
        out.print(f"  {one.mails:>5}  {one.setting.ljust(width)}  {one.old} → {one.new}   {one.next}", markup=False)


def _limit(
    target: Target, config: Mapping[str, Any], firings: Sequence[Firing], alert: Alert, over: Window
) -> Iterator[Lever]:
    """The limit that `tune` would propose; nothing where it proposes none."""
    if margin(alert).keep is not None:
        return
    try:
        found = tuning(target.prometheus, alert, over, None, rules.alerts(), metrics.load())
    except OpsError:  # too little data, or no sound limit: tune says which
        return
    if found.proposal.changes:
        others = [one for one in firings if _name(one) != alert.name]
        sent = mails.send(config, [*others, *_replayed(found.after)], over.end)
        yield Lever(
            "limit",
            alert.limit.text,
            found.proposal.limit.text,
            sum(alert.name in mail.alerts for mail in sent),
            again(target, f'tune {alert.name} --because "too many mails"'),
        )


def _replayed(replay: Replay) -> Iterator[Firing]:
    for spell in replay.firing:
        yield Firing(tuple(sorted(spell.labels.items())), spell.start, None if spell.open else spell.end)


def _history(target: Target, since: float | None, over: Window) -> Check:
    name = "history"
    if since is None:
        return failed(
            name,
            f"Prometheus at {target.prometheus.url} remembers no alert in {told(over.span)}, not even the watchdog, "
            "which always fires; do the rules run?",
        )
    if since > over.start + 2 * over.step:
        return passed(
            name, f"alerts since {windows.stamp(since)} UTC only, {told(over.end - since)} of {told(over.span)}"
        )
    return passed(name, f"{told(over.span)}, {over}")


def _loudness(one: Loud, most: float) -> Check:
    times = "once" if one.fired == 1 else f"{one.fired} times"
    said = f"fired {times}, {told(one.seconds)} in all: {one.mails} mail{'' if one.mails == 1 else 's'}"
    if not one.ours:
        return Check(one.name, "skip", f"{said} (not one of ours)")
    if one.mails > most:
        return failed(one.name, f"{said}, more than {most:.0f} is too many")
    return passed(one.name, said)


def _name(firing: Firing) -> str:
    return dict(firing.labels).get("alertname", "")


def _spells(moments: Sequence[float], step: float) -> Iterator[tuple[float, float]]:
    """The stretches without a gap."""
    if not moments:
        return
    first = moments[0]
    for before, at in itertools.pairwise(moments):
        if at - before > 1.5 * step:
            yield first, before
            first = at
    yield first, moments[-1]


def _with(config: Mapping[str, Any], position: Sequence[int], key: str, seconds: float) -> Mapping[str, Any]:
    """The configuration with one setting of one route changed."""
    changed = copy.deepcopy(dict(config))
    route = changed["route"]
    for index in position:
        route = route["routes"][index]
    route[key] = f"{seconds:.0f}s"
    return changed
