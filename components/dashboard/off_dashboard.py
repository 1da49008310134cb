"""`grafanaMode: off`: no dashboard."""

import pulumi

from components.dashboard.dashboard_delivery import DashboardDelivery


class Delivery(DashboardDelivery):
    """Declares nothing."""

    def declare(self, child: pulumi.ResourceOptions) -> None:
        """Say that there is no dashboard."""
        pulumi.log.info("grafanaMode is off: the dashboard is not deployed", child.parent)
