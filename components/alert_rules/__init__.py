"""The rule files, brought to where Prometheus reads them, by the way that `rulesMode` names."""

from collections.abc import Sequence
from importlib import import_module
from typing import cast

import pulumi

from components.alert_rules.delivery import RulesDelivery
from components.settings import Settings
from rules import RuleFile


class AlertRules(pulumi.ComponentResource):
    """Every file of `rules/`, byte for byte."""

    def __init__(self, delivery: RulesDelivery, opts: pulumi.ResourceOptions) -> None:
        super().__init__("monitoring:index:AlertRules", "alert-rules", None, opts)
        # What the component waits for its parts wait for too: on destroy they go first.
        delivery.declare(pulumi.ResourceOptions(parent=self, depends_on=opts.depends_on))
        self.register_outputs({})


def rules_delivery(files: Sequence[RuleFile], settings: Settings) -> RulesDelivery:
    """The way of delivery in MODE_rules.py."""
    module = import_module(f"components.alert_rules.{settings.rules.mode}_rules")
    return cast(RulesDelivery, module.Delivery(files, settings))
