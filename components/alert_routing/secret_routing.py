"""`alertmanagerMode: secret`: our part in the configuration that others wrote, in a Secret, or all of it.

The mail relay's password, where it is a setting, stands in the text: that is in a Secret anyway, and the Prometheus
Operator, which makes the pods, would undo a mount.
"""

import pulumi

from components.alert_routing.inlined_delivery import InlinedDelivery
from components.live.resources import SecretText
from routing import Parts
from routing.inline_password import PLACE, whole_with_password, with_password


class Delivery(InlinedDelivery):
    """Edits one key of the Secret."""

    edited_servers = ("alertmanager",)

    def declare(self, child: pulumi.ResourceOptions) -> None:
        """The edit. Raises SettingsError."""
        settings = self.settings
        editor, ours = self.written(PLACE)
        SecretText(
            "alertmanager-config",
            cluster=settings.cluster,
            server=settings.alertmanager,
            editor=editor,
            ours=ours,
            password=self.inlined,
            alerts=self.alerts,
            sent_by=settings.prometheus,
            ask=settings.other_routes == "ask",
            opts=child,
        )

    def mounted(self) -> list[str]:
        """The Secret, and the one that the Prometheus Operator makes of it."""
        name = self.settings.alertmanager.secret_name
        return [f"Secret/{name}", f"Secret/{name}-generated"]

    @property
    def inlined(self) -> str | None:
        """The mail relay's password, where it is a setting."""
        return self.settings.smtp.password

    def _with_password(self, parts: Parts, password: str) -> Parts:
        return with_password(parts, password, other_files=True) if self.has_password else parts

    def _whole(self, password: str) -> str:
        if not self.has_password:
            return self.routing.with_smtp(self.smtp)
        return whole_with_password(self.routing, self.smtp, password)
