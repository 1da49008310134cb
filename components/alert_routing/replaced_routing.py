"""`alertmanagerReplace: true`: our routing in the place of the configuration there is; the old one comes back."""

from components.alert_routing import configmap_routing


class Delivery(configmap_routing.Delivery):
    editor = "replace"

    def whole_config(self) -> str:
        return self.routing.with_smtp(self.smtp)
