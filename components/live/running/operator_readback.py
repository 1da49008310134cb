"""Reads back what the Prometheus Operator made of our AlertmanagerConfig, and what it reports in events.

It puts `NAMESPACE/OBJECT/` before our names, secrets where we name files, and may add a matcher on the namespace.
"""

from components.live.cluster import connections, operator_overrides, operator_preflight
from components.live.provider import Props
from components.live.running.operator_names import Config, namespace_matcher, parsed_matchers, prefix
from ops.errors import OpsError


def not_taken_up(config: Config, props: Props) -> list[str]:
    """That there is nothing of ours in the running configuration (`our_part`)."""
    if (begin := prefix(props)) and not config["receivers"]:
        return [f"AlertmanagerConfig {begin.rstrip('/')} is not in what it runs"]
    return []


def added_matcher(config: Config, props: Props) -> list[str]:
    """That our routes run with a matcher added that our alerts do not match."""
    begin, ours = prefix(props), (props.get("operated") or {}).get("routing")
    narrowed = any(
        str(route.get("receiver")).startswith(begin)
        and namespace_matcher(props) in map(parsed_matchers, route.get("matchers") or ())
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
