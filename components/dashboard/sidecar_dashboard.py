"""`grafanaMode: sidecar`: a labelled ConfigMap, which a sidecar of Grafana's provisions."""

import pulumi
import pulumi_kubernetes as k8s

from components import ownership
from components.dashboard.dashboard_delivery import DashboardDelivery


class Delivery(DashboardDelivery):
    """Declares one ConfigMap, made after what mode api had made in Grafana has gone."""

    def declare(self, child: pulumi.ResourceOptions) -> None:
        """A ConfigMap with the label by which the sidecar selects."""
        data = {f"{self.uid}.json": self.text}
        label, value = self.settings.grafana.sidecar_label
        before = self.previous_dashboard(None, child)
        k8s.core.v1.ConfigMap(
            self.uid,
            metadata=ownership.metadata(self.config_map, self.settings, content=data, labels={label: value}),
            data=data,
            opts=pulumi.ResourceOptions.merge(
                ownership.hidden(child, "data"), pulumi.ResourceOptions(depends_on=[before])
            ),
        )

    def own_paths(self) -> list[str]:
        """The API path of the ConfigMap."""
        return ownership.api_paths([self.config_map], self.settings)
