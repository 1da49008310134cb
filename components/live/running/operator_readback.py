"""Reads back what the Prometheus Operator made of our AlertmanagerConfig, and what it reports in events.

It puts `NAMESPACE/OBJECT/` before our names, secrets where we name files, and may add a matcher on the namespace.
"""

from collections.abc import Mapping

from components.live.cluster import connections, operator_overrides, operator_preflight
from components.live.provider import Props
from components.live.running.compare import HIDDEN
from formats.json_types import JsonValue
from ops.errors import OpsError
from routing import RoutingError, tree

Config = Mapping[str, JsonValue]

_NAMES = ("receiver", "name", "mute_time_intervals", "active_time_intervals")


def prefix(props: Props) -> str:
    """What the operator puts before our names; "" where it does not deliver our routing."""
    ours = (props.get("operated") or {}).get("routing")
    return f"{props['namespace']}/{ours['name']}/" if ours else ""


def our_part(config: Config, props: Props) -> Config:
    """Our part of the running configuration as we wrote it; the whole as it is where no operator delivers it."""
    begin = prefix(props)
    if not begin:
        return config
    root = config.get("route") or {}
    namespace = _matcher(props)

    def without(entries: JsonValue) -> list[JsonValue]:
        return [entry for entry in entries or () if _parsed(entry) != namespace]

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


def not_taken_up(config: Config, props: Props) -> list[str]:
    """That there is nothing of ours in the running configuration (`our_part`)."""
    if (begin := prefix(props)) and not config["receivers"]:
        return [f"AlertmanagerConfig {begin.rstrip('/')} is not in what it runs"]
    return []


def added_matcher(config: Config, props: Props) -> list[str]:
    """That our routes run with a matcher added that our alerts do not match."""
    begin, ours = prefix(props), (props.get("operated") or {}).get("routing")
    narrowed = any(
        str(route.get("receiver")).startswith(begin) and _matcher(props) in map(_parsed, route.get("matchers") or ())
        for route in (config.get("route") or {}).get("routes") or ()
    )
    if (
        ours
        and ours["bare"]
        and narrowed
        and operator_overrides.external_label(props, "namespace") != props["namespace"]
    ):
        return [
            "the operator has added a matcher to our routes: "
            + operator_overrides.ADDED_MATCHER.format(props["namespace"])
        ]
    return []


def rejections(props: Props) -> list[str]:
    """The operator's last warning for each object of ours, in its own words."""
    said: dict[str, str] = {}
    for _, kind, ours in operator_preflight.operator_kinds(props):
        path = f"/api/v1/namespaces/{props['namespace']}/events"
        selector = f"involvedObject.kind={kind.kind},type=Warning"
        try:
            events = connections.kubernetes(props).get(path, {"fieldSelector": selector})["items"]
        except OpsError:  # events may be forbidden; what does not run is named anyway
            continue
        for event in sorted(events, key=lambda event: str(event.get("lastTimestamp"))):
            if (name := event["involvedObject"]["name"]).startswith(ours["name"]):
                said[name] = f"the operator said at {event.get('lastTimestamp')}: {event['message']}"
    return list(said.values())


def _matcher(props: Props) -> tuple[tree.Matcher, ...]:
    return (tree.Matcher("namespace", props["namespace"], "="),)


def _parsed(entry: JsonValue) -> tuple[tree.Matcher, ...]:
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
