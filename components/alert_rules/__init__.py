"""The rule files where Prometheus reads them, by the way of delivery that `rulesMode` names."""

from collections.abc import Sequence

from components.alert_rules.rules_delivery import RulesDelivery
from components.delivery import Component
from components.settings import Settings
from rules import RuleFile


class AlertRules(Component):
    """Every file of `rules/`, byte for byte."""

    named = "alert-rules"


def rules_delivery(files: Sequence[RuleFile], settings: Settings) -> RulesDelivery:
    """The way of delivery in MODE_rules.py."""
    return RulesDelivery.of_mode(settings.rules.mode)(files, settings)
