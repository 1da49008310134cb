"""Reads the values of a stack into `Settings`, and refuses what cannot be used."""

import difflib
import re
from collections.abc import Mapping
from typing import Literal, cast

from components.settings.schema import SECRETS, SettingsError, choices, schema
from components.settings.values import (
    OPERATOR_SECRET,
    Cluster,
    Grafana,
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
    *("prometheusReload", "alertmanagerReload", "rulerApi"),
)
_NAMES = (
    *("namespace", "rulesConfigMap", "sharedRulesConfigMap"),
    *("prometheusDeployment", "prometheusContainer", "prometheusConfigMap"),
    *("alertmanagerDeployment", "alertmanagerContainer", "alertmanagerConfigMap", "alertmanagerSecret"),
)
_WORKLOADS = ("Deployment", "StatefulSet")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS = [day[:3].title() for day in _WEEKDAYS]
_PATH = r"/[^\s:]*[^\s:/]"
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")


def refuse_plain(plain: Mapping[str, object], *, where: str) -> None:
    """Raise SettingsError for secrets among `plain`, settings that are not encrypted; a path is none."""
    given = plain.get("kubeconfig")
    secret = [*SECRETS, *(["kubeconfig"] if isinstance(given, str) and kubeconfig_text.contents(given) else [])]
    if found := [key for key in secret if plain.get(key)]:
        verb = "is" if len(found) == 1 else "are"
        commands = " and ".join(f"`pulumi config set --secret {key}`" for key in found)
        raise SettingsError(
            f"{where}: {' and '.join(found)} {verb} in plain text; run {commands}, which asks for the value and "
            "keeps it encrypted"
        )


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
        live_timeout=get.whole("liveTimeout", "a whole number of seconds, 1 or more", least=1),
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
        shown = "(a secret)" if key in SECRETS else repr(value)
        return SettingsError(f"{self._where}: {key} is {shown}; give {wanted}")

    def optional(self, key: str, *, only_with: str | None = None) -> str | None:
        value = self._values.get(key, schema()[key]["default"])
        if not isinstance(value, str):
            raise self._refuse(key, value, "text")
        if value and only_with and not self.optional(only_with):
            raise self._refuse(key, value, f"{only_with} too: it has no effect without")
        return value or None

    def text(self, key: str) -> str:
        value = self.optional(key)
        if value is None:
            raise self._refuse(key, "", "a value, or leave it out for the default")
        if key in _CHOICES and value not in (known := choices(key)):
            raise self._refuse(key, value, "one of " + ", ".join(known))
        if key in _NAMES and not _NAME.fullmatch(value):
            raise self._refuse(key, value, "a Kubernetes name (lower-case letters, digits, '-' and '.')")
        return value

    def flag(self, key: str) -> bool:
        value = self._values.get(key, schema()[key]["default"])
        if value not in (True, False, "true", "false"):
            raise self._refuse(key, value, "true or false")
        return value in (True, "true")

    def whole(self, key: str, wanted: str, *, least: int) -> int:
        value = self._values.get(key, schema()[key]["default"])
        if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,6}", str(value)) or int(str(value)) < least:
            raise self._refuse(key, value, wanted)
        return int(str(value))

    def matching(self, key: str, pattern: str, wanted: str) -> str:
        value = self.text(key)
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
        if self.optional(key) is None:
            return None
        value = self.matching(key, _PATH, "the absolute path of a file in Alertmanager's container")
        if self.text("alertmanagerMode") == "tenant":
            raise self._refuse(key, value, "no file: in alertmanagerMode tenant Alertmanager reads none")
        if self.text("alertmanagerMode") == "operator" and not OPERATOR_SECRET.fullmatch(value):
            raise self._refuse(
                key, value, "/etc/alertmanager/secrets/SECRET/KEY, for the operator takes a Secret and no other file"
            )
        return value

    def working_hours(self, key: str) -> WorkingHours | None:
        value = self.optional(key)
        if value is None:
            return None
        parts = value.split()
        if len(parts) != 3:
            raise self._refuse(key, value, "days, hours and a time zone, such as Mon-Fri 08:00-18:00 Europe/Berlin")
        days, hours, zone = parts
        weekdays: set[int] = set()
        for piece in days.split(","):
            ends = [_DAYS.index(day) if day in _DAYS else -1 for day in piece.title().split("-")]
            if len(ends) > 2 or -1 in ends:
                raise self._refuse(key, value, "days as Mon-Fri or Mon,Wed,Fri")
            weekdays |= {(ends[0] + more) % 7 for more in range((ends[-1] - ends[0]) % 7 + 1)}
        times = [tuple(piece.split("-")) for piece in hours.split(",")]
        for time in times:
            if len(time) != 2 or not all(_CLOCK.fullmatch(end) for end in time) or time[0] >= time[1]:
                raise self._refuse(key, value, "hours of one day as 08:00-18:00, the later last (24:00 for midnight)")
        from zoneinfo import available_timezones  # slow to import; few stacks have hours

        if zone not in (zones := available_timezones()):
            near = difflib.get_close_matches(zone, sorted(zones), n=1)
            raise self._refuse(key, value, f"a time zone such as {near[0] if near else 'Europe/Berlin'}")
        if self.text("alertmanagerMode") == "operator" and zone not in ("UTC", "Etc/UTC"):
            raise self._refuse(key, value, "the hours in UTC, for the operator's AlertmanagerConfig has no time zones")
        names = tuple(_WEEKDAYS[day] for day in sorted(weekdays))
        return WorkingHours(names, tuple((start, end) for start, end in times), zone)

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
        tenant = Tenant(
            url=self.url(at),
            api=api,
            id=self.optional("tenantId"),
            user=self.optional("tenantUser"),
            password=self.optional("tenantPassword", only_with="tenantUser"),
            token=self.optional("tenantToken"),
            ca_file=self.optional("tenantCaFile"),
            cert_file=self.optional("tenantCertFile", only_with="tenantKeyFile"),
            key_file=self.optional("tenantKeyFile", only_with="tenantCertFile"),
        )
        if tenant.token and tenant.user:
            raise self._refuse("tenantUser", tenant.user, "either it with tenantPassword, or tenantToken")
        return tenant

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
        return Server(
            kind=name,
            workload=self.workload(f"{name}Workload"),
            deployment=self.text(f"{name}Deployment"),
            container=self.text(f"{name}Container"),
            config_map=self.text(f"{name}ConfigMap"),
            config_key=self.secret_key("alertmanagerSecretKey") if secret else self.text(f"{name}ConfigKey"),
            config_maps=(self.text(f"{name}ConfigMap"), *more_config_maps),
            service=self.host_port(f"{name}Service"),
            url=urls[0] if urls else (f"{tenant.url}/{name}" if tenant else None),
            more_urls=tuple(urls[1:]),
            reload="polling" if tenant else cast(Reload, self.text(f"{name}Reload")),
            tenant=tenant,
            secret_name=secret,
        )
