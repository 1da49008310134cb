"""The dashboard's panels as pictures for a page, with the same queries and limits."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import dashboards
from dashboards import Panel
from formats import quantities
from ops.countdown import Counted
from ops.drawing import line_chart
from ops.drawing.line_chart import Line, Mark
from ops.drawing.signal_pictures import series_name
from ops.replay.history import History
from rules import Alert


@dataclass(frozen=True, slots=True)
class DrawnPanel:
    """A panel: its picture, latest value, (name, colour) of its lines, and the alerts whose limits are drawn."""

    title: str
    row: str
    svg: str
    latest: str
    legend: tuple[tuple[str, str], ...]
    alerts: tuple[str, ...]


def draw(
    history: History, panels: Sequence[Panel], alerts: Mapping[str, Alert], drawn: Counted
) -> Iterator[DrawnPanel]:
    """Every panel, drawn one after the other; `drawn` is called with (panels drawn, panels in all).

    Raises what the client raises.
    """
    for done, panel in enumerate(panels, 1):
        yield _drawn(history, panel, alerts)
        drawn(done, len(panels))


def _drawn(history: History, panel: Panel, alerts: Mapping[str, Alert]) -> DrawnPanel:
    measured: dict[str, str] = {}  # each once, with what Grafana calls it
    for query, legend in zip(panel.queries, panel.legends, strict=True):
        measured.setdefault(dashboards.measured(query), legend)
    lines = [
        Line(_name(query, legend, series.labels) if len(measured) > 1 else series_name(series.labels), series.points)
        for query, legend in measured.items()
        for series in history.series(query)
    ]
    watched = [alert for alert in alerts.values() if alert.quantity in measured]
    marks = [Mark(alert.limit.text, alert.limit.value, alert.severity) for alert in watched] or _own(panel)
    lowest = any(alert.limit.fires_below for alert in watched) or any(mark.text.startswith("<") for mark in marks)
    latest = [(line.name, quantities.with_unit(line.points[-1][1], panel.unit)) for line in lines if line.points]
    return DrawnPanel(
        panel.title,
        panel.row,
        line_chart.inline(lines, marks, history.over, title=panel.title, unit=panel.unit, lowest=lowest),
        _latest(latest) if len(lines) == 1 or panel.kind == "stat" else "",
        line_chart.legend(lines),
        tuple(alert.name for alert in watched),
    )


def _own(panel: Panel) -> list[Mark]:
    """The limit of a panel that draws none of an alert: where red ends, if red lies below all else."""
    colours = [colour for _, colour in panel.thresholds]
    if len(colours) < 2 or colours[0] != "red" or (end := panel.thresholds[1][0]) is None:
        return []
    return [Mark(f"< {quantities.with_unit(end, panel.unit)}", end, "critical")]


def _latest(values: Sequence[tuple[str, str]]) -> str:
    """The value of one line; those of several with their names."""
    return values[0][1] if len(values) == 1 else ", ".join(f"{name} {value}" for name, value in values)


def _name(query: str, legend: str, labels: Mapping[str, str]) -> str:
    """Of several queries: `P95` for a quantile, else the values of its labels, else what Grafana calls it."""
    if quantile := re.match(r"histogram_quantile\(\s*0\.(\d+)", query):
        return f"P{quantile[1].ljust(2, '0')}"
    return legend if legend and not labels.keys() - {"__name__"} else series_name(labels)
