"""Policy `our-names`: what we make has a name of ours, and of others' objects only those named here are touched."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from refusals.seen import CONFIG_MAP_PATCH, DASHBOARD, UNKNOWN, Marker, Seen, setting

SCHEMA: Final = {
    "prefixes": setting(
        ["api-performance", "api-monitoring", "dashboard-api-performance"],
        "what the name of each object of the program is, or begins with before a hyphen or a dot",
    ),
    "configMapsOfOthers": setting(
        ["prometheus-config", "alertmanager-config", "prometheus-rules"],
        "ConfigMaps of others in which the program may have a part",
    ),
    "secretsOfOthers": setting(["alertmanager-main"], "Secrets of others in which the program may have a part"),
    "workloadsOfOthers": setting(
        ["prometheus", "alertmanager"],
        "Deployments and StatefulSets of others into which the program may mount an object of its own",
    ),
}


def refuse(seen: Seen, given: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each name that is not ours, or not one to touch; `given`: the settings of SCHEMA."""
    prefixes = given["prefixes"]
    for what, name in _ours(seen):
        if not _begins(name, prefixes):
            yield (
                f"{seen.label} has {f'the {what} {name}' if name else f'no {what}'}, and a name of this program begins "
                f"with {_either(prefixes)}: give it such a name"
            )
    for what, name in _others(seen):
        allowed = given[f"{what[0].lower()}{what[1:]}sOfOthers"]
        if name not in (*allowed, UNKNOWN):
            yield (
                f"{seen.label} changes {what} {name or 'without a name'} of others, and this program may change "
                f"{_either(allowed)} only: name one of these, or ask the owners of the stack to allow it"
            )


def _ours(seen: Seen) -> Iterator[tuple[str, object]]:
    """What is ours by its name: (what the name is of, the name)."""
    if seen.is_kubernetes and seen.type != CONFIG_MAP_PATCH:
        yield "name", seen.at("metadata", "name")
    elif seen.dynamic("Mount"):
        yield "volume", seen.at("volume")
        yield from (("source", name) for name in _mounted(seen.at("source")))
    elif seen.dynamic("DashboardFolder", "PreviousDashboard"):
        yield "uid", seen.at("uid")
    elif seen.dynamic("RulerNamespace", "RuleGroups"):
        yield "namespace", seen.at("namespace")
    elif seen.dynamic("Withdrawn"):
        yield from (("path", str(path).rpartition("/")[2]) for path in seen.at("own") or ())
    elif seen.type == DASHBOARD:
        yield "uid", _uid(seen.at("configJson"))


def _others(seen: Seen) -> Iterator[tuple[str, object]]:
    """What is of others: (its kind, its name)."""
    if seen.type == CONFIG_MAP_PATCH:
        yield "ConfigMap", seen.at("metadata", "name")
    elif seen.dynamic("ConfigText"):
        yield "ConfigMap", seen.at("config_map")
    elif seen.dynamic("SecretText"):
        yield "Secret", seen.at("secret_name")
    elif seen.dynamic("Mount"):
        yield "Workload", _name_of(seen.at("workload"))
    elif seen.dynamic("Withdrawn") and seen.at("shared"):
        yield "ConfigMap", seen.at("shared", "config_map")


def _name_of(workload: object) -> object:
    """The name in KIND/NAME."""
    return workload if isinstance(workload, Marker) else str(workload or "").rpartition("/")[2]


def _mounted(source: object) -> Iterator[object]:
    """The names of the ConfigMaps and Secrets of a volume; the volume's kind where it is another."""
    if not isinstance(source, Mapping):
        yield source
        return
    for kind, what in source.items():
        if kind == "projected":
            for one in what.get("sources") or ():
                yield from _mounted(one)
        elif kind in ("configMap", "secret"):
            yield what.get("name") or what.get("secretName")
        else:
            yield kind


def _uid(model: object) -> object:
    """The uid in a dashboard's JSON; None where it cannot be read."""
    if isinstance(model, Marker):
        return model
    try:
        read = json.loads(str(model))
    except ValueError:
        return None
    return read.get("uid") if isinstance(read, dict) else None


def _begins(name: object, prefixes: list[str]) -> bool:
    """Whether it is a prefix or goes on after one. What is not known in a preview is looked at in the update."""
    return name is UNKNOWN or any(name == one or str(name).startswith((f"{one}-", f"{one}.")) for one in prefixes)


def _either(names: list[str]) -> str:
    """Names as alternatives."""
    return " or ".join(filter(None, [", ".join(names[:-1]), *names[-1:]])) or "none"
