"""The interface of a way of delivering the routing. Each way has a file of its own: MODE_routing.py."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import PurePosixPath
from typing import ClassVar

import pulumi
import pulumi_kubernetes as k8s

from components import ownership
from components.delivery import Delivery
from components.in_words import routing_in_words
from components.live.inputs import OperatorObjects
from components.settings import Settings
from routing import Parts, Routing, Smtp, tree
from routing.tree import Config
from rules import Alert

SECRET = "api-monitoring-smtp"  # noqa: S105 - the name of the object


class RoutingDelivery(Delivery):
    """One way in which our receivers, routes and inhibitions reach Alertmanager.

    `alerts`: the labels of each alert of ours, with its name as `alertname`. `edited_servers`: the servers
    (`alertmanager`) whose configuration gets a part of ours.
    """

    edited_servers: ClassVar[Sequence[str]] = ()

    def __init__(self, routing: Routing, alerts: Iterable[Alert], settings: Settings) -> None:
        self.routing, self.settings = routing, settings
        self.alerts = [{**alert.labels, "alertname": alert.name} for alert in alerts]

    @abstractmethod
    def parts(self) -> Parts:
        """What goes into an Alertmanager that others configure. Raises SettingsError."""

    def whole_config(self) -> str | None:
        """Alertmanager's configuration, where all of it is ours."""
        return None

    @cached_property
    def whole(self) -> Config | None:
        """The same, parsed."""
        text = self.whole_config()
        return tree.parse(text, self.routing.shown) if text else None

    def in_words(self) -> list[str]:
        """What is deployed, in lines. Raises SettingsError."""
        return routing_in_words(self.parts(), self.whole)

    def own_paths(self) -> list[str]:
        """The API path of the password's Secret, where there is one."""
        return ownership.api_paths([SECRET], self.settings, "secrets") if self.has_password else []

    def operator_objects(self) -> OperatorObjects | None:
        """What the Prometheus Operator is to take up (components.live.cluster.operator_preflight)."""
        return None

    @property
    def inlined(self) -> str | None:
        """The mail relay's password, where it stands in a configuration that a server has to load anew."""
        return None

    @property
    def has_password(self) -> bool:
        """Whether the mail relay's password is a setting, and so to be kept in a Secret of ours."""
        return self.settings.smtp.password is not None

    @property
    def smtp(self) -> Smtp:
        """The mail settings of routing/alertmanager.yml, with what this stack gives instead."""
        return self.routing.smtp.given_by(self.settings.smtp)

    def declare_password(self, child: pulumi.ResourceOptions) -> list[pulumi.Resource]:
        """The mail relay's password as a Secret of ours, where it is a setting."""
        if not self.has_password:
            return []
        secret = k8s.core.v1.Secret(
            SECRET,
            metadata=ownership.metadata(SECRET, self.settings),
            string_data={
                PurePosixPath(self.smtp.password_file).name: pulumi.Output.secret(self.settings.smtp.password)
            },
            opts=child,
        )
        return [secret]
