"""A picture of each signal that alerts watch, with their limits."""

from collections.abc import Mapping
from pathlib import Path

from ops import interruption
from ops.drawing import line_chart
from ops.drawing.line_chart import Picture
from ops.options import progress
from ops.replay.history import History
from rules import Alert


def draw(
    history: History,
    alerts: Mapping[str, Alert],
    folder: Path,
    kind: Picture,
    unit: Mapping[str, str],
) -> dict[str, Path]:
    """A picture of each quantity that alerts watch, with their limits; alert name → file. Existing files are replaced.

    `unit`: quantity → unit, as `dashboards.units` says it. All are drawn before the first is written.
    Raises Misconfigured where a file cannot be written, and what the client raises.
    """
    drawn: dict[str, Path] = {}
    images: dict[Path, bytes] = {}
    alerts = {name: alert for name, alert in alerts.items() if not alert.is_watchdog}
    for quantity in dict.fromkeys(alert.quantity for alert in alerts.values()):
        group = [alert for alert in alerts.values() if alert.quantity == quantity]
        progress(f"drawing {group[0].name} …")
        lines = [line_chart.Line(series_name(series.labels), series.points) for series in history.series(quantity)]
        marks = [line_chart.Mark(alert.limit.text, alert.limit.value, alert.severity) for alert in group]
        path = folder / f"{group[0].name}.{kind.value}"
        images[path] = line_chart.file(
            lines,
            marks,
            history.over,
            title=", ".join(alert.name for alert in group),
            unit=unit.get(quantity, ""),
            kind=kind,
            lowest=group[0].limit.fires_below,
        )
        drawn |= dict.fromkeys((alert.name for alert in group), path)
    with interruption.during(f"pictures in {folder} are written, the document is not: run this again"):
        for path, image in images.items():
            line_chart.save(path, image, "name another folder with --pictures")
    return drawn


def series_name(labels: Mapping[str, str]) -> str:
    """The values of a series' labels, without its name; `signal` where it has none."""
    return ", ".join(value for key, value in sorted(labels.items()) if key != "__name__") or "signal"
