"""What a way of delivering the dashboard has to say of itself. Each stands in a file of its own: MODE_dashboard.py."""

from abc import ABC, abstractmethod

import pulumi

from components.settings import Settings


class DashboardDelivery(ABC):
    """One way in which the dashboard `uid`, whose JSON is `text`, reaches Grafana."""

    def __init__(self, uid: str, text: str, settings: Settings) -> None:
        self.uid, self.text, self.settings = uid, text, settings

    @abstractmethod
    def declare(self, component: pulumi.Resource, child: pulumi.ResourceOptions) -> None:
        """Declare the resources, as children of `component`. Raises SettingsError."""

    def own(self) -> list[str]:
        """Where the Kubernetes API has the objects that are ours alone."""
        return []
