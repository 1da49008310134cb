"""`grafanaMode: api`: by Grafana's HTTP API, with a folder; a dashboard that was there before is kept."""

import os

import pulumi
import pulumiverse_grafana as grafana

from components.dashboard.dashboard_delivery import DashboardDelivery
from components.in_words import digest
from components.live.resources import DashboardFolder, PreviousDashboard
from components.settings import SettingsError

FOLDER_UID = "api-performance"


class Delivery(DashboardDelivery):
    """Declares the folder, what stood under our uid before, and the dashboard."""

    def declare(self, child: pulumi.ResourceOptions) -> None:
        """In this order. Raises SettingsError where there are no credentials."""
        chosen = self.settings.grafana
        auth = chosen.auth or os.environ.get("GRAFANA_AUTH")
        if not auth:
            raise SettingsError(
                "grafanaAuth is not set: run `pulumi config set --secret grafanaAuth`, which asks for it, or put the "
                "token in the environment variable GRAFANA_AUTH"
            )
        provider = grafana.Provider(
            "grafana",
            url=chosen.url,
            auth=pulumi.Output.secret(auth),
            # Three more attempts, 1 s apart: by default they take 14 s.
            retry_wait=1,
            # If true, each change of content is a replacement. Set here, as an environment variable can switch it on.
            store_dashboard_sha256=False,
            opts=pulumi.ResourceOptions(parent=child.parent),
        )
        folder = DashboardFolder("folder", url=chosen.url, auth=auth, uid=FOLDER_UID, title=chosen.folder, opts=child)
        before = PreviousDashboard(
            "previous-dashboard",
            url=chosen.url,
            auth=auth,
            uid=self.uid,
            adopt=chosen.adopt,
            opts=pulumi.ResourceOptions(parent=child.parent, depends_on=[folder]),
        )
        grafana.oss.Dashboard(
            self.uid,
            config_json=self.text,
            folder=folder.uid,
            # `before` refuses a dashboard of others. Anything else under our uid is ours, perhaps from an `up` that was
            # killed before the state had it.
            overwrite=True,
            # In the dashboard's history; a preview hides the JSON, and this shows that it changes.
            message=f"Deployed by Pulumi, content {digest(self.text)}",
            opts=pulumi.ResourceOptions(
                hide_diffs=["configJson"],
                parent=child.parent,
                provider=provider,
                depends_on=[before],
                # Made again if somebody has deleted it. Deleted first: both have one uid, so the other order would end
                # with none.
                replacement_trigger=before.made,
                delete_before_replace=True,
                # A dashboard that we took over is put back over ours: so its history and permissions stay.
                retain_on_delete=chosen.adopt,
            ),
        )
