"""The rule files, brought to where Prometheus reads them."""

import re
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_kubernetes as k8s
import yaml

from components import ownership as owned
from components.live.resources import ConfigText, Mount
from components.settings import Settings
from rules import RuleFile

# The API server takes objects up to 1 MiB of data; some room is left for names and metadata.
CONFIG_MAP_BYTES = 1_000_000
OPERATED = "api-monitoring-"  # what the name of each PrometheusRule begins with


class AlertRules(pulumi.ComponentResource):
    """Every file of `rules/`, byte for byte, by the way that `settings.rules.mode` names."""

    def __init__(self, files: Sequence[RuleFile], settings: Settings, opts: pulumi.ResourceOptions) -> None:
        super().__init__("monitoring:index:AlertRules", "alert-rules", None, opts)
        self._settings = settings
        # What the component waits for its parts wait for too: on destroy they go first.
        self._child = pulumi.ResourceOptions(parent=self, depends_on=opts.depends_on)
        texts = _texts(files)
        match settings.rules.mode:
            case "dedicated":
                self._dedicated(texts)
            case "shared":
                self._shared(texts)
            case "operator":
                self._operator(texts)
        self.register_outputs({})

    def _dedicated(self, texts: Mapping[str, str]) -> None:
        rules = self._settings.rules
        groups = _spread(texts, self._settings)
        names = list(groups)
        maps = [
            k8s.core.v1.ConfigMap(name, metadata=owned.metadata(name, self._settings), data=data, opts=self._child)
            for name, data in groups.items()
        ]
        source: dict[str, object] = {"configMap": {"name": names[0]}}
        if len(names) > 1:
            source = {"projected": {"sources": [{"configMap": {"name": name}} for name in names]}}
        mount = Mount(
            rules.config_map,
            cluster=self._settings.cluster,
            server=self._settings.prometheus,
            source=source,
            path=rules.mount_path,
            manager=owned.manager(rules.config_map),
            opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=maps)),
        )
        ConfigText(
            "prometheus-config",
            cluster=self._settings.cluster,
            server=self._settings.prometheus,
            editor="rule-files",
            ours=f"{rules.mount_path}/*.yml",
            opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=[mount])),
        )

    def _shared(self, texts: Mapping[str, str]) -> None:
        name = self._settings.rules.shared_config_map
        metadata = {
            "name": name,
            "namespace": self._settings.namespace,
            "annotations": {"pulumi.com/patchFieldManager": owned.manager()},
        }
        k8s.core.v1.ConfigMapPatch(name, metadata=metadata, data=texts, opts=self._child)

    def _operator(self, texts: Mapping[str, str]) -> None:
        for file, text in texts.items():
            name = _operated(file)
            k8s.apiextensions.CustomResource(
                name,
                api_version=owned.RULES_API,
                kind="PrometheusRule",
                metadata=owned.metadata(name, self._settings, self._settings.rules.operator_labels),
                spec=yaml.safe_load(text),
                opts=self._child,
            )


def own(files: Sequence[RuleFile], settings: Settings) -> list[str]:
    """Where the API has the objects that are ours alone; none in shared mode."""
    match settings.rules.mode:
        case "dedicated":
            return owned.paths(_spread(_texts(files), settings), settings)
        case "operator":
            return owned.paths(map(_operated, _texts(files)), settings, "prometheusrules", owned.RULES_API)
        case "shared":
            return []


def shared(files: Sequence[RuleFile], settings: Settings) -> dict[str, object] | None:
    """Where our keys stand in a ConfigMap of others, in shared mode."""
    if settings.rules.mode != "shared":
        return None
    server = settings.prometheus
    return {
        "config_map": settings.rules.shared_config_map,
        "keys": sorted(_texts(files)),
        "deployment": server.deployment,
        "container": server.container,
    }


def _texts(files: Sequence[RuleFile]) -> dict[str, str]:
    return {file.name: file.text for file in files}


def _operated(file: str) -> str:
    """The PrometheusRule of a file: names there have no capitals and no underscores."""
    return f"{OPERATED}{re.sub('[^a-z0-9.]', '-', file.rsplit('.', 1)[0].lower())}"


def _spread(texts: Mapping[str, str], settings: Settings) -> dict[str, dict[str, str]]:
    """The names of our ConfigMaps, each with its files."""
    groups = spread(texts, CONFIG_MAP_BYTES)
    return dict(zip(numbered(settings.rules.config_map, len(groups)), groups, strict=True))


def spread(texts: Mapping[str, str], limit: int) -> list[dict[str, str]]:
    """The files, in their order, in as few groups of at most `limit` bytes as one pass makes.

    Raises pulumi.RunError for a file that is larger by itself.
    """
    groups: list[dict[str, str]] = [{}]
    used = 0
    for name, text in texts.items():
        size = len(name.encode()) + len(text.encode())
        if size > limit:
            raise pulumi.RunError(f"rules/{name} has {size} bytes, and a ConfigMap holds {limit}; split the file.")
        if used + size > limit:
            groups.append({})
            used = 0
        groups[-1][name] = text
        used += size
    return groups


def numbered(name: str, count: int) -> list[str]:
    """`name`, `name-2`, `name-3` …"""
    return [name if i == 1 else f"{name}-{i}" for i in range(1, count + 1)]
