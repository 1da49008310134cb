"""`rulesMode: operator`: one PrometheusRule a file, of which the Prometheus Operator makes Prometheus' files."""

import re

import pulumi
import pulumi_kubernetes as k8s
import yaml

from components import ownership
from components.alert_rules.rules_delivery import RulesDelivery
from components.live.inputs import OperatorObjects
from formats.json_types import JsonValue

# Of each PrometheusRule the operator makes one file, and logs an error for one that is larger than half a ConfigMap.
FILE_BYTES = 512 * 1024
PREFIX = "api-monitoring-"  # what the name of each PrometheusRule begins with


class Delivery(RulesDelivery):
    """Declares PrometheusRules."""

    def declare(self, child: pulumi.ResourceOptions) -> None:
        """One PrometheusRule for each file. Raises pulumi.RunError for one of which the operator makes no file."""
        for file, text in self.texts.items():
            if len(text.encode()) > FILE_BYTES:
                raise pulumi.RunError(
                    f"rules/{file} has {len(text.encode())} bytes, and the Prometheus Operator takes no rule file of "
                    f"more than {FILE_BYTES}: split the file"
                )
            name = object_name(file)
            written = spec(text)
            k8s.apiextensions.CustomResource(
                name,
                api_version=ownership.RULES_API,
                kind="PrometheusRule",
                metadata=ownership.metadata(
                    name, self.settings, content=written, labels=self.settings.rules.operator_labels
                ),
                spec=written,
                opts=ownership.hidden(child, "spec"),
            )

    def own_paths(self) -> list[str]:
        """The API paths of the PrometheusRules."""
        return ownership.api_paths(map(object_name, self.texts), self.settings, "prometheusrules", ownership.RULES_API)

    def folder(self) -> str:
        """Not known: the operator chooses it."""
        return ""

    def operator_objects(self) -> OperatorObjects:
        """The PrometheusRules, by what their names begin with."""
        return {"name": PREFIX, "labels": dict(self.settings.rules.operator_labels)}


def spec(text: str) -> dict[str, JsonValue]:
    """The groups as the API server takes them: every value a text, as labels have to be, but for a group's limit."""
    found: dict[str, JsonValue] = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - it makes texts only
    for group in found["groups"]:
        if "limit" in group:
            group["limit"] = int(group["limit"])
        for part in (group, *(group.get("rules") or ())):
            for key in ("labels", "annotations", "rules"):
                if part.get(key) == "":  # null, or nothing written
                    del part[key]
    return found


def object_name(file: str) -> str:
    """The PrometheusRule of a file: names there have no capitals and no underscores."""
    return f"{PREFIX}{re.sub('[^a-z0-9.]', '-', file.rsplit('.', 1)[0].lower())}"
