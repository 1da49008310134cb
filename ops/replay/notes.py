"""Notes on a backtest: which data was missing, and what was computed instead."""

from collections.abc import Mapping, Sequence

from formats import quantities
from formats.durations import humanize
from ops import window
from ops.replay import coverage
from ops.replay.coverage import Coverage
from ops.words import brief

GAP = 15 * 60.0  # seconds that may be missing without a note, as at a restart


def on_coverage(name: str, start: float, end: float, spans: Sequence[tuple[float, float]]) -> list[str]:
    """A note where Prometheus lacks data for a part of the window. `spans`: with data, in seconds like the window."""
    covered = sum(b - a for a, b in spans)
    if end - start - covered < max(60.0, 0.005 * (end - start)):
        return []
    share = quantities.number(100 * covered / (end - start))
    return [
        f"{name} has data for {humanize(covered)} of the {humanize(end - start)} asked for "
        f"({share} %), from {window.stamp(spans[0][0])} to {window.stamp(spans[-1][1])} UTC; the rest is unknown."
    ]


def on_metrics(expressions: Sequence[tuple[str, str]], seen: Coverage, start: float, end: float) -> list[str]:
    """Notes on metrics that were missing while Prometheus had other data, with the alerts that need them.

    `expressions`: (alert, its signal without recordings); the window in seconds.
    """
    first, last = round(start * 1000), round(end * 1000)
    whole = coverage.overlap(seen.anything, first, last)
    missing: dict[str, list[str]] = {}
    early: list[str] = []
    begin = min(a for a, _ in seen.anything) / 1000
    for alert, text in expressions:
        for name in coverage.metrics_read(text):
            if whole - coverage.overlap(seen.metrics.get(name, ()), first, last) > max(GAP, 0.01 * whole):
                missing.setdefault(name, [])
                if alert not in missing[name]:
                    missing[name].append(alert)
        back = coverage.lookback(text)
        if back > window.HOUR and begin - (start - back) > GAP and alert not in " ".join(early):
            early.append(f"{alert} ({humanize(back // window.HOUR * window.HOUR)})")
    notes = []
    for name, alerts in sorted(missing.items()):
        there = coverage.overlap(seen.metrics.get(name, ()), first, last)
        how = f"is there for {humanize(there)} of {humanize(whole)}" if there else "has no data in this window"
        notes.append(f"{name} {how}: {brief(alerts)} had no value without it.")
    if early:
        notes.append(f"Data begins {window.stamp(begin)} UTC, but these need earlier data: {brief(early)}.")
    return notes


def on_recordings(computed: Mapping[str, Sequence[str]]) -> list[str]:
    """A note on the alerts that were not read from what was recorded. `computed`: recording → alerts."""
    if not computed:
        return []
    of = list(dict.fromkeys(alert for alerts in computed.values() for alert in alerts))
    return [
        f"{brief(of)}: computed from what these recordings read, as they were not recorded for long enough, or with "
        f"another expression: {brief(sorted(computed))}."
    ]
