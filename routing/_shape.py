"""Whether the parts of a configuration that are read here are of the kinds that Alertmanager decodes them into."""

from collections.abc import Mapping

from formats.json_types import JsonObject, JsonValue
from routing._typed import RoutingError

# What stands under a key, by the struct that it stands in: "mapping", "list", "text", or the struct of a list's items.
_STRUCTS: Mapping[str, Mapping[str, str]] = {
    "the configuration": {
        "global": "mapping",
        "route": "a route",
        "receivers": "list of a receiver",
        "inhibit_rules": "list of an inhibition",
        "time_intervals": "list of a time interval",
        "mute_time_intervals": "list of a time interval",
    },
    "a route": {
        "receiver": "text",
        "match": "mapping",
        "match_re": "mapping",
        "matchers": "list",
        "group_by": "list",
        "routes": "list of a route",
        "mute_time_intervals": "list",
        "active_time_intervals": "list",
    },
    "a receiver": {"name": "text"},
    "an inhibition": {
        **{f"{end}_{key}": "mapping" for end in ("source", "target") for key in ("match", "match_re")},
        **{f"{end}_matchers": "list" for end in ("source", "target")},
        "equal": "list",
    },
    "a time interval": {"name": "text", "time_intervals": "list of times"},
    "times": dict.fromkeys(("times", "weekdays", "days_of_month", "months", "years"), "list"),
}
# What an item that is only a dash is to Alertmanager: one without settings, or nothing.
_EMPTY = ("an inhibition", "times")
_IGNORED = ("a receiver", "a time interval")


def checked(config: JsonObject) -> JsonObject:
    """The configuration, with what items that are only a dash stand for. Raises RoutingError."""
    return _struct(config, "the configuration", "the configuration")


def _struct(value: JsonValue, struct: str, where: str) -> JsonObject:
    if value is None and struct in _EMPTY:
        return {}
    if not isinstance(value, dict):
        raise RoutingError(f"{where} must be a mapping (`key: value` lines), not {_kind(value)}")
    found = dict(value)
    for key, kind in _STRUCTS[struct].items():
        if value.get(key) is not None:
            found[key] = _checked(
                value[key], kind, f"`{key}` of {struct}" if struct != "the configuration" else f"`{key}`"
            )
    if struct in _IGNORED and not found.get("name"):
        raise RoutingError(f"{where} has no name; give it one")
    return found


def _checked(value: JsonValue, kind: str, where: str) -> JsonValue:
    if kind in _STRUCTS:
        return _struct(value, kind, where)
    if kind == "mapping" and not isinstance(value, dict):
        raise RoutingError(f"{where} must be a mapping (`key: value` lines), not {_kind(value)}")
    if kind == "text" and isinstance(value, dict | list):
        raise RoutingError(f"{where} must be a text, not {_kind(value)}")
    if kind.startswith("list"):
        if not isinstance(value, list):
            raise RoutingError(f"{where} must be a list (`- ` before each item), not {_kind(value)}")
        item = kind.removeprefix("list of ")
        if item in _STRUCTS:
            kept = [one for one in value if one is not None or item not in _IGNORED]
            return [_struct(one, item, f"an item of {where}") for one in kept]
    return value


def _kind(value: JsonValue) -> str:
    match value:
        case None:
            return "nothing"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case _:
            return "a text"
