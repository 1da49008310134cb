"""What our files need of the servers' versions: an input of `Withdrawn`, which checks it before anything is written."""

import json
from collections.abc import Collection, Mapping, Sequence

from components.settings import Settings
from formats.json_types import JsonObject, JsonValue
from formats.versions import Need
from routing import Parts
from routing.routing_needs import needs as of_routing
from rules import RuleFile
from rules.rule_needs import needs as of_rules

# The Prometheus Operator does not write these into Alertmanager's file: it puts secrets where we name files, and
# knows no time zone.
_NOT_BY_OPERATOR = ("auth_password_file", "api_url_file", "routing_key_file", "url_file", "location")


def needs(files: Sequence[RuleFile], parts: Parts, whole: Mapping[str, JsonValue] | None, settings: Settings) -> str:
    """`needed`, as one text: server → what it has to know, each as [what, where, since].

    components.live.running.server_versions reads it.
    """
    found = needed(files, parts, whole, settings)
    return json.dumps(
        {server: [(one.what, one.where, one.feature.since) for one in every] for server, every in found.items()}
    )


def needed(
    files: Sequence[RuleFile], parts: Parts, whole: Mapping[str, JsonValue] | None, settings: Settings
) -> dict[str, list[Need]]:
    """What our files use that not every version knows, by server (`prometheus`, `alertmanager`).

    `parts`: our part of a configuration of others; `whole`: the configuration where all of it is ours.
    """
    return {"prometheus": of_rules(files), "alertmanager": of_routing(whole or _as_config(parts, settings))}


def _as_config(parts: Parts, settings: Settings) -> Mapping[str, JsonValue]:
    """Our part as Alertmanager's file has it."""
    config: JsonObject = {
        "route": {"routes": parts.routes},
        "receivers": parts.receivers,
        "inhibit_rules": parts.inhibit_rules,
        **({"time_intervals": parts.time_intervals} if parts.time_intervals else {}),
    }
    return _without(config, _NOT_BY_OPERATOR) if settings.alertmanager_mode == "operator" else config


def _without(value: JsonValue, keys: Collection[str]) -> JsonValue:
    """`value` without these keys, at any depth."""
    if isinstance(value, Mapping):
        return {key: _without(item, keys) for key, item in value.items() if key not in keys}
    return [_without(item, keys) for item in value] if isinstance(value, (list, tuple)) else value
