"""A backtest for programs."""

from ops import window
from ops.replay.mails import Message
from ops.replay.run import Outcome, Version
from ops.replay.signals import Episode, Replay


def document(target: str, outcome: Outcome) -> dict[str, object]:
    """The answer as JSON; the first version is the working tree's, `against` the other one if there is one."""
    ours, *other = outcome.versions
    return {
        "target": target,
        "from": window.iso(outcome.start),
        "to": window.iso(outcome.end),
        "seconds": outcome.end - outcome.start,
        "seconds_with_data": outcome.covered,
        "notes": list(outcome.notes),
        **_version(ours),
        "against": {"revision": other[0].name, **_version(other[0])} if other else None,
    }


def _version(version: Version) -> dict[str, object]:
    return {
        "alerts": [_alert(version, replay) for replay in version.replays.values()],
        "mails": sum(message.kind == "email" for message in version.messages),
        "messages": [_message(message) for message in version.messages],
    }


def _alert(version: Version, replay: Replay) -> dict[str, object]:
    alert, firing = replay.alert, replay.firing
    return {
        "alert": alert.name,
        "severity": alert.labels.get("severity"),
        "component": alert.labels.get("component"),
        "limit": replay.limit.text,
        "for_seconds": alert.for_,
        "keep_firing_for_seconds": alert.keep_firing_for,
        "times_fired": replay.times_fired,
        "times_only_pending": replay.near_misses,
        "seconds_firing": replay.seconds_firing,
        "seconds_longest": replay.longest,
        "mails": version.sent(alert.name),
        "first_fired": window.iso(firing[0].start) if firing else None,
        "last_fired": window.iso(firing[-1].start) if firing else None,
        "intervals": [_episode(episode) for episode in sorted([*replay.pending, *firing], key=lambda one: one.start)],
    }


def _episode(episode: Episode) -> dict[str, object]:
    return {
        "state": episode.state,
        "from": window.iso(episode.start),
        "to": window.iso(episode.end),
        "seconds": episode.seconds,
        "open": episode.open,
        "labels": dict(episode.labels),
    }


def _message(message: Message) -> dict[str, object]:
    return {
        "at": window.iso(message.at),
        "receiver": message.receiver,
        "kind": message.kind,
        "why": message.why,
        "firing": [dict(labels) for labels in message.firing],
        "resolved": [dict(labels) for labels in message.resolved],
    }
