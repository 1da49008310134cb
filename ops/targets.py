"""A target by its name: the clients of the sandbox's servers, or of a stack's."""

import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import yaml

import metrics
import rules
from components import settings
from components.settings import Settings
from metrics import Contract
from ops.clients.alertmanager import Alertmanager
from ops.clients.grafana import Grafana
from ops.clients.grafana import http as grafana_http
from ops.clients.http import Http
from ops.clients.kubernetes import Kubernetes
from ops.clients.mailbox import MailSink
from ops.clients.prometheus import Prometheus
from ops.clients.replicas import Replicas, at_urls, replicas_of
from ops.clients.server import Server
from ops.clients.server_access import server_http
from ops.errors import Misconfigured
from ops.sandbox import state as sandbox_state
from rules import Recording

ROOT = settings.PROJECT_FILE.parent
SANDBOX = "sandbox"
# Secrets that only Pulumi can read in a stack file.
_FROM_ENVIRONMENT = {
    "GRAFANA_AUTH": "grafanaAuth",
    "TENANT_TOKEN": "tenantToken",
    "TENANT_PASSWORD": "tenantPassword",
}
# The same, for those stacks alone in whose file they stand: a verb may look at several stacks, with other servers.
_FROM_ENVIRONMENT_IF_SET = {
    "PROMETHEUS_TOKEN": "prometheusToken",
    "PROMETHEUS_PASSWORD": "prometheusPassword",
    "ALERTMANAGER_TOKEN": "alertmanagerToken",
    "ALERTMANAGER_PASSWORD": "alertmanagerPassword",
}
CREDENTIALS = (*_FROM_ENVIRONMENT, *_FROM_ENVIRONMENT_IF_SET)  # a pipeline passes all of these to the verbs
ADVICE = "is it running, and is --target right?"


class _StackFile(yaml.SafeLoader):
    """YAML as Pulumi reads it: `off` and `yes` are words, as in `grafanaMode: off`; only true and false are none."""


_StackFile.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:bool"]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_StackFile.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"true|false"), ["t", "f"])


@dataclass(frozen=True)
class Target:
    """The clients of one target; None where the target has no such server.

    `settings` are the stack's; the sandbox has those of `prod`, with its own namespace and classic histograms.
    """

    name: str
    settings: Settings
    prometheus: Prometheus
    alertmanager: Alertmanager
    grafana: Grafana | None
    kubernetes: Kubernetes | None
    application: Http
    mail: MailSink | None

    @property
    def is_sandbox(self) -> bool:
        """Whether this is the local sandbox."""
        return self.name == SANDBOX

    @property
    def contract(self) -> Contract:
        """The metric contract, in the form in which this target's Prometheus has histograms.

        It knows what our recordings read. Raises ContractError or RulesError.
        """
        return metrics.load().of_form(self.settings.histograms).reading(self.recordings)

    @property
    def recordings(self) -> dict[str, Recording]:
        """What our rules record here, by name. Raises RulesError or ContractError."""
        return rules.recordings(stack=self.name, native=self.native)

    @property
    def native(self) -> frozenset[str]:
        """The histograms that this target's Prometheus has as native ones. Raises ContractError."""
        return metrics.load().of_form(self.settings.histograms).native

    def replicas(self, kind: Literal["prometheus", "alertmanager"], *, write: bool = False) -> Replicas:
        """Each replica of a server that can be asked; `write`: and be sent something. Raises ops.errors."""
        server: settings.Server = getattr(self.settings, kind)
        client: Server = getattr(self, kind)
        if self.is_sandbox or server.tenant or (server.url and not server.more_urls):
            return at_urls([client.http])
        verbs = ("get", "create") if write else ("get",)
        return replicas_of(
            asdict(server), self._cluster, name=kind.capitalize(), verbs=verbs, advice=ADVICE, by_verb=True
        )

    def _cluster(self) -> tuple[Kubernetes, str]:
        assert self.kubernetes is not None  # a stack has one
        return self.kubernetes, self.settings.namespace

    @property
    def application_url(self) -> str:
        """The URL of the application whose `/metrics` are scraped."""
        return self.application.url


def load(name: str) -> Target:
    """The target of that name.

    Raises Misconfigured where there is none or the sandbox is not running, SettingsError for a wrong setting.
    """
    return _sandbox() if name == SANDBOX else _stack(name)


def documents(name: str) -> Path:
    """The folder with what is recorded for people about a target: `docs`; for the sandbox its own folder."""
    return sandbox_state.home() if name == SANDBOX else ROOT / "docs"


def stacks(folder: Path | None = None) -> list[str]:
    """The stacks that have a file Pulumi.STACK.yaml in a checkout, this one by default."""
    files = (folder or ROOT).glob("Pulumi.*.yaml")
    return sorted(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in files)


def stack_values(name: str, folder: Path | None = None) -> dict[str, object]:
    """The settings in `Pulumi.NAME.yaml`, without the project's prefix; without secrets, which only Pulumi can read.

    Raises Misconfigured where the file is missing or no stack file, SettingsError for a secret in plain text.
    """
    return _plain_and_secret(name, folder)[0]


def _plain_and_secret(name: str, folder: Path | None = None) -> tuple[dict[str, object], set[str]]:
    """The settings as `stack_values` has them, and the keys of the others, which are encrypted. Raises as it does."""
    folder = folder or ROOT
    path = folder / f"Pulumi.{name}.yaml"
    if not path.is_file():
        raise Misconfigured(
            f"there is no target {name!r}: {path.name} does not exist; use {' or '.join([SANDBOX, *stacks(folder)])}"
        )
    try:
        parsed = yaml.load(path.read_text("utf-8"), _StackFile)  # noqa: S506 - a SafeLoader
        config = dict((parsed or {}).get("config") or {})
    except (yaml.YAMLError, AttributeError, TypeError, ValueError) as error:
        raise Misconfigured(f"{path.name} is not a stack file ({_why(error)}); correct its YAML") from None
    prefix = f"{settings.project()}:"  # which Pulumi adds to a key that has none
    own = {str(key).removeprefix(prefix): value for key, value in config.items() if _is_own(str(key), prefix)}
    secret = {key for key, value in own.items() if isinstance(value, dict) and "secure" in value}
    clear = {key: value for key, value in own.items() if key not in secret}
    settings.refuse_plain(clear, where=path.name)
    return clear, secret


def _why(error: Exception) -> str:
    """What is wrong with a stack file, without the line itself: it may hold a secret, and YAML's message quotes it."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return " ".join(str(error).split())


def _is_own(key: str, prefix: str) -> bool:
    return ":" not in key or key.startswith(prefix)


def _stack(name: str) -> Target:
    values, secret = _plain_and_secret(name)
    wanted = {variable: key for variable, key in _FROM_ENVIRONMENT_IF_SET.items() if key in secret}
    for variable, key in (_FROM_ENVIRONMENT | wanted).items():
        if given := os.environ.get(variable):
            values[key] = given
    found = settings.read(values, where=f"Pulumi.{name}.yaml")
    kubernetes = Kubernetes(found.cluster.kubeconfig, found.cluster.context)

    def http(server: settings.Server, title: str) -> Http:
        return server_http(
            asdict(server), lambda: (kubernetes, found.namespace), name=title, advice=ADVICE, by_verb=True
        )

    grafana = None
    if found.grafana.mode != "off":
        chosen = found.grafana
        grafana = Grafana(grafana_http(chosen.url, chosen.auth, chosen.organisation, advice=ADVICE))
    return Target(
        name=name,
        settings=found,
        prometheus=Prometheus(http(found.prometheus, "Prometheus"), of_tenant=bool(found.prometheus.tenant)),
        alertmanager=Alertmanager(http(found.alertmanager, "Alertmanager"), of_tenant=bool(found.alertmanager.tenant)),
        grafana=grafana,
        kubernetes=kubernetes,
        application=Http(found.application_url, name="the application", advice=ADVICE),
        mail=None,
    )


def _sandbox() -> Target:
    state = sandbox_state.running()
    values = stack_values("prod") | {
        "namespace": state.namespace,
        "histograms": "classic",
        "smtpSmarthost": state.smtp_smarthost,
        "smtpPasswordFile": state.smtp_password_file,
    }
    found = settings.read(values, where="Pulumi.prod.yaml")

    def http(url: str, title: str) -> Http:
        return Http(url, name=title, advice="is the sandbox running? make sandbox starts it")

    return Target(
        name=SANDBOX,
        settings=found,
        prometheus=Prometheus(http(state.prometheus_url, "Prometheus")),
        alertmanager=Alertmanager(http(state.alertmanager_url, "Alertmanager")),
        grafana=Grafana(http(state.grafana_url, "Grafana")) if state.grafana_url else None,
        kubernetes=Kubernetes(state.kubeconfig) if state.kubeconfig else None,
        application=http(state.application_url, "the application"),
        mail=MailSink(http(state.mail_url, "the mail sink")),
    )
