"""The routing, brought into Alertmanager, by the way that `alertmanagerMode` names."""

from collections.abc import Iterable
from importlib import import_module
from typing import cast

import pulumi

from components.alert_routing.delivery import RoutingDelivery
from components.settings import Settings
from routing import Routing
from rules import Alert


class AlertRouting(pulumi.ComponentResource):
    """Our receivers, routes and inhibitions."""

    def __init__(self, delivery: RoutingDelivery, opts: pulumi.ResourceOptions) -> None:
        super().__init__("monitoring:index:AlertRouting", "alert-routing", None, opts)
        # What the component waits for its parts wait for too: on destroy they go first.
        delivery.declare(pulumi.ResourceOptions(parent=self, depends_on=opts.depends_on))
        self.register_outputs({})


def routing_delivery(written: Routing, alerts: Iterable[Alert], settings: Settings) -> RoutingDelivery:
    """The way of delivery in MODE_routing.py; `replaced` where all of a ConfigMap's configuration is ours."""
    mode = settings.alertmanager_mode
    if mode == "configmap" and settings.alertmanager_replace:
        mode = "replaced"
    module = import_module(f"components.alert_routing.{mode}_routing")
    return cast(RoutingDelivery, module.Delivery(written, alerts, settings))
