"""The stack's outputs: what other programs may read with `pulumi stack output --json` (docs/operating.md)."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import pulumi

import dashboards
from components.alert_routing.routing_delivery import RoutingDelivery
from components.alert_rules.rules_delivery import RulesDelivery
from components.in_words import limit_in_words
from components.live.resources import Live
from formats.fingerprints import fingerprint
from rules import Alert

Units: TypeAlias = Mapping[str, str]


def export(live: Live, alerts: Iterable[Alert], routing: RoutingDelivery, rules: RulesDelivery, units: Units) -> None:
    """Export them. They are what runs: known as soon as `live` has proved it, so not in a preview of a change.

    An `up` prints all of them each time, so they are short. `units`: quantity → unit (`dashboards.units`).
    """
    grafana, parts = rules.settings.grafana, routing.parts()
    known = {
        "dashboardUrl": f"{grafana.url}/d/{dashboards.UID}" if grafana.mode != "off" else None,
        "rulesDigest": fingerprint(rules.texts),
        "routingDigest": fingerprint(routing.whole_config() or parts.as_json()),
        "alerts": {alert.name: limit_in_words(alert, units) for alert in alerts},
        "receivers": [str(receiver["name"]) for receiver in parts.receivers],
    }
    for name, value in known.items():
        pulumi.export(name, pulumi.Output.all(value, live.proved).apply(lambda pair: pair[0]))
