"""What is read: all that differs between two stacks, typed and checked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

# `polling` is no setting: a server of Mimir or Cortex looks for changes by itself, and is never asked to reload.
Reload = Literal["lifecycle", "sidecar", "signal", "polling"]
RulerApi = Literal["mimir", "cortex"]
OtherRoutes = Literal["ask", "skip", "continue"]

# Where the operator mounts the Secrets that an Alertmanager object lists.
ROUTING_OBJECT = "api-monitoring"  # our AlertmanagerConfig
OPERATOR_SECRET = re.compile(r"/etc/alertmanager/secrets/[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[-._a-zA-Z0-9]+")


@dataclass(frozen=True)
class Cluster:
    """How to reach the Kubernetes API: a kubeconfig (path or contents; None for the ambient one) and its context."""

    kubeconfig: str | None
    context: str | None
    namespace: str


@dataclass(frozen=True)
class Credentials:
    """Who we are to a server (`user` with `password`, or `token`; a client certificate), and by what CA we know it.

    `settings`: with what the names of their settings begin. The files (PEM) are on the machine that runs Pulumi.
    """

    settings: Literal["prometheus", "alertmanager", "tenant"]
    user: str | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    password: str | None = field(repr=False, default=None)
    token: str | None = field(repr=False, default=None)


@dataclass(frozen=True)
class Tenant:
    """A tenant of Mimir or Cortex: `url` has the API that takes its rules, or its Alertmanager's configuration.

    `id` is sent as X-Scope-OrgID. `credentials` are for what stands before it.
    """

    url: str
    api: RulerApi
    id: str | None
    credentials: Credentials


@dataclass(frozen=True)
class Server:
    """A monitoring server: the workload that runs it, where its configuration is, and how it is reached and reloaded.

    `workload`: KIND/NAME, or "" where it is Deployment `deployment`, or else to be found (ops.clients.workloads) by
    `container` or its image, which is named like `kind`, and by `config_maps`, of which it mounts at least one.

    `secret_name`: the Secret that has its configuration, under `config_key`, in the place of a ConfigMap.
    `credentials` go with `url`.
    `tenant`: it is one of Mimir's or Cortex', for this tenant, and no workload or ConfigMap of it is looked at.
    """

    kind: Literal["prometheus", "alertmanager"]
    workload: str
    deployment: str
    container: str
    config_map: str
    config_key: str
    config_maps: tuple[str, ...]
    service: str  # SCHEME:NAME:PORT/PREFIX, used through the API server's service proxy when `url` is None
    url: str | None
    reload: Reload
    credentials: Credentials
    tenant: Tenant | None = None
    more_urls: tuple[str, ...] = ()  # of further replicas
    secret_name: str = ""

    @property
    def named(self) -> str:
        """The workload as the settings have it: KIND/NAME."""
        return self.workload or f"Deployment/{self.deployment}"


@dataclass(frozen=True)
class Rules:
    """How the rules reach Prometheus."""

    mode: str
    config_map: str
    mount_path: str
    shared_config_map: str
    ruler_namespace: str
    operator_labels: Mapping[str, str]


@dataclass(frozen=True)
class Smtp:
    """What differs from the mail settings in routing/alertmanager.yml; None where nothing does."""

    smarthost: str | None
    from_: str | None
    username: str | None
    password_file: str | None
    password: str | None = field(repr=False, default=None)


@dataclass(frozen=True)
class WorkingHours:
    """The days and hours, in a time zone, in which warnings are sent."""

    weekdays: tuple[str, ...]  # monday, tuesday, …
    times: tuple[tuple[str, str], ...]  # from and to, each HH:MM, to 24:00
    location: str


@dataclass(frozen=True)
class Heartbeat:
    """The watchdog goes to a URL outside as often as `interval` says (as Prometheus has durations, `1m`).

    `file`: the path in Alertmanager's container of a file with that URL.
    """

    file: str
    interval: str


@dataclass(frozen=True)
class OnCall:
    """Further channels for critical alerts, each by a file in Alertmanager's container, hours for warnings, heartbeat.

    None where a channel, hours or the heartbeat are not used.
    """

    slack_file: str | None
    slack_channel: str | None
    pagerduty_file: str | None
    webhook_file: str | None
    working_hours: WorkingHours | None
    heartbeat: Heartbeat | None = None


@dataclass(frozen=True)
class Grafana:
    """How the dashboard reaches Grafana."""

    mode: str
    url: str
    folder: str
    adopt: bool
    organisation: int  # its number; 0 for the token's own, or for a login the first
    sidecar_label: tuple[str, str]
    auth: str | None = field(repr=False, default=None)


def is_login(auth: str | None) -> bool:
    """Whether these credentials of Grafana's are `user:password`."""
    return bool(auth and ":" in auth)


def organisation_sent(auth: str | None, chosen: int) -> int:
    """The number of the organisation that requests to Grafana name; 0 for none: a token has one of its own.

    For a login its provider names the first, whichever the user works in. So do we, where none is chosen.
    """
    return chosen or (1 if is_login(auth) else 0)


@dataclass(frozen=True)
class Settings:
    """All that differs between two stacks."""

    cluster: Cluster
    rules: Rules
    prometheus: Server
    alertmanager: Server
    alertmanager_mode: str
    alertmanager_replace: bool
    other_routes: OtherRoutes
    smtp: Smtp
    on_call: OnCall
    grafana: Grafana
    application_url: str
    scrape_job: str
    histograms: str  # the form in which Prometheus has those of the application
    live_timeout: int  # seconds
    annotate_pods: bool
    deploy_silence: bool

    @property
    def namespace(self) -> str:
        """The Kubernetes namespace of the stack and of all that is ours."""
        return self.cluster.namespace
