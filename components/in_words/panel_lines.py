"""The dashboard in words."""

from collections.abc import Iterable, Mapping

import dashboards
from components.in_words.digests import digest
from formats.json_types import JsonValue
from rules import Alert


def dashboard_in_words(model: Mapping[str, JsonValue], alerts: Iterable[Alert]) -> list[str]:
    """A line for the dashboard, and one for each row and panel. `model`: as in the file, or as it is deployed.

    The limits of `alerts` are left out, as their own lines say them, and so is where a panel stands: one more panel
    moves many.
    """
    bare = dashboards.without_limits(model, alerts)
    rest = {key: value for key, value in bare.items() if key not in ("panels", "title")}
    return [f"dashboard {model.get('title')} (settings {digest(rest)})", *map(_panel, bare.get("panels") or ())]


def _panel(panel: Mapping[str, JsonValue]) -> str:
    title = str(panel.get("title") or "untitled")
    rest = {key: value for key, value in panel.items() if key not in ("title", "targets", "gridPos")}
    if panel.get("type") == "row":
        return f"row {title} (settings {digest(rest)})"
    return f"panel {title}: {panel.get('type')} (queries {digest(panel.get('targets'))}, settings {digest(rest)})"
