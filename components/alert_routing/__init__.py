"""The routing in Alertmanager, by the way of delivery that `alertmanagerMode` names."""

from collections.abc import Iterable

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
    mode = settings.alertmanager_mode
    if mode == "configmap" and settings.alertmanager_replace:
        mode = "replaced"
    return RoutingDelivery.of_mode(mode)(routing, alerts, settings)
