"""`grafanaMode: api`: by Grafana's HTTP API, with its folder, and with what stood there before us kept."""

import os

import pulumi
import pulumiverse_grafana as grafana

from components.dashboard.delivery import DashboardDelivery
from components.live.resources import DashboardFolder, PreviousDashboard
from components.settings import SettingsError

FOLDER_UID = "api-performance"


class Delivery(DashboardDelivery):
    def declare(self, child: pulumi.ResourceOptions) -> None:
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
            # With it each change of content is a replacement; the environment must not switch it on.
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
            # Whether something else may be replaced is decided by `before`; what it finds later is ours, be it made by
            # an `up` that was killed before it could write that down.
            overwrite=True,
            message="Deployed by Pulumi",
            opts=pulumi.ResourceOptions(
                parent=child.parent,
                provider=provider,
                depends_on=[before],
                # Deleted by somebody, it is made again. (Made first and deleted then, it would be gone: one uid.)
                replacement_trigger=before.made,
                delete_before_replace=True,
                # What was taken over is put back over ours, so that its history and permissions survive.
                retain_on_delete=chosen.adopt,
            ),
        )
