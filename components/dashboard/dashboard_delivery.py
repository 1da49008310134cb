"""The interface of a way of delivering the dashboard. Each way has a file of its own: MODE_dashboard.py."""

import json

import pulumi

from components import ownership
from components.delivery import Delivery
from components.live.resources import PreviousDashboard
from components.settings import Settings

FOLDER_UID = "api-performance"


class DashboardDelivery(Delivery):
    """One way in which the dashboard `uid`, whose JSON is `text`, reaches Grafana."""

    def __init__(self, uid: str, text: str, settings: Settings) -> None:
        self.uid, self.text, self.settings = uid, text, settings

    @property
    def config_map(self) -> str:
        """The name of the ConfigMap that Grafana's sidecar reads."""
        return f"dashboard-{self.uid}"

    def previous_dashboard(self, auth: str | None, opts: pulumi.ResourceOptions) -> PreviousDashboard:
        """The same resource in modes api and sidecar, so that a change of mode is an update of it, before all else."""
        return PreviousDashboard(
            "previous-dashboard",
            settings=self.settings,
            auth=auth,
            uid=self.uid,
            title=str(json.loads(self.text)["title"]),
            folder=FOLDER_UID,
            config_map=self.config_map,
            manager=ownership.manager(),
            opts=opts,
        )
