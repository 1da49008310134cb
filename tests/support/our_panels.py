"""The panels of our dashboard. Tests take a panel's title from here: the dashboard's file alone gives it."""

import dashboards
import rules


def panel_of(alert: str) -> str:
    """The title of the first panel that draws this alert's signal."""
    quantity = rules.alerts()[alert].quantity
    panels = dashboards.load().panels
    return next(panel.title for panel in panels if quantity in map(dashboards.measured, panel.queries))
