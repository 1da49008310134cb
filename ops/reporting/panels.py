"""The dashboard's panels as pictures for a page, with the same queries and limits."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import dashboards
from dashboards import Panel
from formats import quantities
from ops import window as windows
from ops.clients.prometheus import Prometheus
from ops.countdown import Counted
from ops.drawing import line_chart
from ops.drawing.line_chart import Line, Mark
from ops.drawing.signal_pictures import series_name
from ops.window import Window
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
    prometheus: Prometheus, over: Window, panels: Sequence[Panel], alerts: Mapping[str, Alert], drawn: Counted
) -> Iterator[DrawnPanel]:
    """Every panel, drawn one after the other; `drawn` is called with (panels drawn, panels in all).

    Raises what the client raises.
    """
    for done, panel in enumerate(panels, 1):
        yield _drawn(prometheus, panel, over, alerts)
        drawn(done, len(panels))


def _drawn(prometheus: Prometheus, panel: Panel, over: Window, alerts: Mapping[str, Alert]) -> DrawnPanel:
    measured = list(dict.fromkeys(dashboards.measured(query) for query in panel.queries))
    lines = [
        Line(_name(query, series.labels, len(measured) > 1), series.points)
        for query in measured
        for series in windows.history(prometheus, query, over)
    ]
    watched = [alert for alert in alerts.values() if alert.quantity in measured]
    marks = [Mark(alert.limit.text, alert.limit.value, alert.severity) for alert in watched]
    lowest = any(alert.limit.fires_below for alert in watched)
    latest = [line.points[-1][1] for line in lines if line.points] if len(lines) == 1 else []
    return DrawnPanel(
        panel.title,
        panel.row,
        line_chart.inline(lines, marks, over, title=panel.title, unit=panel.unit, lowest=lowest),
        quantities.with_unit(latest[0], panel.unit) if latest else "",
        line_chart.legend(lines),
        tuple(alert.name for alert in watched),
    )


def _name(query: str, labels: Mapping[str, str], several: bool) -> str:
    """`P95` for a quantile among several queries, else the values of its labels."""
    quantile = re.match(r"histogram_quantile\(\s*0\.(\d+)", query)
    if several and quantile:
        return f"P{quantile[1].ljust(2, '0')}"
    return series_name(labels)
