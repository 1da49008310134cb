"""The first and the last thing of the program: what proves that it runs, and what proves that it is gone."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import pulumi

from components import ownership
from components.alert_routing.delivery import RoutingDelivery
from components.alert_rules.delivery import RulesDelivery
from components.live.resources import Live, Withdrawn
from components.settings import Settings
from components.version_needs import needs
from routing import tree
from rules import RuleFile


class Proof:
    """What both ends look at: the rule files and the routing, and how each is delivered."""

    def __init__(
        self, files: Sequence[RuleFile], rules: RulesDelivery, routing: RoutingDelivery, settings: Settings
    ) -> None:
        self._files, self._rules, self._routing, self._settings = files, rules, routing, settings

    def withdrawn(self, own: Sequence[str]) -> Withdrawn:
        """Made before everything else, so that it is taken back after it: then both servers have to run without us.

        `own`: where the API has, or will have, what is ours alone.
        """
        settings, proved = self._settings, self._proved
        # A change of the way in which ours gets there is closed by the former one's going.
        return Withdrawn(
            f"withdrawn-{settings.rules.mode}-{settings.alertmanager_mode}",
            **proved,
            more={
                "own": list(own),
                "shared": self._rules.shared(),
                "edited": [*self._rules.edited, *self._routing.edited],
                "manager": ownership.manager(),
                "needs": needs(self._files, proved["routing"], proved["whole"], settings),
            },
        )

    def live(self, after: Sequence[pulumi.Resource]) -> Live:
        """Made after everything else: both servers reload, and have to run exactly what was written."""
        return Live("live", **self._proved, opts=pulumi.ResourceOptions(depends_on=after))

    @cached_property
    def _proved(self) -> dict[str, Any]:
        settings, written = self._settings, self._routing.written
        whole = self._routing.whole()
        operated = {"rules": self._rules.operated(), "routing": self._routing.operated()}
        return {
            "cluster": settings.cluster,
            "prometheus": settings.prometheus,
            "alertmanager": settings.alertmanager,
            "rules": self._files,
            "routing": self._routing.parts(),
            "timeout": settings.live_timeout,
            "operated": {part: ours for part, ours in operated.items() if ours},
            "whole": tree.parse(whole, written.shown) if whole else None,
            "texts": [
                *(file.text for file in self._files),
                written.text,
                settings.rules.mode,
                str(settings.alertmanager_replace),
            ],
            "folder": self._rules.folder(),
            "apart": self._rules.apart,
        }
