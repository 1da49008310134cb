"""Limits as Grafana draws them: colours from a value upwards, and a line where the colour changes."""

import operator
from collections.abc import Sequence
from itertools import pairwise

from formats.json_types import JsonObject
from rules import Alert

FINE = "green"
COLOURS = {"warning": "orange", "critical": "red"}  # from mild to grave
RUNBOOK = "Runbook: "

_HOLDS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}


def drawn(panel: JsonObject, alerts: Sequence[Alert]) -> JsonObject:
    """The panel with these alerts' limits and runbooks, and no others; a panel without alerts stays as it is."""
    limits = [alert for alert in alerts if alert.severity in COLOURS and alert.limit.operator in _HOLDS]
    if not limits:
        return panel
    defaults = panel["fieldConfig"]["defaults"]
    defaults["thresholds"] = {"mode": "absolute", "steps": steps(limits)}
    if panel["type"] == "timeseries":
        custom = defaults["custom"]
        custom["thresholdsStyle"] = {"mode": "line"}
        # Room for the nearest limit above, else a line outside what the data spans would not be seen.
        above = [alert.limit.value for alert in limits if alert.limit.operator in (">", ">=")]
        custom.pop("axisSoftMax", None)
        if above and min(above) > 0:
            custom["axisSoftMax"] = _number(min(above) * 1.1)
    panel["links"] = [link for link in panel.get("links") or () if not link["title"].startswith(RUNBOOK)] + [
        {"targetBlank": True, "title": f"{RUNBOOK}{alert.name}", "url": alert.annotations["runbook_url"]}
        for alert in limits
        if "runbook_url" in alert.annotations
    ]
    return panel


def undrawn(panel: JsonObject, alerts: Sequence[Alert]) -> JsonObject:
    """The panel without what `drawn` draws for these alerts; a panel without alerts stays as it is."""
    if not alerts:
        return panel
    defaults = panel["fieldConfig"]["defaults"]
    defaults.pop("thresholds", None)
    defaults.get("custom", {}).pop("axisSoftMax", None)
    panel["links"] = [link for link in panel.get("links") or () if not link["title"].startswith(RUNBOOK)]
    return panel


def steps(alerts: Sequence[Alert]) -> list[JsonObject]:
    """The gravest colour that holds in each stretch between limits, from below; neighbours of one colour are one."""
    borders = sorted({alert.limit.value for alert in alerts})
    inside = [borders[0] - 1, *((low + high) / 2 for low, high in pairwise(borders))]
    found: list[JsonObject] = []
    for border, sample in zip([None, *borders], [*inside, borders[-1] + 1], strict=True):
        held = [alert.severity for alert in alerts if _HOLDS[alert.limit.operator](sample, alert.limit.value)]
        colour = max((COLOURS[severity] for severity in held), key=list(COLOURS.values()).index, default=FINE)
        if not found or found[-1]["color"] != colour:
            found.append({"color": colour, "value": None if border is None else _number(border)})
    return found


def _number(value: float) -> float | int:
    rounded = float(f"{value:.6g}")
    return int(rounded) if rounded.is_integer() else rounded
