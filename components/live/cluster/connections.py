"""The clients of a resource's cluster and servers, made from its inputs (components.live.inputs)."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache

from components.live.provider import Props, warn
from formats.json_types import JsonValue
from ops.clients.alertmanager import Alertmanager
from ops.clients.http import Http
from ops.clients.kubernetes import Kubernetes
from ops.clients.prometheus import Prometheus
from ops.clients.replicas import Replicas, replicas_of
from ops.clients.server_access import server_http
from ops.clients.tenant import Ruler, TenantAlertmanager, tenant_http
from ops.errors import Forbidden, OpsError
from routing.sent_labels import UNCHANGED


def kubernetes(inputs: Props) -> Kubernetes:
    """The cluster of a resource, by its inputs `kubeconfig` and `context`."""
    return _connected(inputs.get("kubeconfig"), inputs.get("context"))


@lru_cache(maxsize=8)
def _connected(kubeconfig: str | None, context: str | None) -> Kubernetes:
    """One for the plugin's process: credentials are read, and exec plugins run, once an operation."""
    return Kubernetes(kubeconfig, context)


@contextmanager
def warning_if_forbidden(cluster: Kubernetes, namespace: str) -> Iterator[None]:
    """Around a patch that is only tried: warn where this account may not write, and go on.

    An account that may write nothing at all is one for previews (docs/rbac/preview.yml), and is no news.
    """
    try:
        yield
    except Forbidden as error:
        with suppress(OpsError):
            if cluster.is_read_only(namespace):
                return
        warn(f"`up` would fail with this account: {error}")


def http(inputs: Props, server: Mapping[str, JsonValue], name: str) -> Http:
    """By the server's URL, or through the API server's service proxy; as a tenant where it is Mimir's or Cortex'."""
    return server_http(server, lambda: (kubernetes(inputs), inputs["namespace"]), name=name)


def replicas(inputs: Props, kind: str, verbs: Sequence[str] = ("get",)) -> Replicas:
    """Each replica of the server `kind` that can be asked; `verbs`: what is to be done to it through the API server.

    Raises ops.errors where there is no way to the cluster.
    """
    return replicas_of(
        inputs[kind], lambda: (kubernetes(inputs), inputs["namespace"]), name=kind.capitalize(), verbs=verbs
    )


def prometheus(inputs: Props, at: Http | None = None) -> Prometheus:
    """Prometheus, by the input of that name, or one replica (`at`). Raises ops.errors where there is no way to it."""
    server = inputs["prometheus"]
    return Prometheus(at or http(inputs, server, "Prometheus"), of_tenant=bool(server.get("tenant")))


def alertmanager(inputs: Props, at: Http | None = None) -> Alertmanager:
    """Alertmanager, in the same way."""
    server = inputs["alertmanager"]
    return Alertmanager(at or http(inputs, server, "Alertmanager"), of_tenant=bool(server.get("tenant")))


def arriving(inputs: Props) -> list[Mapping[str, str]]:
    """The label sets of our alerts as they arrive; as in the rules where Prometheus cannot be asked."""
    alerts = inputs.get("alerts") or ()
    sender = UNCHANGED
    if alerts and inputs.get("prometheus"):
        with suppress(OpsError):  # `Live` warns of a server that does not answer
            sender = prometheus(inputs).sender()
    return [labels for alert in alerts for labels in sender.sent(alert)]


def ruler(tenant: Mapping[str, JsonValue]) -> Ruler:
    """The API for a tenant's rules, by a resource's input `tenant`. Raises ops.errors for a file that is missing."""
    return Ruler(tenant_http(tenant["url"], tenant, name="The ruler"), tenant["api"])


def tenant_alertmanager(tenant: Mapping[str, JsonValue]) -> TenantAlertmanager:
    """The API for a tenant's Alertmanager configuration. Raises ops.errors for a file that is missing."""
    return TenantAlertmanager(tenant_http(tenant["url"], tenant, name="The tenant's Alertmanager"))
