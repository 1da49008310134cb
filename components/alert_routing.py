"""The routing, brought into Alertmanager: into the configuration there is, in its place, or as an operator's object."""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

import pulumi
import pulumi_kubernetes as k8s

from components import alertmanager_config
from components import ownership as owned
from components.live.resources import ConfigText, Mount
from components.settings import OPERATOR_SECRET, Settings, SettingsError
from routing import Parts, Routing, Smtp
from rules import Alert

SECRET = "api-monitoring-smtp"
OPERATED = "api-monitoring"  # the AlertmanagerConfig


class AlertRouting(pulumi.ComponentResource):
    """Our receivers, routes and inhibitions, by the way that `settings.alertmanager_mode` names."""

    def __init__(
        self, written: Routing, alerts: Mapping[str, Alert], settings: Settings, opts: pulumi.ResourceOptions
    ) -> None:
        super().__init__("monitoring:index:AlertRouting", "alert-routing", None, opts)
        self._alerts = [{**alert.labels, "alertname": alert.name} for alert in alerts.values()]
        self._settings = settings
        # What the component waits for its parts wait for too: on destroy they go first.
        self._child = pulumi.ResourceOptions(parent=self, depends_on=opts.depends_on)
        mail = smtp(written, settings)
        before = [*self._password(mail)]
        match settings.alertmanager_mode:
            case "configmap":
                self._config_map(written, before)
            case "operator":
                self._operator(parts(written, self._alerts, settings), before)
        self.register_outputs({})

    def _password(self, mail: Smtp) -> list[pulumi.Resource]:
        """The relay's password as a Secret of ours, mounted where the mail settings look for it; or nothing."""
        if self._settings.smtp.password is None:
            return []
        path = PurePosixPath(mail.password_file)
        secret = k8s.core.v1.Secret(
            SECRET,
            metadata=owned.metadata(SECRET, self._settings),
            string_data={path.name: pulumi.Output.secret(self._settings.smtp.password)},
            opts=self._child,
        )
        if self._settings.alertmanager_mode == "operator":
            return [secret]  # the operator mounts it
        mount = Mount(
            SECRET,
            cluster=self._settings.cluster,
            server=self._settings.alertmanager,
            source={"secret": {"secretName": SECRET}},
            path=str(path.parent),
            manager=owned.manager(SECRET),
            opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=[secret])),
        )
        return [secret, mount]

    def _config_map(self, written: Routing, before: list[pulumi.Resource]) -> None:
        replaced = self._settings.alertmanager_replace
        ConfigText(
            "alertmanager-config",
            cluster=self._settings.cluster,
            server=self._settings.alertmanager,
            editor="replace" if replaced else "routing",
            ours=whole(written, self._settings) if replaced else parts(written, self._alerts, self._settings).as_json(),
            alerts=self._alerts,
            ask=self._settings.other_routes == "ask",
            opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=before)),
        )

    def _operator(self, parts: Parts, before: list[pulumi.Resource]) -> None:
        k8s.apiextensions.CustomResource(
            "alertmanager-config",
            api_version=owned.ROUTING_API,
            kind="AlertmanagerConfig",
            metadata=owned.metadata(OPERATED, self._settings, self._settings.rules.operator_labels),
            spec=alertmanager_config.spec(parts, _password_in(self._settings)),
            opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=before)),
        )


def own(settings: Settings) -> list[str]:
    """Where the API has the objects that are ours alone."""
    secrets = owned.paths([SECRET], settings, "secrets") if settings.smtp.password is not None else []
    if settings.alertmanager_mode == "operator":
        return [*secrets, *owned.paths([OPERATED], settings, "alertmanagerconfigs", owned.ROUTING_API)]
    return secrets


def parts(written: Routing, alerts: Iterable[Mapping[str, str]], settings: Settings) -> Parts:
    """What goes into an Alertmanager that others configure; `alerts`: the labels of ours. Raises SettingsError."""
    mail = smtp(written, settings)
    found = written.parts(mail)
    if settings.alertmanager_mode == "configmap":
        return found.continuing() if settings.other_routes == "continue" else found
    if mail.password_file and settings.smtp.password is None and not OPERATOR_SECRET.fullmatch(mail.password_file):
        raise SettingsError(
            f"alertmanagerMode is operator, which takes the mail relay's password from a Secret and not from the file "
            f"{mail.password_file}: set smtpPassword (--secret), or smtpPasswordFile to "
            "/etc/alertmanager/secrets/SECRET/KEY."
        )
    return alertmanager_config.under_one(found, alerts)


def references(written: Routing, alerts: Iterable[Mapping[str, str]], settings: Settings) -> list[dict[str, str]]:
    """Every Secret of others and its key that the operator's object refers to."""
    own = _password_in(settings)
    spec = alertmanager_config.spec(parts(written, alerts, settings), own)
    return [one for one in alertmanager_config.secrets(spec) if one["name"] != own]


def _password_in(settings: Settings) -> str | None:
    """The Secret of ours that has the mail relay's password, if any."""
    return SECRET if settings.smtp.password is not None else None


def whole(written: Routing, settings: Settings) -> str:
    """What goes in the place of the configuration there is, where all of it is to be ours."""
    return written.with_smtp(smtp(written, settings))


def smtp(written: Routing, settings: Settings) -> Smtp:
    """The mail settings of routing/alertmanager.yml, with what this stack gives instead."""
    given, own = settings.smtp, written.smtp
    return Smtp(
        smarthost=given.smarthost or own.smarthost,
        from_=given.from_ or own.from_,
        username=given.username or own.username,
        password_file=given.password_file or own.password_file,
        require_tls=own.require_tls,
    )
