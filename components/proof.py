"""The first and the last resource of the program: they prove that ours runs, and that ours is gone."""

import json
from collections.abc import Sequence
from functools import cached_property

import pulumi

from components import ownership
from components.alert_routing.routing_delivery import RoutingDelivery
from components.alert_rules.rules_delivery import RulesDelivery
from components.live.inputs import ProofInputs, cluster_inputs, server_inputs
from components.live.resources import Live, Withdrawn
from components.live.running.wanted import wanted_routing, wanted_rules
from components.settings import Settings
from components.version_needs import needs
from formats.fingerprints import fingerprint
from rules import RuleFile


class Proof:
    """Declares both from the rule files, the routing, and how each is delivered."""

    def __init__(
        self, files: Sequence[RuleFile], rules: RulesDelivery, routing: RoutingDelivery, settings: Settings
    ) -> None:
        self._files, self._rules, self._routing, self._settings = files, rules, routing, settings

    def withdrawn(self, own: Sequence[str]) -> Withdrawn:
        """Made before everything else, so deleted last: then both servers have to run without us.

        `own`: the API paths of what is ours alone.
        """
        settings, routing = self._settings, self._routing
        # Named after the way of delivery: when that changes, the former `Withdrawn` is deleted after the new `Live`.
        return Withdrawn(
            f"withdrawn-{settings.rules.mode}-{settings.alertmanager_mode}",
            self._inputs,
            {
                "own": list(own),
                "shared": self._rules.shared_keys(),
                "edited": [*self._rules.edited_servers, *routing.edited_servers],
                "manager": ownership.manager(),
                "needs": needs(self._files, routing.parts(), routing.whole, settings),
                "silenced": self._label_sets() if settings.deploy_silence else None,
            },
        )

    def live(self, after: Sequence[pulumi.Resource]) -> Live:
        """Made after everything else: both servers reload, and have to run exactly what was written."""
        return Live("live", self._inputs, pulumi.ResourceOptions(depends_on=after))

    def _label_sets(self) -> list[dict[str, str]]:
        return [dict(sorted(alert.label_set.items())) for file in self._files for alert in file.alerts]

    @cached_property
    def _inputs(self) -> ProofInputs:
        settings, rules, routing = self._settings, self._rules, self._routing
        operated = {"rules": rules.operator_objects(), "routing": routing.operator_objects()}
        texts = [file.text for file in self._files]
        texts += [routing.routing.text, settings.rules.mode, str(settings.alertmanager_replace)]
        wanted = {
            "rules": wanted_rules(self._files),
            "routing": wanted_routing(routing.parts(), routing.whole),
            "texts": [fingerprint(text) for text in texts],
        }
        return {
            **cluster_inputs(settings.cluster),
            "prometheus": server_inputs(settings.prometheus),
            "alertmanager": server_inputs(settings.alertmanager),
            # One text in the state: the engine is slow with a thousand values.
            "wanted": json.dumps(wanted, ensure_ascii=False),
            "folder": rules.folder(),
            "ruler_namespace": rules.ruler_namespace(),
            "apart": rules.apart,
            "operated": {part: ours for part, ours in operated.items() if ours} or None,
            "inlined": pulumi.Output.secret(fingerprint(routing.inlined)) if routing.inlined else None,
            "annotated": [*rules.mounted(), *routing.mounted()] if settings.annotate_pods else None,
            "timeout": settings.live_timeout,
        }
