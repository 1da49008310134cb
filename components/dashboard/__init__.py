"""The dashboard, with its limits drawn from the rules, in Grafana, by the way that `grafanaMode` names."""

from importlib import import_module
from typing import cast

import pulumi

from components.dashboard.delivery import DashboardDelivery
from components.settings import Settings


class Dashboard(pulumi.ComponentResource):
    """The dashboard."""

    def __init__(self, delivery: DashboardDelivery, opts: pulumi.ResourceOptions) -> None:
        super().__init__("monitoring:index:Dashboard", "dashboard", None, opts)
        # What the component waits for its parts wait for too: on destroy they go first.
        delivery.declare(self, pulumi.ResourceOptions(parent=self, depends_on=opts.depends_on))
        self.register_outputs({})


def dashboard_delivery(uid: str, text: str, settings: Settings) -> DashboardDelivery:
    """The way of delivery in MODE_dashboard.py, for the dashboard `uid` whose JSON is `text`."""
    module = import_module(f"components.dashboard.{settings.grafana.mode}_dashboard")
    return cast(DashboardDelivery, module.Delivery(uid, text, settings))
