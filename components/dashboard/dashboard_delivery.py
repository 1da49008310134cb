"""The interface of a way of delivering the dashboard. Each way has a file of its own: MODE_dashboard.py."""

from components.delivery import Delivery
from components.settings import Settings


class DashboardDelivery(Delivery):
    """One way in which the dashboard `uid`, whose JSON is `text`, reaches Grafana."""

    def __init__(self, uid: str, text: str, settings: Settings) -> None:
        self.uid, self.text, self.settings = uid, text, settings
