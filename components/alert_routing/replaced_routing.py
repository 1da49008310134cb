"""`alertmanagerReplace: true`: our alertmanager.yml replaces the one that is there; destroy puts the old one back."""

from components.alert_routing import configmap_routing


class Delivery(configmap_routing.Delivery):
    """Edits the same key, and writes the whole text."""

    editor = "replace"

    def whole_config(self) -> str:
        """Our alertmanager.yml with this stack's mail settings."""
        return self.routing.with_smtp(self.smtp)
