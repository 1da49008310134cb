"""`rulesMode: ruler`: our groups in a namespace of their own, by the API of Mimir or Cortex. No Kubernetes object."""

import pulumi

from components.alert_rules.rules_delivery import RulesDelivery
from components.live.tenant_resources import RuleGroups, RulerNamespace
from components.live.text import rule_groups


class Delivery(RulesDelivery):
    """Declares the namespace, then our groups in it."""

    def declare(self, child: pulumi.ResourceOptions) -> None:
        """Raises pulumi.RunError for two groups of one name."""
        tenant, groups = self.settings.prometheus.tenant, self._groups()
        assert tenant is not None  # the settings' reader has made one
        namespace = RulerNamespace(
            "ruler-namespace", tenant=tenant, namespace=self.ruler_namespace(), names=list(groups), opts=child
        )
        RuleGroups(
            "rule-groups",
            tenant=tenant,
            namespace=self.ruler_namespace(),
            groups=groups,
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[namespace])),
        )

    def folder(self) -> str:
        """None: what Prometheus' API calls a file is here the namespace."""
        return ""

    def ruler_namespace(self) -> str:
        """The namespace for our groups."""
        return self.settings.rules.ruler_namespace

    def _groups(self) -> dict[str, str]:
        """All groups: name → YAML. Raises pulumi.RunError for two of one name: a namespace has one of each."""
        found: dict[str, str] = {}
        for file, text in self.texts.items():
            for name, group in rule_groups.split(text).items():
                if name in found:
                    raise pulumi.RunError(
                        f"rules/{file}: there is a second group {name}, and rulesMode ruler puts all of them into one "
                        "namespace: rename one of them"
                    )
                found[name] = group
        return found
