"""The first and the last thing of the program: what proves that it runs, and what proves that it is gone."""

from collections.abc import Sequence
from typing import Any

import pulumi

from components import alert_routing, alert_rules
from components import ownership as owned
from components.alert_routing import parts
from components.live.resources import Live, Withdrawn
from components.settings import Settings
from components.version_needs import needs
from routing import Routing, tree
from rules import RuleFile


def withdrawn(files: Sequence[RuleFile], written: Routing, settings: Settings, own: Sequence[str]) -> Withdrawn:
    """Made before everything else, so that it is taken back after it: then both servers have to run without us.

    `own`: where the API has, or will have, what is ours alone.
    """
    way = f"{settings.rules.mode}-{settings.alertmanager_mode}"  # a change of it is closed by the former one's going
    proved = _proved(files, written, settings)
    return Withdrawn(
        f"withdrawn-{way}",
        **proved,
        more={
            "own": list(own),
            "shared": alert_rules.shared(files, settings),
            "edited": [
                *(["prometheus"] if settings.rules.mode == "dedicated" else []),
                *(["alertmanager"] if settings.alertmanager_mode == "configmap" else []),
            ],
            "manager": owned.manager(),
            "needs": needs(files, proved["routing"], proved["whole"], settings),
        },
    )


def live(files: Sequence[RuleFile], written: Routing, settings: Settings, *, after: Sequence[pulumi.Resource]) -> Live:
    """Made after everything else: both servers reload, and have to run exactly what was written."""
    return Live("live", **_proved(files, written, settings), opts=pulumi.ResourceOptions(depends_on=after))


def _proved(files: Sequence[RuleFile], written: Routing, settings: Settings) -> dict[str, Any]:
    replaced = settings.alertmanager_mode == "configmap" and settings.alertmanager_replace
    return {
        "cluster": settings.cluster,
        "prometheus": settings.prometheus,
        "alertmanager": settings.alertmanager,
        "rules": files,
        "routing": parts(written, _labels(files), settings),
        "timeout": settings.live_timeout,
        "operated": _operated(files, written, settings),
        "whole": tree.parse(alert_routing.whole(written, settings), written.shown) if replaced else None,
        "texts": [
            *(file.text for file in files),
            written.text,
            settings.rules.mode,
            str(settings.alertmanager_replace),
        ],
        "folder": settings.rules.mount_path if settings.rules.mode != "operator" else "",
        "apart": settings.rules.mode == "shared",
    }


def _labels(files: Sequence[RuleFile]) -> list[dict[str, str]]:
    return [{**alert.labels, "alertname": alert.name} for file in files for alert in file.alerts]


def _operated(files: Sequence[RuleFile], written: Routing, settings: Settings) -> dict[str, Any]:
    """What the Prometheus Operator is to take up (components.live.cluster.operator_preflight)."""
    labels = dict(settings.rules.operator_labels)
    found: dict[str, Any] = {}
    if settings.rules.mode == "operator":
        found["rules"] = {"name": alert_rules.OPERATED, "labels": labels}
    if settings.alertmanager_mode == "operator":
        every = _labels(files)
        found["routing"] = {
            "name": alert_routing.OPERATED,
            "labels": labels,
            "secrets": alert_routing.references(written, every, settings),
            "bare": any(one.get("namespace") != settings.namespace for one in every),
        }
    return found
