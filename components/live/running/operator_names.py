"""Our part of what the Prometheus Operator made of our AlertmanagerConfig, read as we wrote it: pure.

It puts `NAMESPACE/OBJECT/` before our names, secrets where we name files, and may add a matcher on the namespace."""

from collections.abc import Mapping
from typing import TypeAlias

from components.live.running.compare import HIDDEN
from formats.json_types import JsonValue
from routing import RoutingError, tree

Config: TypeAlias = Mapping[str, JsonValue]


_NAMES = ("receiver", "name", "mute_time_intervals", "active_time_intervals")


def prefix(props: Config) -> str:
    """What the operator puts before our names; "" where it does not deliver our routing."""
    ours = (props.get("operated") or {}).get("routing")
    return f"{props['namespace']}/{ours['name']}/" if ours else ""


def our_part(config: Config, props: Config) -> Config:
    """Our part of the running configuration as we wrote it; the whole as it is where no operator delivers it."""
    begin = prefix(props)
    if not begin:
        return config
    root = config.get("route") or {}
    namespace = namespace_matcher(props)

    def without(entries: JsonValue) -> list[JsonValue]:
        return [entry for entry in entries or () if parsed_matchers(entry) != namespace]

    def plain(value: JsonValue) -> JsonValue:
        """A receiver, a time interval, or a route and all below it."""
        found = {key: _without_prefix(text, begin) if key in _NAMES else text for key, text in value.items()}
        if "routes" in found:
            found["routes"] = [plain(child) for child in found["routes"] or ()]
        return found

    return {
        "route": {
            "receiver": "-",
            "routes": [
                {**plain(route), "matchers": without(route.get("matchers"))}
                for route in root.get("routes") or ()
                if str(route.get("receiver")).startswith(begin)
            ],
        },
        "receivers": [
            {kind: _hide_file_names(entries) for kind, entries in plain(receiver).items()}
            for receiver in config.get("receivers") or ()
            if str(receiver.get("name")).startswith(begin)
        ],
        "inhibit_rules": [
            {**rule, **{f"{end}_matchers": without(rule.get(f"{end}_matchers")) for end in ("source", "target")}}
            for rule in config.get("inhibit_rules") or ()
        ],
        "time_intervals": [
            plain(interval) for interval in tree.time_intervals(config) if str(interval.get("name")).startswith(begin)
        ],
    }


def with_files(config: Config) -> Config:
    """The running configuration with each hidden secret also under the name of the file that we may have written."""
    receivers = [
        {kind: _hide_file_names(entries) for kind, entries in receiver.items()}
        for receiver in config.get("receivers") or ()
    ]
    return {**config, "receivers": receivers}


def namespace_matcher(props: Config) -> tuple[tree.Matcher, ...]:
    """The matcher that the operator adds to our routes and inhibitions."""
    return (tree.Matcher("namespace", props["namespace"], "="),)


def parsed_matchers(entry: JsonValue) -> tuple[tree.Matcher, ...]:
    """The matchers of an entry; none where it cannot be read."""
    try:
        return tree.parse_matchers(str(entry))
    except RoutingError:  # not ours; a configuration that cannot be read is reported elsewhere
        return ()


def _without_prefix(value: JsonValue, begin: str) -> JsonValue:
    if isinstance(value, list):
        return [_without_prefix(one, begin) for one in value]
    return value.removeprefix(begin) if isinstance(value, str) else value


def _hide_file_names(entries: JsonValue) -> JsonValue:
    """The secret's key with `_file`, as we wrote it; the value is hidden all the same."""
    if not isinstance(entries, list):
        return entries
    return [
        {**entry, **{f"{key}_file": HIDDEN for key, value in entry.items() if value == HIDDEN}} for entry in entries
    ]
