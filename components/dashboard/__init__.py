"""The dashboard in Grafana, with the limits of the rules, by the way of delivery that `grafanaMode` names."""

from components.dashboard.dashboard_delivery import DashboardDelivery
from components.delivery import Component
from components.settings import Settings


class Dashboard(Component):
    """The dashboard."""

    named = "dashboard"


def dashboard_delivery(uid: str, text: str, settings: Settings) -> DashboardDelivery:
    """The way of delivery in MODE_dashboard.py, for the dashboard `uid` whose JSON is `text`."""
    return DashboardDelivery.of_mode(settings.grafana.mode)(uid, text, settings)
