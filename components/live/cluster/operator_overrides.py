"""Settings by which the Prometheus Operator changes our rules and routes on their way to the servers."""

from components.live.cluster import connections
from components.live.provider import Props
from components.live.text.edit_errors import EditRefused
from formats.json_types import JsonObject
from ops.errors import OpsError
from routing import RoutingError, tree

ADDED_MATCHER = (
    'namespace="{}", a label that our alerts do not have, so they would reach nobody: set that object\'s '
    "alertmanagerConfigMatcherStrategy to type OnNamespaceExceptForAlertmanagerNamespace, or None"
)


def refuse_enforced_label(namespace: str, server: JsonObject) -> None:
    """Raises EditRefused where a Prometheus object makes the operator write a matcher into every query."""
    label = server["spec"].get("enforcedNamespaceLabel")
    left_out = server["spec"].get("excludedFromEnforcement") or ()
    if label and not any((one["resource"], one["namespace"]) == ("prometheusrules", namespace) for one in left_out):
        raise EditRefused(
            f'Prometheus object {server["metadata"]["name"]} has the operator write {label}="{namespace}" into every '
            "query (enforcedNamespaceLabel), so ours would see no other namespace's metrics: list prometheusrules of "
            f"namespace {namespace} in its excludedFromEnforcement, or set rulesMode to dedicated or shared"
        )


def refuse_added_matcher(props: Props, server: JsonObject) -> None:
    """Raises EditRefused where the operator adds a matcher to our routes that our alerts do not match."""
    namespace = props["namespace"]
    strategy = (server["spec"].get("alertmanagerConfigMatcherStrategy") or {}).get("type", "OnNamespace")
    if strategy == "OnNamespace" and external_label(props, "namespace") != namespace:
        raise EditRefused(
            f"Alertmanager object {server['metadata']['name']} has the operator add a matcher to our routes: "
            + ADDED_MATCHER.format(namespace)
        )


def external_label(props: Props, label: str) -> str | None:
    """The value of Prometheus' external label of that name; None where it has none, or cannot be asked."""
    if not props.get("prometheus"):
        return None
    try:
        config = tree.parse(connections.prometheus(props).config(), "Prometheus' configuration")
    except (OpsError, RoutingError):
        return None
    return ((config.get("global") or {}).get("external_labels") or {}).get(label)
