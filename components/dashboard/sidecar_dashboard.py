"""`grafanaMode: sidecar`: a labelled ConfigMap, which a sidecar of Grafana's provisions."""

import pulumi
import pulumi_kubernetes as k8s

from components import ownership
from components.dashboard.dashboard_delivery import DashboardDelivery


class Delivery(DashboardDelivery):
    """Declares one ConfigMap, made after what mode api had made in Grafana has gone."""

    def declare(self, child: pulumi.ResourceOptions) -> None:
        """A ConfigMap with the label by which the sidecar selects."""
        label, value = self.settings.grafana.sidecar_label
        before = self.previous_dashboard(None, child)
        k8s.core.v1.ConfigMap(
            self.uid,
            metadata=ownership.metadata(self.config_map, self.settings, {label: value}),
            data={f"{self.uid}.json": self.text},
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[before])),
        )

    def own_paths(self) -> list[str]:
        """The API path of the ConfigMap."""
        return ownership.api_paths([self.config_map], self.settings)
