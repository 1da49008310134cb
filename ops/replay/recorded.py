"""Which recordings Prometheus has for a past, and what has to be computed instead of those that it lacks."""

from collections.abc import Iterable, Mapping

import rules
from ops.clients.prometheus import RunningGroup
from ops.replay import coverage, notes
from ops.replay.coverage import Coverage
from ops.replay.recordings import expand
from rules import Recording

_LEAST = 600_000  # ms before the last moment in which there has to be a value, also where nobody looks back


def read(expression: str, recordings: Mapping[str, Recording]) -> set[str]:
    """The recordings that an expression reads, and those that these read."""
    found: set[str] = set()
    waiting = [expression]
    while waiting:
        new = (coverage.metrics_read(waiting.pop()) & recordings.keys()) - found
        found |= new
        waiting += [recordings[name].expr for name in new]
    return found


def read_through(expression: str, recordings: Mapping[str, Recording]) -> set[str]:
    """Every series that an expression reads, by name, also through recordings: these too."""
    through = [recordings[name].expr for name in read(expression, recordings)]
    return {name for text in (expression, *through) for name in coverage.metrics_read(text)}


def running(groups: Iterable[RunningGroup]) -> dict[str, str]:
    """What Prometheus records, name → expression, but for what gets labels."""
    return {rule.name: rule.query for group in groups for rule in group.rules if rule.recording and not rule.labels}


def computed(
    signal: str,
    every: float,
    recordings: Mapping[str, Recording],
    running: Mapping[str, str],
    seen: Coverage,
    first: int,
    last: int,
) -> tuple[str, str, list[str]]:
    """A signal for evaluations from `first` to `last` (ms), `every` so many seconds; coarser; what is computed in it.

    `running`: what Prometheus records, name → expression. A recording is computed if it was not recorded for as long as
    the signal looks back at it, or is recorded with another expression; so are those that it reads then, and no others:
    a long window over many series is read from what is recorded of them, if anything is.
    """
    missing: set[str] = set()
    while True:
        replaced = {name: recordings[name] for name in missing}
        text = expand(signal, replaced, every)
        more = {
            name
            for name, reach in coverage.reaches(text).items()
            if name in recordings
            and (_differs(name, recordings, running) or _lacks(name, seen, first - round(reach * 1000), last))
        }
        if not more:
            if not missing:
                return signal, "", []
            return text, expand(signal, replaced, every, coarse=True), sorted(missing)
        missing |= more


def _differs(name: str, recordings: Mapping[str, Recording], running: Mapping[str, str]) -> bool:
    """Whether Prometheus records something else by this name, also by what it reads."""
    return any(
        one not in running or rules.normalise(running[one]) != rules.normalise(recordings[one].expr)
        for one in {name, *read(recordings[name].expr, recordings)}
    )


def _lacks(name: str, seen: Coverage, first: int, last: int) -> bool:
    first = min(first, last - _LEAST)
    there = coverage.overlap(seen.anything, first, last)
    return there - coverage.overlap(seen.metrics.get(name, ()), first, last) > min(notes.GAP, there / 2)
