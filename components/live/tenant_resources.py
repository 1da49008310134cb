"""The dynamic resources of a tenant of Mimir or Cortex: their inputs and their providers.

As in components.live.resources: the state of every stack has the names of the providers and of this module.
"""

from collections.abc import Mapping, Sequence

import pulumi

from components.live.inputs import (
    RuleGroupsInputs,
    RulerNamespaceInputs,
    TenantTextInputs,
    server_inputs,
    tenant_inputs,
    tenant_place,
)
from components.live.provider import Provider
from components.live.resources import HANDLERS, DynamicResource
from components.settings import Server, Tenant


class RulerNamespaceProvider(Provider):
    """The provider of `RulerNamespace`."""

    handler = f"{HANDLERS}.ruler_namespace_handler:RulerNamespaceHandler"


class RuleGroupsProvider(Provider):
    """The provider of `RuleGroups`."""

    handler = f"{HANDLERS}.rule_groups_handler:RuleGroupsHandler"


class TenantTextProvider(Provider):
    """The provider of `TenantText`."""

    handler = f"{HANDLERS}.tenant_text_handler:TenantTextHandler"


class RulerNamespace(DynamicResource, module="monitoring", name="RulerNamespace"):
    """The namespace that is for our groups (`names`) alone: made before them, deleted after them."""

    provider = RulerNamespaceProvider
    secret = ()

    def __init__(
        self, name: str, *, tenant: Tenant, namespace: str, names: Sequence[str], opts: pulumi.ResourceOptions
    ) -> None:
        inputs: RulerNamespaceInputs = {
            "tenant": tenant_inputs(tenant),
            "place": tenant_place(tenant),
            "namespace": namespace,
            "names": list(names),
        }
        super().__init__(name, {**inputs}, opts)


class RuleGroups(DynamicResource, module="monitoring", name="RuleGroups"):
    """Our groups, name → YAML, in that namespace."""

    provider = RuleGroupsProvider
    secret = ()
    hidden = ("groups",)  # the component says it in words

    def __init__(
        self, name: str, *, tenant: Tenant, namespace: str, groups: Mapping[str, str], opts: pulumi.ResourceOptions
    ) -> None:
        inputs: RuleGroupsInputs = {
            "tenant": tenant_inputs(tenant),
            "place": tenant_place(tenant),
            "namespace": namespace,
            "groups": dict(groups),
            "drift": None,
        }
        super().__init__(name, {**inputs}, opts)


class TenantText(DynamicResource, module="monitoring", name="TenantText"):
    """Our part of a tenant's Alertmanager configuration; the arguments are those of `ConfigText`."""

    provider = TenantTextProvider
    secret = ("ours", "before", "after")
    hidden = ("ours", "alerts")

    def __init__(
        self,
        name: str,
        *,
        tenant: Tenant,
        editor: str,
        ours: str,
        alerts: Sequence[Mapping[str, str]],
        sent_by: Server,
        ask: bool,
        opts: pulumi.ResourceOptions,
    ) -> None:
        inputs: TenantTextInputs = {
            "tenant": tenant_inputs(tenant),
            "place": tenant_place(tenant),
            "editor": editor,
            "ours": pulumi.Output.secret(ours),
            "alerts": [dict(sorted(labels.items())) for labels in alerts],
            "prometheus": server_inputs(sent_by),
            "ask": ask,
            "before": None,
            "after": None,
            "drift": None,
        }
        super().__init__(name, {**inputs}, opts)
