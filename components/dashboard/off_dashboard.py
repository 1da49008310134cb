"""`grafanaMode: off`: no dashboard."""

import pulumi

from components.dashboard.delivery import DashboardDelivery


class Delivery(DashboardDelivery):
    def declare(self, child: pulumi.ResourceOptions) -> None:
        pulumi.log.info("grafanaMode is off: the dashboard is not deployed", child.parent)
