"""The inputs of the dynamic resources, as the state keeps them.

Inputs that only the handler knows (`before`, `drift` …) are None in the program, and outputs in the state.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import NotRequired, TypedDict, cast

import pulumi

from components.settings import Cluster, Credentials, Server, Tenant
from formats.json_types import JsonValue

ACCESS = ("kubeconfig", "context")  # the inputs of every resource that say how the cluster is reached

# What `Live` and `Withdrawn` compare: a change of any is an update.
COMPARED = (
    *("namespace", "prometheus", "alertmanager", "wanted", "folder", "ruler_namespace", "apart", "operated", "inlined"),
    *("annotated", *ACCESS),
)


class ClusterInputs(TypedDict):
    """How the cluster is reached; the kubeconfig, contents or path, as a secret."""

    kubeconfig: pulumi.Input[str] | None
    context: str | None
    namespace: str


class CredentialsInputs(TypedDict):
    """`Credentials` of the settings, as data; password and token as secrets."""

    settings: str
    user: str | None
    password: pulumi.Input[str] | None
    token: pulumi.Input[str] | None
    ca_file: str | None
    cert_file: str | None
    key_file: str | None


class TenantInputs(TypedDict):
    """A `Tenant` of the settings, as data."""

    url: str
    api: str
    id: str | None
    credentials: CredentialsInputs


class ServerInputs(TypedDict):
    """A `Server` of the settings, as data."""

    kind: str
    workload: str
    deployment: str
    container: str
    config_map: str
    config_key: str
    config_maps: Sequence[str]
    service: str
    url: str | None
    more_urls: Sequence[str]
    reload: str
    credentials: CredentialsInputs
    tenant: TenantInputs | None
    secret_name: str


class ConfigTextInputs(ClusterInputs):
    """Key `key` of ConfigMap `config_map`, and what `editor` writes there."""

    config_map: str
    key: str
    editor: str
    ours: str
    alerts: Sequence[Mapping[str, str]]
    prometheus: ServerInputs | None  # that sends the alerts
    ask: bool
    before: str | None  # the text without ours
    after: str | None  # the text as we left it
    drift: str | None  # what somebody else did to our part, in words; "" for nothing


class SecretTextInputs(ClusterInputs):
    """Key `key` of Secret `secret_name`, and what `editor` writes there; `password` goes where `ours` has its place."""

    secret_name: str
    key: str
    editor: str
    ours: str  # without the password (routing.inline_password)
    password: pulumi.Input[str] | None
    alerts: Sequence[Mapping[str, str]]
    prometheus: ServerInputs | None  # that sends the alerts
    ask: bool
    before: str | None  # the text without ours
    after: str | None  # the text as we left it
    drift: str | None


class RulerNamespaceInputs(TypedDict):
    """Namespace `namespace` of a tenant's rules, and the names of our groups in it. `place`: both, in words."""

    tenant: TenantInputs
    place: str
    namespace: str
    names: Sequence[str]


class RuleGroupsInputs(TypedDict):
    """Our groups in namespace `namespace` of a tenant's rules: name → the group as YAML."""

    tenant: TenantInputs
    place: str
    namespace: str
    groups: Mapping[str, str]
    drift: str | None  # what somebody else did to them, in words; "" for nothing


class TenantTextInputs(TypedDict):
    """The Alertmanager configuration of a tenant, and what `editor` writes into it. `place`: whose it is, in words."""

    tenant: TenantInputs
    place: str
    editor: str
    ours: pulumi.Input[str]  # a secret: it may hold the mail relay's password
    alerts: Sequence[Mapping[str, str]]
    prometheus: ServerInputs | None  # that sends the alerts
    ask: bool
    before: str | None  # the text without ours
    after: str | None  # the text as we left it
    drift: str | None


class MountInputs(ClusterInputs):
    """A volume and its mount in a workload of others, which runs `server`.

    `workload` (KIND/NAME) and `container`: in the program as the settings have them, in the state as they were found.
    """

    server: ServerInputs
    workload: str
    container: str
    volume: str
    source: Mapping[str, JsonValue]  # as in a pod's volume: {"configMap": {"name": …}}
    path: str
    manager: str
    made: str | None  # "yes": we added it
    drift: str | None


class GrafanaInputs(TypedDict):
    """Where Grafana is, and the organisation in it: the number that was set, 0 for none."""

    url: str
    auth: pulumi.Input[str] | None
    organisation: int


class DashboardFolderInputs(GrafanaInputs):
    """A folder in Grafana."""

    uid: str
    title: str
    ours: bool | None  # whether destroy deletes it


class PreviousDashboardInputs(GrafanaInputs, ClusterInputs):
    """What others have in the place of our dashboard `uid`, titled `title`, in the folder of uid `folder`.

    `mode`: api or sidecar. `config_map`: the one that the sidecar reads, applied by field manager `manager`.
    """

    mode: str
    uid: str
    title: str
    folder: str
    adopt: bool
    config_map: str
    manager: str
    timeout: float  # seconds, until Grafana has let go of the dashboard of our ConfigMap
    before: str | None  # the dashboard of our uid as it was: JSON of {model, folder}; "" for none
    aside: Sequence[str] | None  # the uids of those with our title that were given another
    made: int | None


class OperatorObjects(TypedDict):
    """Objects of ours that the Prometheus Operator is to take up: what their names begin with, and their labels."""

    name: str
    labels: Mapping[str, str]
    # Of the routing only:
    secrets: NotRequired[Sequence[Mapping[str, str]]]  # of others, each with the key that is needed
    bare: NotRequired[bool]  # whether an alert of ours lacks a label with the namespace


class SharedKeys(TypedDict):
    """Keys of ours in a ConfigMap that others made."""

    config_map: str
    keys: Sequence[str]


class ProofInputs(ClusterInputs):
    """What has to run (`wanted`: JSON of components.live.running.wanted), and where it is looked for.

    `wanted` also has a fingerprint of each text written: a change of any has both servers reload. `folder`: where
    Prometheus finds our rule files, or (`apart`) where it does not; "" where that cannot be known. `ruler_namespace`:
    the namespace that Mimir or Cortex has our rules in. `operated`: what goes by the Prometheus Operator
    (components.live.cluster.operator_preflight). `inlined`: a fingerprint of the password that stands in Alertmanager's
    configuration, as a secret, so that both servers reload when it changes. `annotated`: the ConfigMaps and Secrets,
    KIND/NAME, whose pods are annotated (components.live.cluster.pod_annotation); None: no pod is.
    """

    prometheus: ServerInputs
    alertmanager: ServerInputs
    wanted: str
    folder: str
    ruler_namespace: str | None
    apart: bool
    operated: Mapping[str, OperatorObjects] | None
    inlined: pulumi.Input[str] | None
    annotated: Sequence[str] | None
    timeout: float  # seconds


class WithdrawnInputs(TypedDict):
    """What `Withdrawn` looks at before anything is written.

    `own`: API paths of what is ours alone, applied by field manager `manager`. `shared`: the keys that are ours in a
    ConfigMap of others (components.live.cluster.ownership_checks), or None. `edited`: the servers ("prometheus",
    "alertmanager") whose configuration gets a part of ours. `needs`: what a server has to know
    (components.live.running.server_versions). `silenced`: the label sets of the alerts to silence while `up` runs
    (components.live.running.deploy_silence), or None.
    """

    own: Sequence[str]
    shared: SharedKeys | None
    edited: Sequence[str]
    manager: str
    needs: str
    silenced: Sequence[Mapping[str, str]] | None


def cluster_inputs(cluster: Cluster) -> ClusterInputs:
    """How a resource reaches the cluster; the kubeconfig is kept as a secret."""
    kubeconfig = pulumi.Output.secret(cluster.kubeconfig) if cluster.kubeconfig else None
    return {"kubeconfig": kubeconfig, "context": cluster.context, "namespace": cluster.namespace}


def server_inputs(server: Server) -> ServerInputs:
    """Where a server's configuration is, and how it is reached and reloaded."""
    fields = {name: getattr(server, name) for name in ServerInputs.__annotations__}
    tenant = tenant_inputs(server.tenant) if server.tenant else None
    known = {"credentials": _credentials(server.credentials), "tenant": tenant}
    lists = {"config_maps": list(server.config_maps), "more_urls": list(server.more_urls)}
    return cast(ServerInputs, {**fields, **lists, **known})


def tenant_place(tenant: Tenant) -> str:
    """The tenant and where it is, in words: another one is another resource, whatever the credentials."""
    return f"tenant {tenant.id} at {tenant.url}" if tenant.id else tenant.url


def tenant_inputs(tenant: Tenant) -> TenantInputs:
    """How a tenant's APIs are reached."""
    return {"url": tenant.url, "api": tenant.api, "id": tenant.id, "credentials": _credentials(tenant.credentials)}


def _credentials(credentials: Credentials) -> CredentialsInputs:
    """Password and token are kept as secrets."""
    found = asdict(credentials)
    secret = {name: pulumi.Output.secret(found[name]) for name in ("password", "token") if found[name]}
    return cast(CredentialsInputs, {**found, **secret})
