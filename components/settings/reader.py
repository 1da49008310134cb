"""Reads the values of a stack into `Settings`, and refuses what cannot be used."""

import difflib
import re
from collections.abc import Mapping
from typing import Literal, cast

from components.settings import alertmanager_files, working_hours
from components.settings.schema import SettingsError, choices, schema, shown
from components.settings.values import (
    Cluster,
    Credentials,
    Grafana,
    Heartbeat,
    OnCall,
    OtherRoutes,
    Reload,
    RulerApi,
    Rules,
    Server,
    Settings,
    Smtp,
    Tenant,
    WorkingHours,
)
from formats import kubeconfig_text

# Kubernetes' own rule for names of namespaces, services and most objects (RFC 1123 subdomain).
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
# Settings whose values are the words in quotes in their description in Pulumi.yaml.
_CHOICES = (
    *("rulesMode", "alertmanagerMode", "alertmanagerOtherRoutes", "grafanaMode"),
    *("prometheusReload", "alertmanagerReload", "rulerApi", "histograms"),
)
_NAMES = (
    *("namespace", "rulesConfigMap", "sharedRulesConfigMap"),
    *("prometheusDeployment", "prometheusContainer", "prometheusConfigMap"),
    *("alertmanagerDeployment", "alertmanagerContainer", "alertmanagerConfigMap", "alertmanagerSecret"),
)
_WORKLOADS = ("Deployment", "StatefulSet")
_PATH = r"/[^\s:]*[^\s:/]"
# As ops.clients.server_access reads it: without a scheme no Service is called `https`, which would be a forgotten port.
_SERVICE = r"(https?:)?(?!https?:)[^\s:/]+:[^\s:/]+(/[^\s/]+)*/?"


def read(values: Mapping[str, object], *, where: str) -> Settings:
    """Read settings from `values` (keys without the project's prefix; strings, or typed as in a stack file).

    `where` names the source in messages, such as `Pulumi.prod.yaml`. Raises SettingsError.
    """
    get = _Reader(values, where)
    kubeconfig = get.optional("kubeconfig")
    return Settings(
        cluster=Cluster(
            # Decoded here, as the Kubernetes provider takes a path or the contents, and no base64.
            (kubeconfig_text.contents(kubeconfig) or kubeconfig) if kubeconfig else None,
            get.optional("kubeContext"),
            get.text("namespace"),
        ),
        rules=Rules(
            mode=get.text("rulesMode"),
            config_map=get.text("rulesConfigMap"),
            mount_path=get.folder("rulesMountPath"),
            shared_config_map=get.text("sharedRulesConfigMap"),
            ruler_namespace=get.text("rulerNamespace"),
            operator_labels=dict(get.pairs("operatorLabels")),
        ),
        prometheus=get.server(
            "prometheus",
            *([get.text("sharedRulesConfigMap")] if get.text("rulesMode") == "shared" else []),
            tenant=get.tenant(only_if=("rulesMode", "ruler"), url="rulerUrl"),
        ),
        alertmanager=get.server(
            "alertmanager",
            tenant=get.tenant(only_if=("alertmanagerMode", "tenant"), url="tenantUrl"),
            secret=get.text("alertmanagerSecret") if get.text("alertmanagerMode") == "secret" else "",
        ),
        alertmanager_mode=get.text("alertmanagerMode"),
        alertmanager_replace=get.flag("alertmanagerReplace"),
        other_routes=cast(OtherRoutes, get.text("alertmanagerOtherRoutes")),
        smtp=Smtp(
            smarthost=get.host_port("smtpSmarthost") if get.optional("smtpSmarthost") else None,
            from_=get.optional("smtpFrom"),
            username=get.optional("smtpUsername"),
            password_file=get.optional("smtpPasswordFile"),
            password=get.optional("smtpPassword"),
        ),
        on_call=OnCall(
            slack_file=get.secret_file("slackWebhookFile"),
            slack_channel=get.optional("slackChannel", only_with="slackWebhookFile"),
            pagerduty_file=get.secret_file("pagerdutyKeyFile"),
            webhook_file=get.secret_file("webhookUrlFile"),
            working_hours=get.working_hours("workingHours"),
            heartbeat=get.heartbeat(),
        ),
        grafana=Grafana(
            mode=get.text("grafanaMode"),
            url=get.url("grafanaUrl"),
            folder=get.text("grafanaFolder"),
            adopt=get.flag("grafanaAdopt"),
            organisation=get.whole("grafanaOrgId", "the number of an organisation, or 0", least=0),
            sidecar_label=get.pairs("grafanaSidecarLabel")[0],
            auth=get.optional("grafanaAuth"),
        ),
        application_url=get.url("applicationUrl"),
        scrape_job=get.text("scrapeJob"),
        histograms=get.text("histograms"),
        live_timeout=get.whole("liveTimeout", "a whole number of seconds, 1 or more", least=1),
        annotate_pods=get.annotate_pods("annotatePods"),
        deploy_silence=get.flag("deploySilence"),
    )


class _Reader:
    """Typed access to values by key, each refusal with the key and what to give instead."""

    def __init__(self, values: Mapping[str, object], where: str) -> None:
        for key in values:
            if key not in schema():
                near = difflib.get_close_matches(key, schema(), n=1, cutoff=0.6)
                hint = f"did you mean {near[0]}?" if near else "Pulumi.yaml lists all settings"
                raise SettingsError(f"{where}: there is no setting {key}; {hint}")
        self._values, self._where = values, where

    def _refuse(self, key: str, value: object, wanted: str) -> SettingsError:
        return SettingsError(f"{self._where}: {key} is {shown(key, value)}; give {wanted}")

    def optional(self, key: str, *, only_with: str | None = None, wanted: str = "text") -> str | None:
        value = self._values.get(key, schema()[key]["default"])
        if not isinstance(value, str):
            raise self._refuse(key, value, wanted)
        if value and only_with and not self.optional(only_with):
            raise self._refuse(key, value, f"{only_with} too: it has no effect without")
        return value or None

    def text(self, key: str, wanted: str = "text") -> str:
        known = choices(key) if key in _CHOICES else []
        value = self.optional(key, wanted=f"one of {', '.join(known)}" if known else wanted)
        if value is None:
            raise self._refuse(key, "", "a value, or leave it out for the default")
        if known and value not in known:
            raise self._refuse(key, value, f"one of {', '.join(known)}")
        if key in _NAMES and not _NAME.fullmatch(value):
            raise self._refuse(key, value, "a Kubernetes name (lower-case letters, digits, '-' and '.')")
        return value

    def flag(self, key: str) -> bool:
        value = self._values.get(key, schema()[key]["default"])
        if not isinstance(value, bool) and value not in ("true", "false"):
            raise self._refuse(key, value, "true or false")
        return value in (True, "true")

    def annotate_pods(self, key: str) -> bool:
        rules, alertmanager = self.text("rulesMode"), self.text("alertmanagerMode")
        if (found := self.flag(key)) and rules in ("operator", "ruler") and alertmanager in ("operator", "tenant"):
            no_pods = f"with rulesMode {rules} and alertmanagerMode {alertmanager} no pod mounts what is written"
            raise self._refuse(key, found, f"false: {no_pods}")
        return found

    def whole(self, key: str, wanted: str, *, least: int) -> int:
        value = self._values.get(key, schema()[key]["default"])
        if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,6}", str(value)) or int(str(value)) < least:
            raise self._refuse(key, value, wanted)
        return int(str(value))

    def matching(self, key: str, pattern: str, wanted: str) -> str:
        value = self.text(key, wanted)
        if not re.fullmatch(pattern, value):
            raise self._refuse(key, value, wanted)
        return value

    def url(self, key: str) -> str:
        return self.matching(key, r"https?://[^\s/]+(/\S*)?", "a URL that begins with http:// or https://").rstrip("/")

    def urls(self, key: str) -> list[str]:
        """The URLs, none where it is empty."""
        if self.optional(key) is None:
            return []
        one = r"https?://[^\s/,]+(/[^\s,]*)?"
        wanted = "a URL that begins with http:// or https://, or several with a comma between two"
        return [url.strip().rstrip("/") for url in self.matching(key, rf"{one}( *, *{one})*", wanted).split(",")]

    def folder(self, key: str) -> str:
        return self.matching(key, _PATH, "an absolute path without a '/' at its end")

    def host_port(self, key: str) -> str:
        return self.matching(key, r"[^\s:/]+:\d{1,5}", "NAME:PORT")

    def secret_file(self, key: str) -> str | None:
        wanted = "the absolute path of a file in Alertmanager's container"
        if self.optional(key, wanted=wanted) is None:
            return None
        value = self.matching(key, _PATH, wanted)
        mode = self.text("alertmanagerMode")
        return alertmanager_files.check(value, mode, lambda wanted: self._refuse(key, value, wanted))

    def heartbeat(self) -> Heartbeat | None:
        file, key = self.secret_file("heartbeatUrlFile"), "heartbeatInterval"
        value = self.text(key, alertmanager_files.INTERVAL)
        given = value != schema()[key]["default"]  # the engine gives the default too
        return alertmanager_files.heartbeat(file, value, given, lambda wanted: self._refuse(key, value, wanted))

    def working_hours(self, key: str) -> WorkingHours | None:
        value = self.optional(key)
        if value is None:
            return None
        utc = self.text("alertmanagerMode") == "operator"
        return working_hours.parse(value, lambda wanted: self._refuse(key, value, wanted), utc_alone=utc)

    def pairs(self, key: str) -> list[tuple[str, str]]:
        value = self.text(key)
        found = [tuple(pair.split("=", 1)) for pair in value.split(",")]
        if any(len(pair) != 2 or not pair[0].strip() for pair in found):
            raise self._refuse(key, value, "labels as k=v, with a comma between two")
        return [(name.strip(), text.strip()) for name, text in found]

    def tenant(self, *, only_if: tuple[str, str], url: str) -> Tenant | None:
        """With `url`, or rulerUrl where that is empty; None where another mode is set than in `only_if`."""
        api = cast(RulerApi, self.text("rulerApi"))
        if self.text(only_if[0]) != only_if[1]:
            return None
        at = url if self.optional(url) else "rulerUrl"
        if self.optional(at) is None:
            raise self._refuse(at, "", f"the URL of Mimir or Cortex, as {only_if[0]} is {only_if[1]}")
        return Tenant(
            url=self.url(at),
            api=api,
            id=self.optional("tenantId"),
            credentials=self.credentials("tenant"),
        )

    def credentials(self, of: Literal["prometheus", "alertmanager", "tenant"]) -> Credentials:
        found = Credentials(
            of,
            user=self.optional(f"{of}User"),
            password=self.optional(f"{of}Password", only_with=f"{of}User"),
            token=self.optional(f"{of}Token"),
            ca_file=self.optional(f"{of}CaFile"),
            cert_file=self.optional(f"{of}CertFile", only_with=f"{of}KeyFile"),
            key_file=self.optional(f"{of}KeyFile", only_with=f"{of}CertFile"),
        )
        if found.token and found.user:
            raise self._refuse(f"{of}User", found.user, f"either it with {of}Password, or {of}Token")
        return found

    def without_credentials(self, of: str, wanted: str) -> None:
        for what in ("User", "Password", "Token", "CaFile", "CertFile", "KeyFile"):
            if value := self.optional(f"{of}{what}"):
                raise self._refuse(f"{of}{what}", value, wanted.format(what))

    def secret_key(self, key: str) -> str:
        return self.matching(key, r"[-._a-zA-Z0-9]{1,200}", "a key of a Secret (letters, digits, '-', '_' and '.')")

    def workload(self, key: str) -> str:
        value = self.optional(key) or ""
        kind, _, name = value.partition("/")
        if value and (kind not in _WORKLOADS or not _NAME.fullmatch(name)):
            wanted = " or ".join(f"{one}/NAME" for one in _WORKLOADS)
            why = ": of a DaemonSet each node has a pod with data of its own" if kind == "DaemonSet" else ""
            raise self._refuse(key, value, wanted + why)
        return value

    def server(
        self,
        name: Literal["prometheus", "alertmanager"],
        *more_config_maps: str,
        tenant: Tenant | None,
        secret: str = "",
    ) -> Server:
        urls = self.urls(f"{name}Url")
        if any("@" in url.split("/")[2] for url in urls):
            wanted = f"it without user and password, which are {name}User and {name}Password"
            raise SettingsError(f"{self._where}: {name}Url holds credentials; give {wanted}")
        if tenant:
            self.without_credentials(name, f"tenant{{}} instead: it is asked as the tenant ({tenant.url})")
        elif not urls:
            self.without_credentials(
                name, f"{name}Url too: through {name}Service the API server passes none of it on to {name.title()}"
            )
        return Server(
            kind=name,
            workload=self.workload(f"{name}Workload"),
            deployment=self.text(f"{name}Deployment"),
            container=self.text(f"{name}Container"),
            config_map=self.text(f"{name}ConfigMap"),
            config_key=self.secret_key("alertmanagerSecretKey") if secret else self.text(f"{name}ConfigKey"),
            config_maps=(self.text(f"{name}ConfigMap"), *more_config_maps),
            service=self.matching(f"{name}Service", _SERVICE, "NAME:PORT, https:NAME:PORT or NAME:PORT/PREFIX"),
            url=urls[0] if urls else (f"{tenant.url}/{name}" if tenant else None),
            more_urls=tuple(urls[1:]),
            credentials=tenant.credentials if tenant else self.credentials(name),
            reload="polling" if tenant else cast(Reload, self.text(f"{name}Reload")),
            tenant=tenant,
            secret_name=secret,
        )
