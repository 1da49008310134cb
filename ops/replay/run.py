"""The backtest: the queries, replacements of missing recordings, and the result."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import rules
from ops import window
from ops.clients.prometheus import Prometheus, RunningGroup
from ops.errors import BadAnswer
from ops.replay import coverage, fetch, mails, notes, recorded
from ops.replay.coverage import Coverage
from ops.replay.fetch import Question
from ops.replay.mails import Firing, Message
from ops.replay.recordings import expand
from ops.replay.signals import Replay, Signal, observed, signal
from routing import tree
from routing.sent_labels import UNCHANGED, Sender
from rules import Alert, Recording

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Rules:
    """All rules of one version; `name` is shown to people. `config`: its own Alertmanager configuration, if another."""

    name: str
    alerts: Mapping[str, Alert]
    recordings: Mapping[str, Recording]
    config: tree.Config | None = None


@dataclass(frozen=True)
class Version:
    """What one version of the rules would have done: the wanted alerts, and the messages that name one of them."""

    name: str
    replays: Mapping[str, Replay]
    messages: Sequence[Message]

    def sent(self, alert: str, kind: str = "email") -> int:
        """How many messages of that kind name the alert; one may name several alerts."""
        return sum(message.kind == kind and alert in message.alerts for message in self.messages)


@dataclass(frozen=True)
class Outcome:
    """A backtest from `start` to `end` (seconds): there was data for `covered` seconds, in `spans`."""

    start: float
    end: float
    covered: float
    spans: Sequence[tuple[float, float]]
    versions: Sequence[Version]
    notes: Sequence[str]


def run(
    prometheus: Prometheus,
    versions: Sequence[Rules],
    names: Iterable[str],
    start: float,
    end: float,
    config: tree.Config,
    progress: Progress | None = None,
    sender: Sender = UNCHANGED,
) -> Outcome:
    """Replay the alerts of these names, in each version that has them, from `start` to `end` (seconds).

    `config`: the Alertmanager configuration; `sender`: what changes the labels on the way there. `progress` is called
    with (requests done, all). Raises BadAnswer where there is no data at all, Misconfigured where an alert cannot be
    replayed, and what the client raises.
    """
    wanted = list(names)
    chosen = []
    for version in versions:
        every = _with_companions(version.alerts, wanted, version.config or config, sender)
        chosen.append({name: version.alerts[name] for name in every})
    pairs = [(version, alert) for version, alerts in zip(versions, chosen, strict=True) for alert in alerts.values()]
    seen, signals, said = _signals(prometheus, pairs, start, end, progress)
    found = []
    for version, alerts in zip(versions, chosen, strict=True):
        replays = {name: signals[version.name, name].replay() for name in alerts}
        messages = [
            message
            for message in mails.send(version.config or config, mails.arriving(sender, _firings(replays.values())), end)
            if message.at >= start and not message.alerts.isdisjoint(wanted)
        ]
        shown = {name: replays[name] for name in wanted if name in replays}
        found.append(Version(version.name, shown, messages))
    spans = [(max(a / 1000, start), min(b / 1000, end)) for a, b in seen.anything if b / 1000 > start]
    covered = sum(b - a for a, b in spans)
    return Outcome(start, end, covered, spans, found, notes.on_coverage(prometheus.http.name, start, end, spans) + said)


def observe(
    prometheus: Prometheus,
    alert: Alert,
    start: float,
    end: float,
    recordings: Mapping[str, Recording] | None = None,
) -> Signal:
    """An alert's signal from `start` to `end` (seconds), for `Signal.replay(limit)` with any limit. Raises as `run`.

    `recordings`: those of a stack; None: those of the rule files.
    """
    known = rules.recordings() if recordings is None else recordings
    _, signals, _ = _signals(prometheus, [(Rules("", {alert.name: alert}, known), alert)], start, end, None)
    return signals["", alert.name]


def replay(
    prometheus: Prometheus,
    alert: Alert,
    start: float,
    end: float,
    limit: rules.Limit | None = None,
    recordings: Mapping[str, Recording] | None = None,
) -> Replay:
    """When an alert would have been pending and firing from `start` to `end` (seconds). Raises as `run`."""
    return observe(prometheus, alert, start, end, recordings).replay(limit)


def _signals(
    prometheus: Prometheus,
    pairs: Sequence[tuple[Rules, Alert]],
    start: float,
    end: float,
    progress: Progress | None,
) -> tuple[Coverage, dict[tuple[str, str], Signal], list[str]]:
    """When there was data, the signals by (version, alert), and notes on them."""
    groups = prometheus.rules()
    phases = {group.name: _phase(group) for group in groups}
    running = recorded.running(groups)
    warm_up = max((alert.for_ + alert.keep_firing_for for _, alert in pairs), default=0.0)
    written = {
        (version.name, alert.name): expand(alert.signal, version.recordings, alert.interval) for version, alert in pairs
    }
    names = {name for text in written.values() for name in coverage.metrics_read(text)}
    names |= {name for version, alert in pairs for name in recorded.read(alert.signal, version.recordings)}
    reach = max((coverage.lookback(text) for text in written.values()), default=0.0)
    first, last = round((start - warm_up) * 1000), round(end * 1000)
    asked = coverage.question(names, first - round(reach * 1000), last)
    seen = coverage.coverage(names, asked, fetch.ask(prometheus, [asked])[asked])
    if coverage.overlap(seen.anything, round(start * 1000), last) <= 0:
        raise BadAnswer(
            f"{prometheus.http.name} at {prometheus.url} has no data between {window.stamp(start)} and "
            f"{window.stamp(end)} UTC; choose days with data"
        )
    questions: dict[tuple[str, str], Question] = {}
    computed: dict[str, list[str]] = {}
    for version, alert in pairs:
        text, coarse, missing = recorded.computed(
            alert.signal, alert.interval, version.recordings, running, seen, first, last
        )
        for name in missing:
            computed.setdefault(name, []).append(alert.name)
        moments = _moments(first, last, alert.interval, phases.get(alert.group, 0))
        questions[version.name, alert.name] = Question(rules.normalise(text), moments, coarse)
    answers = fetch.ask(prometheus, questions.values(), progress)
    found = {}
    for version, alert in pairs:
        question = questions[version.name, alert.name]
        found[version.name, alert.name] = signal(
            alert, start, end, observed(question.at, seen.anything), answers[question]
        )
    expressions = [(alert.name, written[version.name, alert.name]) for version, alert in pairs]
    said = notes.on_metrics(expressions, seen, start, end) + notes.on_recordings(computed)
    return seen, found, said


def _moments(first: int, last: int, interval: float, phase: int) -> range:
    """The evaluations of a group between two moments (ms): each at `phase` ms past a multiple of its interval."""
    step = round(interval * 1000)
    return range(first + (phase - first) % step, last + 1, step)


def _phase(group: RunningGroup) -> int:
    """How many ms past the multiples of its interval Prometheus evaluates a running group; 0 before its first time.

    Prometheus spreads its groups over the interval. It reports the start of an evaluation less than a ms late.
    """
    evaluated = [rule.last_evaluation for rule in group.rules if not rule.last_evaluation.startswith("0001")]
    if not evaluated or not evaluated[0]:
        return 0
    # the group's rules are evaluated one after the other: the first began when the group did
    moment = min(datetime.fromisoformat(text).timestamp() for text in evaluated)
    return int(moment * 1000) % max(1, round(group.interval * 1000))


def _with_companions(
    alerts: Mapping[str, Alert], names: Sequence[str], config: tree.Config, sender: Sender
) -> list[str]:
    """The wanted alerts, and those that could inhibit them or share a mail with them, as mails depend on these."""
    root, inhibitions = tree.tree(config), tree.inhibitions(config)
    sent = {name: sender.sent(alert.label_set) for name, alert in alerts.items()}
    groups = {
        name: {
            (route.match.position, tuple((label, labels.get(label)) for label in route.match.group_by))
            for labels in sent[name]
            for route in root.takes(labels)
        }
        for name in alerts
    }

    def mutes(name: str, other: str) -> bool:
        return any(
            rule.mutes(target, source) for rule in inhibitions for target in sent[other] for source in sent[name]
        )

    asked = [name for name in names if name in alerts]
    found = list(asked)
    for name in alerts:
        if name not in found and any(groups[name] & groups[other] or mutes(name, other) for other in asked):
            found.append(name)
    return found


def _firings(replays: Iterable[Replay]) -> list[Firing]:
    return [
        Firing(tuple(sorted(episode.labels.items())), episode.start, None if episode.open else episode.end)
        for replayed in replays
        for episode in replayed.episodes
        if episode.state == "firing"
    ]
