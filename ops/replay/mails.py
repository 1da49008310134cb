"""What Alertmanager would have sent: grouping, waiting, repeating, resolving and inhibition.

It does what Alertmanager's dispatcher and notification pipeline do (dispatch/dispatch.go, notify/notify.go, inhibit/):
a group is flushed `group_wait` after its first alert and every `group_interval` from then on, as long as it holds an
alert; a flush sends when an alert is firing that the last message did not name, or resolved that it named, or when
`repeat_interval` has gone by since.

Assumed: no silences, one Alertmanager, no delays. An alert that arrives at the moment of a flush is part of it. A
repeat that is due exactly at a flush waits for the next one, as sending the last message took some time.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from formats.json_types import JsonValue
from ops.replay import hours
from ops.replay.fetch import LABELS
from routing import tree
from routing.sent_labels import Sender
from routing.tree import Match

Why = Literal["firing", "changed", "resolved", "repeat"]
RETENTION = 120 * 3600.0  # s: how long Alertmanager remembers what it sent

# Integrations whose `send_resolved` is false by default (config/notifiers.go of Alertmanager 0.31).
_SILENT_ON_RESOLVE = frozenset({"email", "slack", "wechat", "rocketchat"})


@dataclass(frozen=True, slots=True)
class Firing:
    """An alert (its labels as sorted pairs) that fires from `start` to `end`, seconds since the epoch; None: no end."""

    labels: LABELS
    start: float
    end: float | None


@dataclass(frozen=True, slots=True)
class Message:
    """One notification: `kind` is `email`, `slack`, …; `firing` and `resolved` are what it names."""

    at: float
    receiver: str
    kind: str
    why: Why
    firing: tuple[LABELS, ...]
    resolved: tuple[LABELS, ...]

    @property
    def alerts(self) -> frozenset[str]:
        """The names of the alerts in it."""
        return frozenset(dict(labels).get("alertname", "") for labels in (*self.firing, *self.resolved))


@dataclass(slots=True)
class _Sent:
    """What the last message to one integration of a receiver named, and when."""

    at: float
    firing: frozenset[LABELS]
    resolved: frozenset[LABELS]
    forgotten: float


@dataclass(slots=True)
class _Group:
    match: Match
    members: dict[LABELS, Firing] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Integration:
    receiver: str
    kind: str
    index: int
    send_resolved: bool


def send(config: tree.Config, firings: Iterable[Firing], until: float) -> list[Message]:
    """The messages of an Alertmanager with this configuration up to `until` (seconds), in order.

    `firings`: all alerts that it gets, also those that only inhibit. Raises RoutingError.
    """
    return _Replay(config, list(firings), until).run()


def arriving(sender: Sender, firings: Iterable[Firing]) -> list[Firing]:
    """The firings with the labels that Alertmanager gets. Those that have the same labels there are one alert."""
    by_labels: dict[LABELS, list[Firing]] = {}
    for one in firings:
        for labels in sender.sent(dict(one.labels)):
            key = tuple(sorted(labels.items()))
            by_labels.setdefault(key, []).append(Firing(key, one.start, one.end))
    return [one for alike in by_labels.values() for one in _united(alike)]


def _united(firings: Sequence[Firing]) -> list[Firing]:
    """Firings with the same labels, as one where they overlap."""
    found: list[Firing] = []
    for one in sorted(firings, key=lambda one: one.start):
        last = found[-1] if found else None
        if last is None or (last.end is not None and last.end < one.start):
            found.append(one)
        elif last.end is not None:
            found[-1] = Firing(last.labels, last.start, None if one.end is None else max(last.end, one.end))
    return found


_GroupKey = tuple[tuple[int, ...], LABELS]  # the route's position, and the labels that the group is for


class _Replay:
    def __init__(self, config: tree.Config, firings: Sequence[Firing], until: float) -> None:
        self.config, self.firings, self.until = config, firings, until
        self.root = tree.tree(config)
        self.inhibitions = tree.inhibitions(config)
        self.integrations = {name: _integrations(receiver) for name, receiver in tree.receivers(config).items()}
        self.groups: dict[_GroupKey, _Group] = {}
        self.sent: dict[tuple[tuple[int, ...], LABELS, _Integration], _Sent] = {}
        self.messages: list[Message] = []
        self.queue: list[tuple[float, int, int, Firing | _GroupKey]] = []
        self.count = 0

    def run(self) -> list[Message]:
        for firing in self.firings:
            self._later(firing.start, 0, firing)
        while self.queue and self.queue[0][0] <= self.until:
            now, _, _, what = heapq.heappop(self.queue)
            if isinstance(what, Firing):
                self._arrive(now, what)
            else:
                self._flush(now, what)
        return self.messages

    def _later(self, at: float, order: int, what: Firing | _GroupKey) -> None:
        self.count += 1
        heapq.heappush(self.queue, (at, order, self.count, what))

    def _arrive(self, now: float, firing: Firing) -> None:
        labels = dict(firing.labels)
        for route in self.root.takes(labels):
            match = route.match
            every = match.group_by == ("...",)
            by = tuple(pair for pair in firing.labels if every or pair[0] in match.group_by)
            key = (match.position, by)
            if key not in self.groups:
                self.groups[key] = _Group(match)
                self._later(now + match.group_wait, 1, key)
            self.groups[key].members[firing.labels] = firing

    def _flush(self, now: float, key: _GroupKey) -> None:
        group = self.groups[key]
        over = {labels for labels, one in group.members.items() if one.end is not None and one.end <= now}
        shown = (
            []
            if hours.quiet(self.config, group.match, now)
            else [one for one in group.members if not self._muted(one, now)]
        )
        if shown:
            firing = frozenset(shown) - over
            for integration in self.integrations.get(group.match.receiver, ()):
                self._notify(now, key, group.match, integration, firing, frozenset(shown) & over)
        for labels in over:
            del group.members[labels]
        if group.members:
            self._later(now + group.match.group_interval, 1, key)
        else:
            del self.groups[key]

    def _notify(
        self,
        now: float,
        key: _GroupKey,
        match: Match,
        integration: _Integration,
        firing: frozenset[LABELS],
        resolved: frozenset[LABELS],
    ) -> None:
        last = self.sent.get((*key, integration))
        if last is not None and last.forgotten < now:
            last = None
        why = _why(last, firing, resolved, integration.send_resolved, now - match.repeat_interval)
        if why is None:
            return
        forgotten = now + min(RETENTION, 2 * match.repeat_interval)
        self.sent[(*key, integration)] = _Sent(now, firing, resolved, forgotten)
        if integration.send_resolved or firing:
            named = tuple(sorted(resolved)) if integration.send_resolved else ()
            self.messages.append(
                Message(now, integration.receiver, integration.kind, why, tuple(sorted(firing)), named)
            )

    def _muted(self, labels: LABELS, now: float) -> bool:
        """Whether an alert that is firing now inhibits this one."""
        target = dict(labels)
        rules = [rule for rule in self.inhibitions if rule.has_target(target)]
        return bool(rules) and any(
            rule.mutes(target, dict(source.labels))
            for source in self.firings
            if source.start <= now and (source.end is None or now < source.end)
            for rule in rules
        )


def _why(
    last: _Sent | None,
    firing: frozenset[LABELS],
    resolved: frozenset[LABELS],
    send_resolved: bool,
    repeat_before: float,
) -> Why | None:
    """Why a message is due, None where it is not: Alertmanager's DedupStage.needsUpdate."""
    if last is None:
        return "firing" if firing else None
    if not firing <= last.firing:
        return "changed" if last.firing else "firing"
    if not firing:
        return "resolved" if last.firing else None
    if send_resolved and not resolved <= last.resolved:
        return "changed"
    return "repeat" if last.at < repeat_before else None


def _integrations(receiver: Mapping[str, JsonValue]) -> tuple[_Integration, ...]:
    """The integrations of a receiver: one for each entry of its `…_configs`."""
    return tuple(
        _Integration(receiver["name"], kind, index, bool(settings.get("send_resolved", kind not in _SILENT_ON_RESOLVE)))
        for key, entries in receiver.items()
        if key.endswith("_configs")
        for kind in [key.removesuffix("_configs")]
        for index, settings in enumerate(entries or ())
    )
