"""`rulesMode: shared`: one more key for each file in the ConfigMap that is mounted already. No restart."""

import pulumi
import pulumi_kubernetes as k8s

from components import ownership
from components.alert_rules.dedicated_rules import CONFIG_MAP_BYTES
from components.alert_rules.rules_delivery import RulesDelivery
from components.in_words import digest
from components.live.inputs import SharedKeys


class Delivery(RulesDelivery):
    """Adds keys to a ConfigMap of others, and takes back those keys only."""

    apart = True

    def declare(self, child: pulumi.ResourceOptions) -> None:
        """A patch of the ConfigMap. Raises pulumi.RunError where all our files are more than a ConfigMap holds."""
        size = sum(len(name.encode()) + len(text.encode()) for name, text in self.texts.items())
        if size > CONFIG_MAP_BYTES:
            raise pulumi.RunError(
                f"rules/ has {size} bytes, and rulesMode shared puts all of them into one ConfigMap, which holds "
                f"{CONFIG_MAP_BYTES}: set rulesMode to dedicated, which makes as many ConfigMaps as are needed"
            )
        name = self.settings.rules.shared_config_map
        metadata = {
            "name": name,
            "namespace": self.settings.namespace,
            "annotations": {
                "pulumi.com/patchFieldManager": ownership.manager(),
                ownership.CONTENT: digest(self.texts),
            },
        }
        k8s.core.v1.ConfigMapPatch(name, metadata=metadata, data=self.texts, opts=ownership.hidden(child, "data"))

    def mounted(self) -> list[str]:
        """The ConfigMap of others."""
        return [f"ConfigMap/{self.settings.rules.shared_config_map}"]

    def shared_keys(self) -> SharedKeys:
        """One key for each rule file."""
        return {"config_map": self.settings.rules.shared_config_map, "keys": sorted(self.texts)}
