"""Policy `others-work-stays`: nothing of others is overwritten or deleted, as far as a policy can see it.

A policy is shown what the program declares, and never what is deleted (README.md says what follows from that). So it
holds what decides in advance whether a later change, or `pulumi destroy`, would touch the work of others.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from refusals.seen import CONFIG_MAP_PATCH, PROVIDER, Seen, setting

SCHEMA: Final = {
    "wholeAlertmanagerConfig": setting(
        False, "whether the program may replace all of Alertmanager's configuration (alertmanagerReplace)"
    ),
    "dashboardOfOthers": setting(
        False, "whether the program may take over a dashboard that was in Grafana before (grafanaAdopt)"
    ),
}

_ADDING_EDITORS: Final = ("rule-files", "routing")  # those that leave every line of others
_FORCE: Final = "pulumi.com/patchForce"


def refuse(seen: Seen, given: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each thing that overwrites or deletes what is of others; `given`: the settings of SCHEMA."""
    if seen.type == CONFIG_MAP_PATCH and _is_on(seen.at("metadata", "annotations", _FORCE)):
        yield (
            f"{seen.label} has the annotation {_FORCE}, with which it overwrites what others wrote into "
            f"{seen.at('metadata', 'name')}: take the annotation out"
        )
    whole = ("replace",) if given["wholeAlertmanagerConfig"] else ()
    places = {"SecretText": "secret_name", "ConfigText": "config_map", "TenantText": "place"}
    text_of = next((place for kind, place in places.items() if seen.dynamic(kind)), "")
    if text_of and seen.at("editor") not in (*_ADDING_EDITORS, *whole):
        yield (
            f"{seen.label} writes all of {seen.at(text_of)} (editor {seen.at('editor')}), also what others wrote "
            "there: set alertmanagerReplace to false, or ask the owners of the stack to allow it by "
            "wholeAlertmanagerConfig"
        )
    if seen.dynamic("PreviousDashboard") and _is_on(seen.at("adopt")) and not given["dashboardOfOthers"]:
        yield (
            f"{seen.label} takes over a dashboard of others: set grafanaAdopt to false, or ask the owners of the stack "
            "to allow it by dashboardOfOthers"
        )
    if seen.type == f"{PROVIDER}kubernetes" and _is_on(seen.at("deleteUnreachable")):
        yield (
            f"{seen.label} has deleteUnreachable, with which the state loses what the cluster still has: take it out"
        )


def _is_on(value: object) -> bool:
    """Whether a flag is set; the settings of a provider and annotations are texts."""
    return value is True or value == "true"
