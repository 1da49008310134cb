"""What fired in the past, from Prometheus' series ALERTS."""

import itertools
from collections.abc import Iterator, Sequence

from ops import window as windows
from ops.clients.prometheus import Prometheus
from ops.replay.mails import Firing
from ops.window import Window


def fired(prometheus: Prometheus, over: Window) -> list[Firing]:
    """What fired in the window, by start; what still fires has no end. Raises what the client raises."""
    found = []
    for series in windows.history(prometheus, 'ALERTS{alertstate="firing"}', over):
        pairs = ((name, value) for name, value in series.labels.items() if name not in ("__name__", "alertstate"))
        labels = tuple(sorted(pairs))
        moments = [at for at, _ in series.points]
        for first, last in _stretches(moments, over.step):
            found.append(Firing(labels, first, None if last > over.end - over.step / 2 else last + over.step))
    return sorted(found, key=lambda one: (one.start, one.labels))


def alert_name(firing: Firing) -> str:
    """The name of the alert that fired."""
    return dict(firing.labels).get("alertname", "")


def _stretches(moments: Sequence[float], step: float) -> Iterator[tuple[float, float]]:
    """The stretches without a gap, as (first, last) moments."""
    if not moments:
        return
    first = moments[0]
    for before, at in itertools.pairwise(moments):
        if at - before > 1.5 * step:
            yield first, before
            first = at
    yield first, moments[-1]
