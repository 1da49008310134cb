"""What differs between two versions, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dashboards
from components.in_words import dashboard_in_words, routing_in_words, rules_in_words, shown_limit
from components.in_words.alert_lines import receivers
from formats.durations import humanize
from ops.review import objective_words
from ops.review.checkouts import Version
from ops.words import listed
from rules import Alert, normalise


@dataclass(frozen=True)
class AlertChange:
    """One alert. `kind`: new, gone or changed. `words`: what is new, was there, or changes, a clause each."""

    name: str
    kind: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Told:
    """Who is told of an alert: receivers of the base, and of the working tree. Empty where it is not there."""

    before: tuple[str, ...]
    now: tuple[str, ...]


@dataclass(frozen=True)
class Changes:
    """All that differs.

    `lines`: part (`settings`, `other_alerts`, `recordings`, `routing`, `dashboard`) → the lines that go, and those that
    come. `objective`: another objective, in words; "" where it is the same.
    """

    alerts: tuple[AlertChange, ...]
    told: Mapping[str, Told]
    lines: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
    objective: str = ""

    @property
    def retold(self) -> dict[str, Told]:
        """The alerts of which others are told than before."""
        return {name: told for name, told in self.told.items() if told.before != told.now}

    @property
    def nothing(self) -> bool:
        """Whether nothing that is deployed differs."""
        return not self.alerts and not any(gone or come for gone, come in self.lines.values())


def between(base: Version, head: Version) -> Changes:
    """What differs from `base` to `head`."""
    units = dashboards.units(base.dashboard.panels) | dashboards.units(head.dashboard.panels)
    names = list(dict.fromkeys([*head.alerts, *base.alerts]))
    alerts = [_alert(name, base, head, units) for name in names]
    return Changes(
        tuple(change for change in alerts if change),
        {name: Told(_receivers(base, name), _receivers(head, name)) for name in names},
        {
            "settings": _lines(_settings(base), _settings(head)),
            "other_alerts": _lines(_rules(base, "other alert "), _rules(head, "other alert ")),
            "recordings": _lines(_rules(base, "recording "), _rules(head, "recording ")),
            "routing": _lines(*(routing_in_words(one.routing.parts(), None) for one in (base, head))),
            "dashboard": _lines(*(_dashboard(one) for one in (base, head))),
        },
        objective_words.sentence(base, head),
    )


def _receivers(version: Version, name: str) -> tuple[str, ...]:
    alert = version.alerts.get(name)
    return tuple(receivers(alert, version.routing)) if alert else ()


def _rules(version: Version, kind: str) -> list[str]:
    """The lines of the rules that are no alerts in our form; `kind`: what they begin with."""
    return [line for line in rules_in_words(version.files, version.routing, {}) if line.startswith(kind)]


def _dashboard(version: Version) -> list[str]:
    return dashboard_in_words(version.dashboard.model, version.alerts.values())


def _settings(version: Version) -> list[str]:
    return [f"{name}: {value}" for name, value in sorted(version.settings.items())]


def _lines(before: Sequence[str], now: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(line for line in before if line not in now), tuple(line for line in now if line not in before)


def _alert(name: str, base: Version, head: Version, units: Mapping[str, str]) -> AlertChange | None:
    old, new = base.alerts.get(name), head.alerts.get(name)
    if old is None or new is None:
        alert = new or old
        assert alert is not None
        told = receivers(alert, (head if new else base).routing)
        words = [_limit(alert, units), alert.severity, f"to {listed(told) if told else 'nobody'}"]
        return AlertChange(name, "new" if new else "gone", tuple(words))
    words = [*_differences(old, new, units), *objective_words.clauses(old, new, base, head)]
    return AlertChange(name, "changed", tuple(words)) if words else None


def _limit(alert: Alert, units: Mapping[str, str]) -> str:
    if alert.is_watchdog:
        return "always fires"
    held = f" for {humanize(alert.for_)}" if alert.for_ else ""
    shadow = ", a shadow" if alert.is_shadow else ""
    return f"{shown_limit(alert, units.get(alert.quantity, ''))}{held}{shadow}"


def _differences(old: Alert, new: Alert, units: Mapping[str, str]) -> Sequence[str]:
    found = []
    if old.limit != new.limit:
        before, now = (shown_limit(one, units.get(one.quantity, "")) for one in (old, new))
        same = old.limit.operator == new.limit.operator
        found.append(f"limit {before} → {now.removeprefix(f'{new.limit.operator} ') if same else now}")
    for what, before_s, now_s in (
        ("for", old.for_, new.for_),
        ("keep_firing_for", old.keep_firing_for, new.keep_firing_for),
        ("evaluated every", old.interval, new.interval),
    ):
        if before_s != now_s:
            found.append(f"{what} {humanize(before_s)} → {humanize(now_s)}")
    if normalise(old.signal) != normalise(new.signal):
        found.append("another query")
    labels = _unlike(old.labels, new.labels)
    if old.is_shadow != new.is_shadow:
        labels.remove("stage")
        found.insert(0, "becomes a shadow, which tells nobody" if new.is_shadow else "promoted: no shadow any more")
    found += [f"{name} {old.labels.get(name, 'none')} → {new.labels.get(name, 'none')}" for name in labels]
    if texts := _unlike(old.annotations, new.annotations):
        found.append(f"another {listed(texts)}")
    if old.group != new.group:
        found.append(f"group {old.group} → {new.group}")
    return found


def _unlike(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    return [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
