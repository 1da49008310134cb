"""`alertmanagerMode: operator`: an AlertmanagerConfig, of which the Prometheus Operator makes Alertmanager's file."""

import pulumi
import pulumi_kubernetes as k8s

from components import ownership
from components.alert_routing import alertmanager_config
from components.alert_routing.routing_delivery import SECRET, RoutingDelivery
from components.live.inputs import OperatorObjects
from components.settings import OPERATOR_SECRET, ROUTING_OBJECT, SettingsError
from formats.json_types import JsonObject
from routing import Parts


class Delivery(RoutingDelivery):
    """Declares one AlertmanagerConfig."""

    def declare(self, child: pulumi.ResourceOptions) -> None:
        """The password's Secret, where there is one, then the AlertmanagerConfig. Raises SettingsError."""
        before = self.declare_password(child)  # the operator mounts it
        spec = self._spec()
        k8s.apiextensions.CustomResource(
            "alertmanager-config",
            api_version=ownership.ROUTING_API,
            kind="AlertmanagerConfig",
            metadata=ownership.metadata(
                ROUTING_OBJECT, self.settings, content=spec, labels=self.settings.rules.operator_labels
            ),
            spec=spec,
            opts=pulumi.ResourceOptions.merge(
                ownership.hidden(child, "spec"), pulumi.ResourceOptions(depends_on=before)
            ),
        )

    def parts(self) -> Parts:
        """Our parts below one route. Raises SettingsError for a password in a file: the operator knows Secrets only."""
        file = self.smtp.password_file
        if file and not self.has_password and not OPERATOR_SECRET.fullmatch(file):
            raise SettingsError(
                f"alertmanagerMode is operator, which takes the mail relay's password from a Secret and not from the "
                f"file {file}: set smtpPassword (--secret), or smtpPasswordFile to "
                "/etc/alertmanager/secrets/SECRET/KEY"
            )
        return alertmanager_config.below_one_route(self.routing.parts(self.smtp), self.alerts)

    def own_paths(self) -> list[str]:
        """The API paths of the AlertmanagerConfig and of the password's Secret."""
        objects = ownership.api_paths([ROUTING_OBJECT], self.settings, "alertmanagerconfigs", ownership.ROUTING_API)
        return [*super().own_paths(), *objects]

    def operator_objects(self) -> OperatorObjects:
        """The AlertmanagerConfig, with the Secrets of others that it refers to. Raises SettingsError."""
        namespace = self.settings.namespace
        return {
            "name": ROUTING_OBJECT,
            "labels": dict(self.settings.rules.operator_labels),
            # Every Secret of others and its key that the object refers to.
            "secrets": [one for one in alertmanager_config.secrets(self._spec()) if one["name"] != self._secret],
            "bare": any(labels.get("namespace") != namespace for labels in self.alerts),
        }

    @property
    def _secret(self) -> str | None:
        return SECRET if self.has_password else None

    def _spec(self) -> JsonObject:
        return alertmanager_config.spec(self.parts(), self._secret)
