"""What `sandbox scenario` says of the alerts to come, in words."""

import time
from collections.abc import Mapping, Sequence

from formats.durations import humanize
from ops.clients.prometheus import ActiveAlert
from ops.sandbox.forecast import Expected, Forecast
from ops.window import parse_moment

_EVALUATIONS = 3  # after a start: Prometheus takes the ages of alerts from its database after the second one


def as_lines(found: Forecast, active: Sequence[ActiveAlert], *, already: bool, now: float | None = None) -> list[str]:
    """A line for each alert, then how exact that is. `active`: what is pending or firing now, without the scenario.

    `already`: the scenario began in the past, so that Prometheus is restarted. `now`: seconds since the epoch.
    """
    at = time.time() if now is None else now
    if not found.expected:
        return [f"No alert will be pending by it within {humanize(found.ahead)}, as far as was looked ahead."]
    width = max(len(one.alert.name) for one in found.expected)
    # Until it takes the ages from its database, Prometheus moves those that do not fire yet.
    error = found.error + (_EVALUATIONS - 1) * found.interval * already
    running = {} if already else _oldest(active)
    lines = [
        f"  {one.alert.name:<{width}}  {_words(one, found, running.get(one.alert.name), at)}" for one in found.expected
    ]
    lines.append(
        f"These times may be up to {humanize(error)} early or late: rules are evaluated at intervals, "
        "and traffic is random."
    )
    if already:
        most = humanize(_EVALUATIONS * found.interval)
        lines.append(f"Prometheus shows these ages about {most} after its restart, at its third evaluation.")
    return lines


def _words(one: Expected, found: Forecast, active: ActiveAlert | None, at: float) -> str:
    if active is not None and active.state == "firing":
        return "is firing already"
    gone = at - found.at  # since it was computed
    pending, firing = one.pending - gone, None if one.firing is None else one.firing - gone
    if active is not None:
        pending = min(0.0, parse_moment(active.active_at) - at)
        firing = max(0.0, pending + one.alert.for_)
    if firing is not None and firing <= 0:
        return f"firing for about {humanize(-firing)}"
    since = f"pending for about {humanize(-pending)}" if pending <= 0 else f"pending in about {humanize(pending)}"
    if firing is None:
        return f"{since}, firing later than in {humanize(found.ahead)}"
    return f"{since}, firing in about {humanize(firing)} ({_clock(at + firing)} UTC)"


def _clock(at: float) -> str:
    return time.strftime("%H:%M", time.gmtime(at))


def _oldest(active: Sequence[ActiveAlert]) -> Mapping[str, ActiveAlert]:
    """By name: of several series the one that is furthest."""
    return {one.name: one for one in sorted(active, key=lambda one: (one.state == "pending", one.active_at))[::-1]}
