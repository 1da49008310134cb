"""`alertmanagerMode: tenant`: our part in the Alertmanager configuration of a tenant of Mimir or Cortex, or all of it.

That Alertmanager may read no files, so the mail relay's password stands in its configuration.
"""

import pulumi

from components.alert_routing.routing_delivery import RoutingDelivery
from components.live.tenant_resources import TenantText
from components.settings import SettingsError
from routing import Parts
from routing.inline_password import HIDDEN, whole_with_password, with_password


class Delivery(RoutingDelivery):
    """Edits the tenant's configuration by its API."""

    def declare(self, child: pulumi.ResourceOptions) -> None:
        """The edit. Raises SettingsError."""
        settings, password = self.settings, self.settings.smtp.password or ""
        assert settings.alertmanager.tenant is not None  # the settings' reader has made one
        TenantText(
            "tenant-alertmanager-config",
            tenant=settings.alertmanager.tenant,
            editor="replace" if settings.alertmanager_replace else "routing",
            ours=self._whole(password) if settings.alertmanager_replace else self._parts(password).as_json(),
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

    def _parts(self, password: str) -> Parts:
        self._refuse_password_file()
        found = self.routing.parts(self.smtp)
        found = found.continuing() if self.settings.other_routes == "continue" else found
        return with_password(found, password)

    def _whole(self, password: str) -> str:
        self._refuse_password_file()
        return whole_with_password(self.routing, self.smtp, password)

    def _refuse_password_file(self) -> None:
        if self.smtp.password_file and not self.has_password:
            raise SettingsError(
                "alertmanagerMode is tenant, where Alertmanager reads no files, so the mail relay's password cannot "
                f"come from {self.smtp.password_file}: set smtpPassword (--secret)"
            )
