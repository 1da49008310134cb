"""The dashboard, with its limits drawn from the rules, in Grafana."""

import os

import pulumi
import pulumi_kubernetes as k8s
import pulumiverse_grafana as grafana

from components import ownership as owned
from components.live.resources import DashboardFolder, PreviousDashboard
from components.settings import Settings, SettingsError

FOLDER_UID = "api-performance"


class Dashboard(pulumi.ComponentResource):
    """The dashboard `uid`, whose JSON is `text`, by the way that `settings.grafana.mode` names."""

    def __init__(self, uid: str, text: str, settings: Settings, opts: pulumi.ResourceOptions) -> None:
        super().__init__("monitoring:index:Dashboard", "dashboard", None, opts)
        self._settings = settings
        # What the component waits for its parts wait for too: on destroy they go first.
        self._child = pulumi.ResourceOptions(parent=self, depends_on=opts.depends_on)
        match settings.grafana.mode:
            case "api":
                self._by_api(uid, text)
            case "sidecar":
                self._by_sidecar(uid, text)
            case "off":
                pulumi.log.info("grafanaMode is off: the dashboard is not deployed.", self)
        self.register_outputs({})

    def _by_api(self, uid: str, text: str) -> None:
        chosen = self._settings.grafana
        auth = chosen.auth or os.environ.get("GRAFANA_AUTH")
        if not auth:
            raise SettingsError(
                "grafanaAuth is not set; run `pulumi config set --secret grafanaAuth`, which asks for it, or put the "
                "token in the environment variable GRAFANA_AUTH."
            )
        provider = grafana.Provider(
            "grafana",
            url=chosen.url,
            auth=pulumi.Output.secret(auth),
            # Three more attempts, 1 s apart: by default they take 14 s.
            retry_wait=1,
            # With it each change of content is a replacement; the environment must not switch it on.
            store_dashboard_sha256=False,
            opts=pulumi.ResourceOptions(parent=self),
        )
        folder = DashboardFolder(
            "folder", url=chosen.url, auth=auth, uid=FOLDER_UID, title=chosen.folder, opts=self._child
        )
        before = PreviousDashboard(
            "predecessor",
            url=chosen.url,
            auth=auth,
            uid=uid,
            adopt=chosen.adopt,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[folder]),
        )
        grafana.oss.Dashboard(
            uid,
            config_json=text,
            folder=folder.uid,
            # Whether something else may be replaced is decided by `before`; what it finds later is ours, be it made by
            # an `up` that was killed before it could write that down.
            overwrite=True,
            message="Deployed by Pulumi",
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=provider,
                depends_on=[before],
                # Deleted by somebody, it is made again. (Made first and deleted then, it would be gone: one uid.)
                replacement_trigger=before.made,
                delete_before_replace=True,
                # What was taken over is put back over ours, so that its history and permissions survive.
                retain_on_delete=chosen.adopt,
            ),
        )

    def _by_sidecar(self, uid: str, text: str) -> None:
        label, value = self._settings.grafana.sidecar_label
        k8s.core.v1.ConfigMap(
            uid,
            metadata=owned.metadata(_config_map(uid), self._settings, {label: value}),
            data={f"{uid}.json": text},
            opts=self._child,
        )


def own(uid: str, settings: Settings) -> list[str]:
    """Where the API has the object that is ours alone: none where Grafana's own API takes the dashboard."""
    return owned.paths([_config_map(uid)], settings) if settings.grafana.mode == "sidecar" else []


def _config_map(uid: str) -> str:
    return f"dashboard-{uid}"
