"""What another objective means, in words: how long everything may fail, and when the alerts on the budget fire."""

from collections.abc import Mapping

import rules
from formats.durations import humanize
from formats.quantities import percent
from ops.replay import coverage
from ops.review.checkouts import Version
from rules import Alert, Recording

_PERIOD = 30 * 86400.0  # seconds


def sentence(base: Version, head: Version) -> str:
    """Both objectives, and the outage that each leaves; "" where they are equal. Raises RulesError."""
    before, now = rules.objective(base.files), rules.objective(head.files)
    if before == now:
        return ""
    if before is None or now is None:
        word = "there is no objective any more" if now is None else "there is an objective now"
        share = before if now is None else now
        assert share is not None
        return f"{word}: {percent(share)}, which leaves {_outage(share)} of full outage in 30 days"
    return (
        f"from {percent(before)} to {percent(now)}: 30 days may have {_outage(now)} of full outage instead of "
        f"{_outage(before)}"
    )


def clauses(old: Alert, new: Alert, base: Version, head: Version) -> list[str]:
    """From which share of failing requests an alert on the budget fires, and how soon when all fail.

    None for other alerts, and where neither objective nor limit has changed. Raises RulesError.
    """
    before, now = (_point(one, version) for one, version in ((old, base), (new, head)))
    if before is None or now is None or before == now:
        return []
    return [
        f"fires above {percent(before[0], 3)} → {percent(now[0], 3)} of requests failing",
        f"in a full outage after {humanize(before[1])} → {humanize(now[1])}",
    ]


def _point(alert: Alert, version: Version) -> tuple[float, float] | None:
    """The share of requests that have to fail, and after how many seconds it fires if all do and traffic is even."""
    objective = rules.objective(version.files)
    if objective is None or not rules.on_budget([alert]):
        return None
    share = alert.limit.value * (1 - objective)
    return share, share * _window(alert, version.recordings) + alert.for_


def _window(alert: Alert, recordings: Mapping[str, Recording]) -> float:
    """The longest window of the recordings that the alert reads, in seconds."""
    read = coverage.metrics_read(alert.signal) & recordings.keys()
    return max((coverage.lookback(recordings[name].expr) for name in read), default=0.0)


def _outage(objective: float) -> str:
    return humanize(_PERIOD * (1 - objective))
