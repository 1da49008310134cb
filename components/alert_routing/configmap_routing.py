"""`alertmanagerMode: configmap`: our part in the configuration that others wrote, in a ConfigMap."""

from pathlib import PurePosixPath

import pulumi

from components import ownership
from components.alert_routing.routing_delivery import SECRET, RoutingDelivery
from components.live.resources import ConfigText, Mount
from routing import Parts


class Delivery(RoutingDelivery):
    """Edits one key of the ConfigMap, and mounts the mail relay's password where it is a setting."""

    edited_servers = ("alertmanager",)
    editor = "routing"

    def declare(self, child: pulumi.ResourceOptions) -> None:
        """The password's Secret and its mount, where there is one, then the edit. Raises SettingsError."""
        before = self.declare_password(child)
        if before:
            before.append(self._mount(child, before))
        ConfigText(
            "alertmanager-config",
            cluster=self.settings.cluster,
            server=self.settings.alertmanager,
            editor=self.editor,
            ours=self.whole_config() or self.parts().as_json(),
            alerts=self.alerts,
            sent_by=self.settings.prometheus,
            ask=self.settings.other_routes == "ask",
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=before)),
        )

    def mounted(self) -> list[str]:
        """Alertmanager's ConfigMap, and the Secret with the mail relay's password."""
        password = [f"Secret/{SECRET}"] if self.has_password else []
        return [f"ConfigMap/{self.settings.alertmanager.config_map}", *password]

    def parts(self) -> Parts:
        """Our parts; with `alertmanagerOtherRoutes: continue` our routes leave their alerts to those of others too."""
        found = self.routing.parts(self.smtp)
        return found.continuing() if self.settings.other_routes == "continue" else found

    def _mount(self, child: pulumi.ResourceOptions, secrets: list[pulumi.Resource]) -> Mount:
        """The Secret, where the mail settings look for the password."""
        return Mount(
            SECRET,
            cluster=self.settings.cluster,
            server=self.settings.alertmanager,
            source={"secret": {"secretName": SECRET}},
            path=str(PurePosixPath(self.smtp.password_file).parent),
            manager=ownership.manager(SECRET),
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=secrets)),
        )
