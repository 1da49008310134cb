"""`grafanaMode: api`: by Grafana's HTTP API, with a folder; a dashboard that was there before is kept."""

import os

import pulumi
import pulumiverse_grafana as grafana

from components.dashboard.dashboard_delivery import FOLDER_UID, DashboardDelivery
from components.in_words import digest
from components.live.resources import DashboardFolder
from components.settings import SettingsError, organisation_sent


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
        folder = DashboardFolder("folder", auth=auth, grafana=chosen, uid=FOLDER_UID, opts=child)
        before = self.previous_dashboard(auth, pulumi.ResourceOptions(parent=child.parent, depends_on=[folder]))
        organisation = organisation_sent(auth, chosen.organisation)
        grafana.oss.Dashboard(
            self.uid,
            config_json=self.text,
            folder=folder.uid,
            # Named here, as an environment variable can name another for the provider. `before` asks in the same one.
            org_id=str(organisation) if organisation else None,
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
                # `before` deletes it, or puts back over it what it took over: so its history and permissions stay. And
                # Grafana deletes no dashboard that the ConfigMap of mode sidecar provisions by then.
                retain_on_delete=True,
            ),
        )
