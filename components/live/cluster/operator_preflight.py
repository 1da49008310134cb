"""Whether the Prometheus Operator would take up our objects, as its own objects show it in a preview.

The input `operated` says which objects these are: "rules" and "routing" → OperatorObjects (components.live.inputs).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from components.live.cluster import operator_overrides
from components.live.cluster.selectors import selects
from components.live.provider import Props, warn
from components.live.text.edit_errors import EditRefused
from formats.json_types import JsonObject, JsonValue
from ops.clients.kubernetes import Kubernetes
from ops.errors import Forbidden, NotFound

_SERVERS = "/apis/monitoring.coreos.com/v1/namespaces"


@dataclass(frozen=True)
class OperatorKind:
    """A kind of our objects, and the operator's objects (servers) whose selectors have to match them."""

    api: str
    kind: str
    server: str
    servers: str
    selector: str
    namespaces: str
    instead: str

    @property
    def a_kind(self) -> str:
        """The kind with its article, for messages."""
        return f"{'an' if self.kind[0] in 'AEIOU' else 'a'} {self.kind}"


OPERATOR_KINDS = {
    "rules": OperatorKind(
        *("monitoring.coreos.com/v1", "PrometheusRule", "Prometheus", "prometheuses"),
        *("ruleSelector", "ruleNamespaceSelector", "rulesMode to dedicated or shared"),
    ),
    "routing": OperatorKind(
        *("monitoring.coreos.com/v1alpha1", "AlertmanagerConfig", "Alertmanager", "alertmanagers"),
        *("alertmanagerConfigSelector", "alertmanagerConfigNamespaceSelector", "alertmanagerMode to configmap"),
    ),
}


def operator_kinds(props: Props) -> list[tuple[str, OperatorKind, Mapping[str, JsonValue]]]:
    """What the operator is to take up, in one order: the engine gives mappings in any order."""
    wanted = props.get("operated") or {}
    return [(part, kind, wanted[part]) for part, kind in OPERATOR_KINDS.items() if part in wanted]


def refuse_what_operator_ignores(cluster: Kubernetes, props: Props) -> None:
    """Raises EditRefused where there is no operator, or where it would not take ours up as we declare it."""
    namespace = props.get("namespace", "")
    for part, kind, ours in operator_kinds(props):
        _refuse_unknown(cluster, kind)
        try:
            found = cluster.get(f"{_SERVERS}/{namespace}/{kind.servers}")["items"]
        except NotFound:  # only some of the operator's definitions are installed
            found = []
        except Forbidden as error:
            warn(f"could not check whether the operator takes up our {kind.kind}: {error}")
            continue
        selecting = [one for one in found if _selects_ours(cluster, namespace, one["spec"], kind, ours["labels"])]
        if not selecting:
            raise EditRefused(_why_not_selected(namespace, found, kind, ours["labels"]))
        for server in selecting:
            if part == "rules":
                operator_overrides.refuse_enforced_label(namespace, server)
            elif ours["bare"]:
                operator_overrides.refuse_added_matcher(props, server)
        _refuse_missing(cluster, namespace, ours.get("secrets") or ())


def _refuse_unknown(cluster: Kubernetes, kind: OperatorKind) -> None:
    try:
        kinds = {one["kind"] for one in cluster.get(f"/apis/{kind.api}")["resources"]}
    except NotFound:
        kinds = set()
    if kind.kind not in kinds:
        raise EditRefused(
            f"the cluster knows no {kind.kind} ({kind.api}): install the Prometheus Operator with its "
            f"CustomResourceDefinitions, or set {kind.instead}"
        )


def _selects_ours(
    cluster: Kubernetes, namespace: str, spec: JsonObject, kind: OperatorKind, labels: Mapping[str, str]
) -> bool:
    if not selects(spec.get(kind.selector), labels):
        return False
    if spec.get(kind.namespaces) is None:
        return True  # its own namespace, which is ours too
    try:
        carried = cluster.get(f"/api/v1/namespaces/{namespace}")["metadata"].get("labels") or {}
    except Forbidden:
        return True
    return selects(spec[kind.namespaces], carried)


def _why_not_selected(namespace: str, servers: list[JsonObject], kind: OperatorKind, labels: Mapping[str, str]) -> str:
    if not servers:
        return (
            f"there is no {kind.server} object in namespace {namespace} for which an operator would take up our "
            f"{kind.kind}: is the namespace right? Where no operator runs, set {kind.instead}"
        )
    each = "; ".join(f"{one['metadata']['name']}: {one['spec'].get(kind.selector)}" for one in servers)
    ours = ",".join(f"{key}={value}" for key, value in labels.items())
    return (
        f"no {kind.server} object in namespace {namespace} selects {kind.a_kind} there with the labels {ours}: set "
        f"operatorLabels to what its {kind.selector} and {kind.namespaces} ask for ({each})"
    )


def _refuse_missing(cluster: Kubernetes, namespace: str, secrets: JsonValue) -> None:
    for secret in secrets:
        try:
            held = cluster.get(f"/api/v1/namespaces/{namespace}/secrets/{secret['name']}").get("data") or {}
        except Forbidden:
            return  # a pull request's account should not read Secrets; the operator reports a missing one later
        except NotFound:
            raise EditRefused(
                f"Secret {namespace}/{secret['name']}, which our AlertmanagerConfig needs, is not there"
            ) from None
        if secret["key"] not in held:
            raise EditRefused(
                f"Secret {namespace}/{secret['name']} has no key {secret['key']}, which our routing needs"
            )
