"""`alertmanagerMode: secret`: our part in the configuration that others wrote, in a Secret, or all of it.

The mail relay's password, where it is a setting, stands in the text: that is in a Secret anyway, and the Prometheus
Operator, which makes the pods, would undo a mount.
"""

import pulumi

from components.alert_routing.routing_delivery import RoutingDelivery
from components.live.resources import SecretText
from routing import Parts
from routing.inline_password import HIDDEN, PLACE, whole_with_password, with_password


class Delivery(RoutingDelivery):
    """Edits one key of the Secret."""

    edited_servers = ("alertmanager",)

    def declare(self, child: pulumi.ResourceOptions) -> None:
        """The edit. Raises SettingsError."""
        settings = self.settings
        SecretText(
            "alertmanager-config",
            cluster=settings.cluster,
            server=settings.alertmanager,
            editor="replace" if settings.alertmanager_replace else "routing",
            ours=self._whole(PLACE) if settings.alertmanager_replace else self._parts(PLACE).as_json(),
            password=self.inlined,
            alerts=self.alerts,
            sent_by=settings.prometheus,
            ask=settings.other_routes == "ask",
            opts=child,
        )

    def parts(self) -> Parts:
        """Our parts, the password hidden; with `alertmanagerOtherRoutes: continue` others get our alerts too."""
        return self._parts(HIDDEN)

    def whole_config(self) -> str | None:
        """Our alertmanager.yml with this stack's mail settings, the password hidden, if it is to replace theirs."""
        return self._whole(HIDDEN) if self.settings.alertmanager_replace else None

    def own_paths(self) -> list[str]:
        """None: no Secret is made."""
        return []

    def mounted(self) -> list[str]:
        """The Secret, and the one that the Prometheus Operator makes of it."""
        name = self.settings.alertmanager.secret_name
        return [f"Secret/{name}", f"Secret/{name}-generated"]

    @property
    def inlined(self) -> str | None:
        """The mail relay's password, where it is a setting."""
        return self.settings.smtp.password

    def _parts(self, password: str) -> Parts:
        found = self.routing.parts(self.smtp)
        found = found.continuing() if self.settings.other_routes == "continue" else found
        return with_password(found, password, other_files=True) if self.has_password else found

    def _whole(self, password: str) -> str:
        if not self.has_password:
            return self.routing.with_smtp(self.smtp)
        return whole_with_password(self.routing, self.smtp, password)
