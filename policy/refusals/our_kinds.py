"""Policy `only-our-kinds`: a resource is of a kind that this program makes."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from refusals.seen import CONFIG_MAP, CONFIG_MAP_PATCH, DASHBOARD, DYNAMIC, PROVIDER, SECRET, STACK, Seen, setting

KINDS: Final = (
    STACK,
    CONFIG_MAP,
    CONFIG_MAP_PATCH,
    SECRET,
    "kubernetes:monitoring.coreos.com/v1:PrometheusRule",
    "kubernetes:monitoring.coreos.com/v1alpha1:AlertmanagerConfig",
    DASHBOARD,
    *(f"{DYNAMIC}{kind}" for kind in ("ConfigText", "SecretText", "Mount", "DashboardFolder", "PreviousDashboard")),
    *(f"{DYNAMIC}{kind}" for kind in ("RulerNamespace", "RuleGroups", "TenantText", "Live", "Withdrawn")),
    *(f"monitoring:index:{component}" for component in ("AlertRules", "AlertRouting", "Dashboard")),
    *(f"{PROVIDER}{provider}" for provider in ("kubernetes", "grafana", "pulumi-python")),
)
SCHEMA: Final = {
    "alsoKinds": setting([], "further types that the program may make, such as kubernetes:core/v1:Service"),
}


def refuse(seen: Seen, given: Mapping[str, Any]) -> Iterator[str]:
    """One sentence where the kind is not among ours; `given`: the settings of SCHEMA."""
    if seen.type not in (*KINDS, *given["alsoKinds"]):
        yield (
            f"{seen.label} is of a kind that this program may not make ({seen.type}): take it out of the program, or "
            "ask the owners of the stack to allow it by alsoKinds"
        )
