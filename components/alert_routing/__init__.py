"""The routing in Alertmanager, by the way of delivery that `alertmanagerMode` names."""

from collections.abc import Iterable

import pulumi

from components.alert_routing.routing_delivery import RoutingDelivery
from components.delivery import Component
from components.settings import Settings
from routing import Routing
from rules import Alert


class AlertRouting(Component):
    """Our receivers, routes and inhibitions."""

    named = "alert-routing"


def routing_delivery(routing: Routing, alerts: Iterable[Alert], settings: Settings) -> RoutingDelivery:
    """The way of delivery in MODE_routing.py; `replaced` where all of a ConfigMap's configuration is ours."""
    for line in routing.warnings:
        pulumi.log.warn(line)
    mode = settings.alertmanager_mode
    if mode == "configmap" and settings.alertmanager_replace:
        mode = "replaced"
    return RoutingDelivery.of_mode(mode)(routing, alerts, settings)
