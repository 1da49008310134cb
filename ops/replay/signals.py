"""One alert over a time window: its signal, queried once, compared with any limit.

The comparison here gives the same as the query `signal > limit`: a comparison drops samples one by one, and NaN by all
operators but `!=`. A step of a range query gives what an evaluation at that moment gives. Tests compare both with
Prometheus.
"""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ops.errors import Misconfigured
from ops.replay.fetch import LABELS, Answer
from ops.replay.semantics import Interval, alert_states
from rules import Alert, Limit

OUTAGE = 5 * 60_000  # ms; as long as Prometheus looks back for a sample

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


def crosses(limit: Limit, value: float) -> bool:
    """Whether a sample of this value fulfils the comparison with the limit."""
    return _COMPARE[limit.operator](value, limit.value)


@dataclass(frozen=True, slots=True)
class Episode:
    """One label set of an alert in one state; `start` and `end` in seconds since the epoch.

    `open`: it lasted until the last evaluation, which is `end` then. `labels` are the alert's, `alertname` included.
    """

    labels: Mapping[str, str]
    state: str  # "pending" or "firing"
    start: float
    end: float
    open: bool

    @property
    def seconds(self) -> float:
        """How many seconds it lasted."""
        return self.end - self.start


@dataclass(frozen=True)
class Signal:
    """An alert's signal over time, from which it is replayed.

    `evaluations` are the moments (ms) at which Prometheus would have evaluated the rule and had data;
    `series` maps the labels of the signal to {moment: value}. `start` and `end` (seconds) are the window asked for:
    evaluations before it give the alert its state at the window's start.
    """

    alert: Alert
    start: float
    end: float
    evaluations: Sequence[int]
    series: Mapping[LABELS, Mapping[int, float]]

    def values(self) -> Iterator[tuple[Mapping[str, str], list[tuple[float, float]]]]:
        """Per series its labels and, within the window, (seconds since the epoch, value) in order."""
        for labels, points in self.series.items():
            inside = [(at / 1000, value) for at, value in sorted(points.items()) if self.start <= at / 1000 <= self.end]
            if inside:
                yield dict(labels), inside

    def replay(self, limit: Limit | None = None) -> "Replay":
        """When the alert would have been pending and firing, with its own limit or another.

        Raises Misconfigured where two series would be the same alert, as Prometheus refuses that.
        """
        limit = limit or self.alert.limit
        crossing: dict[LABELS, set[int]] = {}
        for labels, points in self.series.items():
            alert_labels = _alert_labels(self.alert, labels)
            found = {at for at, value in points.items() if crosses(limit, value)}
            if found & crossing.get(alert_labels, set()):
                raise Misconfigured(
                    f"{self.alert.name} would fail in Prometheus: two series of its expression become the same alert "
                    f"({', '.join(f'{name}={value}' for name, value in alert_labels)}); aggregate them, or drop a label"
                )
            crossing[alert_labels] = crossing.get(alert_labels, set()) | found
        hold, keep = round(self.alert.for_ * 1000), round(self.alert.keep_firing_for * 1000)
        episodes = [
            _episode(labels, interval)
            for labels, moments in crossing.items()
            if moments
            for interval in alert_states(self.evaluations, moments, hold, keep, OUTAGE)
        ]
        episodes.sort(key=lambda episode: (episode.start, episode.end, sorted(episode.labels.items())))
        return Replay(self.alert, limit, self.start, self.end, tuple(episodes))


@dataclass(frozen=True)
class Replay:
    """What one alert would have done in the window, with all its label sets. Times in seconds."""

    alert: Alert
    limit: Limit
    start: float
    end: float
    episodes: tuple[Episode, ...]  # by start; those before the window too, as mails depend on them

    def within(self, state: str) -> list[Episode]:
        """The episodes in that state, cut at the window's edges."""
        return [
            Episode(
                episode.labels, episode.state, max(episode.start, self.start), min(episode.end, self.end), episode.open
            )
            for episode in self.episodes
            if episode.state == state and episode.end >= self.start and episode.start <= self.end
            if episode.end > self.start or episode.open
        ]

    @property
    def firing(self) -> list[Episode]:
        """The episodes in which it fired."""
        return self.within("firing")

    @property
    def pending(self) -> list[Episode]:
        """The episodes in which it was pending."""
        return self.within("pending")

    @property
    def times_fired(self) -> int:
        """How often it fired, each label set counted."""
        return len(self.firing)

    @property
    def seconds_firing(self) -> float:
        """For how many seconds at least one label set fired."""
        total, reached = 0.0, self.start
        for episode in sorted(self.firing, key=lambda one: one.start):
            total += max(0.0, episode.end - max(episode.start, reached))
            reached = max(reached, episode.end)
        return total

    @property
    def longest(self) -> float:
        """Seconds of the longest episode in which it fired; 0 without one."""
        return max((episode.seconds for episode in self.firing), default=0.0)

    @property
    def near_misses(self) -> int:
        """How often it was pending and did not fire."""
        fired = {
            (frozenset(episode.labels.items()), episode.start) for episode in self.episodes if episode.state == "firing"
        }
        return sum(
            (frozenset(episode.labels.items()), episode.end) not in fired
            for episode in self.pending
            if not episode.open
        )


def observed(moments: range, spans: Sequence[tuple[int, int]]) -> list[int]:
    """The evaluations of `moments` that lie in one of `spans` (in order, apart; both ends included)."""
    found: list[int] = []
    for first, last in spans:
        low = max(0, -((moments.start - first) // moments.step))
        high = max(0, (last - moments.start) // moments.step + 1)
        found += moments[low:high]
    return found


def signal(alert: Alert, start: float, end: float, evaluations: Sequence[int], answer: Answer) -> Signal:
    """The signal of an alert, from the answer to its query; moments that were not evaluated are left out."""
    known = set(evaluations)
    return Signal(
        alert,
        start,
        end,
        evaluations,
        {
            labels: {at: value for at, value in points.items() if at in known}
            for labels, points in answer.series.items()
        },
    )


def _alert_labels(alert: Alert, labels: LABELS) -> LABELS:
    """The alert's labels as in Prometheus: those of the series without its name, the rule's, and `alertname`."""
    made = {name: value for name, value in labels if name != "__name__"}
    made |= alert.label_set
    return tuple(sorted((name, value) for name, value in made.items() if value))


def _episode(labels: LABELS, interval: Interval) -> Episode:
    return Episode(dict(labels), interval.state, interval.start / 1000, interval.end / 1000, interval.open)
