"""`rulesMode: dedicated`: ConfigMaps of our own, mounted, and named in `rule_files`. Restarts Prometheus once."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s

from components import ownership
from components.alert_rules.rules_delivery import RulesDelivery
from components.live.resources import ConfigText, Mount

# The API server takes up to 1 MiB of data in a ConfigMap; the rest is for names and metadata.
CONFIG_MAP_BYTES = 1_000_000


class Delivery(RulesDelivery):
    """Declares ConfigMaps, one mount for all of them, and one entry in `rule_files`."""

    edited_servers = ("prometheus",)

    def declare(self, child: pulumi.ResourceOptions) -> None:
        """In the order in which one needs the other. Raises pulumi.RunError for a file that no ConfigMap holds."""
        rules = self.settings.rules
        groups = self._config_maps()
        names = list(groups)
        maps = [
            k8s.core.v1.ConfigMap(
                name,
                metadata=ownership.metadata(name, self.settings, content=data),
                data=data,
                opts=ownership.hidden(child, "data"),
            )
            for name, data in groups.items()
        ]
        source: dict[str, object] = {"configMap": {"name": names[0]}}
        if len(names) > 1:
            source = {"projected": {"sources": [{"configMap": {"name": name}} for name in names]}}
        mount = Mount(
            rules.config_map,
            cluster=self.settings.cluster,
            server=self.settings.prometheus,
            source=source,
            path=rules.mount_path,
            manager=ownership.manager(rules.config_map),
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=maps)),
        )
        ConfigText(
            "prometheus-config",
            cluster=self.settings.cluster,
            server=self.settings.prometheus,
            editor="rule-files",
            ours=f"{rules.mount_path}/*.yml",
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[mount])),
        )

    def own_paths(self) -> list[str]:
        """The API paths of the ConfigMaps. Raises pulumi.RunError as `declare` does."""
        return ownership.api_paths(self._config_maps(), self.settings)

    def mounted(self) -> list[str]:
        """Our ConfigMaps, and the one with `rule_files`. Raises pulumi.RunError as `declare` does."""
        return [f"ConfigMap/{name}" for name in (*self._config_maps(), self.settings.prometheus.config_map)]

    def _config_maps(self) -> dict[str, dict[str, str]]:
        """The names of our ConfigMaps, each with its files."""
        groups = spread(self.texts, CONFIG_MAP_BYTES)
        return dict(zip(numbered(self.settings.rules.config_map, len(groups)), groups, strict=True))


def spread(texts: Mapping[str, str], limit: int) -> list[dict[str, str]]:
    """The files, in their order, in as few groups of at most `limit` bytes as one pass makes.

    Raises pulumi.RunError for a file that is larger by itself.
    """
    groups: list[dict[str, str]] = [{}]
    used = 0
    for name, text in texts.items():
        size = len(name.encode()) + len(text.encode())
        if size > limit:
            raise pulumi.RunError(f"rules/{name} has {size} bytes, and a ConfigMap holds {limit}: split the file")
        if used + size > limit:
            groups.append({})
            used = 0
        groups[-1][name] = text
        used += size
    return groups


def numbered(name: str, count: int) -> list[str]:
    """`name`, `name-2`, `name-3` …"""
    return [name if i == 1 else f"{name}-{i}" for i in range(1, count + 1)]
