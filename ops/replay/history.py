"""What queries answered over a window, also where they read what was not recorded yet."""

import math
from collections.abc import Mapping
from functools import cached_property

import rules
from ops.clients.prometheus import Prometheus, Series
from ops.errors import Misconfigured
from ops.replay import coverage, fetch, recorded
from ops.replay.fetch import Question
from ops.replay.recordings import expand
from ops.window import Window
from rules import Recording


class History:
    """Asks a Prometheus for the moments of a window.

    A recording of `recordings` (by name) that was not recorded for as long as a query looks back is computed in it.
    """

    def __init__(self, prometheus: Prometheus, recordings: Mapping[str, Recording], over: Window) -> None:
        self.prometheus, self.over = prometheus, over
        self._recordings = recordings

    def series(self, query: str) -> list[Series]:
        """Every series of a query. Raises what the client raises."""
        step = round(self.over.step * 1000)
        end = round(self.over.end * 1000)
        question = self._question(query, range(end - (self.over.moments - 1) * step, end + 1, step))
        answer = fetch.ask(self.prometheus, [question])[question]
        return [
            Series(dict(labels), tuple((at / 1000, value) for at, value in sorted(points.items())))
            for labels, points in answer.series.items()
        ]

    def last(self, query: str, *, lowest: bool = False) -> float | None:
        """The highest value at the end of the window, or the lowest; None where there is none. Raises as `series`."""
        values = [value for one in self.series(query) for at, value in one.points if at >= self.over.end]
        finite = [value for value in values if math.isfinite(value)]
        return (min if lowest else max)(finite) if finite else None

    def _question(self, query: str, at: range) -> Question:
        if not recorded.read(query, self._recordings):
            return Question(query, at)
        try:
            reach = coverage.lookback(expand(query, self._recordings))
        except Misconfigured:  # it reads a part of what is recorded: as it stands, or not at all
            return Question(query, at)
        names = recorded.read_through(query, self._recordings)
        asked = coverage.question(names, at[0] - round(reach * 1000), at[-1])
        seen = coverage.coverage(names, asked, fetch.ask(self.prometheus, [asked])[asked])
        text, coarse, _ = recorded.computed(query, self.over.step, self._recordings, self._running, seen, at[0], at[-1])
        return Question(rules.normalise(text), at, coarse)

    @cached_property
    def _running(self) -> Mapping[str, str]:
        """What Prometheus records: name → expression."""
        return recorded.running(self.prometheus.rules())
