"""`alertmanagerMode: tenant`: our part in the Alertmanager configuration of a tenant of Mimir or Cortex, or all of it.

That Alertmanager may read no files, so the mail relay's password stands in its configuration.
"""

import pulumi

from components.alert_routing.inlined_delivery import InlinedDelivery
from components.live.tenant_resources import TenantText
from components.settings import SettingsError
from routing import Parts
from routing.inline_password import whole_with_password, with_password


class Delivery(InlinedDelivery):
    """Edits the tenant's configuration by its API."""

    def declare(self, child: pulumi.ResourceOptions) -> None:
        """The edit. Raises SettingsError."""
        settings = self.settings
        assert settings.alertmanager.tenant is not None  # the settings' reader has made one
        editor, ours = self.written(settings.smtp.password or "")
        TenantText(
            "tenant-alertmanager-config",
            tenant=settings.alertmanager.tenant,
            editor=editor,
            ours=ours,
            alerts=self.alerts,
            sent_by=settings.prometheus,
            ask=settings.other_routes == "ask",
            opts=child,
        )

    def _with_password(self, parts: Parts, password: str) -> Parts:
        self._refuse_password_file()
        return with_password(parts, password)

    def _whole(self, password: str) -> str:
        self._refuse_password_file()
        return whole_with_password(self.routing, self.smtp, password)

    def _refuse_password_file(self) -> None:
        if self.smtp.password_file and not self.has_password:
            raise SettingsError(
                "alertmanagerMode is tenant, where Alertmanager reads no files, so the mail relay's password cannot "
                f"come from {self.smtp.password_file}: set smtpPassword (--secret)"
            )
