"""Our routing as `spec` of the Prometheus Operator's AlertmanagerConfig (monitoring.coreos.com/v1alpha1).

The same things under camel-cased names, with matchers as objects and secrets as references. The operator puts the
object's routes before those of others, gives all names a prefix, and lets every alert go on to the others' routes.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from formats.json_types import JsonObject, JsonValue
from routing import Parts, tree

# Alertmanager's name → the operator's, where that is not simply camel-cased.
_RENAMED = {"require_tls": "requireTLS", "tls_config": "tlsConfig", "client_url": "clientURL"}

# Alertmanager reads these from a file; the operator has a Secret under another name instead.
_SECRETS = {"api_url_file": "apiURL", "routing_key_file": "routingKey", "url_file": "urlSecret"}

# The labels by which the object's one route matches our alerts and no others.
_MATCHED_LABELS = ("component", "severity")
_ROUTE_SETTINGS = ("receiver", "group_by", "group_wait", "group_interval", "repeat_interval")


def below_one_route(parts: Parts, alerts: Iterable[Mapping[str, str]]) -> Parts:
    """The same parts, with all routes below one: an AlertmanagerConfig has only one.

    It matches the components and severities of `alerts` (their labels), and continues, as the operator makes it do
    anyway. It has all settings itself: otherwise it would inherit those of the others' first route.
    """
    every = list(alerts)
    takes = []
    for label in _MATCHED_LABELS:
        values = sorted({labels.get(label, "") for labels in every})
        takes.append(str(tree.Matcher(label, "|".join(map(re.escape, values)), "=~")))
    model = next(route for route in parts.routes if parts.sends(route))  # what none below takes is to be told, too
    first = {key: value for key, value in model.items() if key in _ROUTE_SETTINGS}
    one = {**first, "matchers": takes, "continue": True, "routes": list(parts.routes)}
    return replace(parts, routes=(one,))


def spec(parts: Parts, password: str | None) -> JsonObject:
    """`spec` of the object, for parts with one route (`below_one_route`).

    `password`: the Secret of ours that has the mail relay's; None where the path of its file names another.
    """
    intervals = [_interval(interval) for interval in parts.time_intervals]
    (route,) = parts.routes
    return {
        "route": _route(route),
        "receivers": [_receiver(receiver, password) for receiver in parts.receivers],
        "inhibitRules": [
            {
                "sourceMatch": _matchers(rule, "source_"),
                "targetMatch": _matchers(rule, "target_"),
                "equal": list(rule.get("equal", ())),
            }
            for rule in parts.inhibit_rules
        ],
        **({"muteTimeIntervals": intervals} if intervals else {}),
    }


def secrets(spec: Mapping[str, JsonValue]) -> list[dict[str, str]]:
    """Every Secret and key that the object refers to."""
    found = [
        value
        for receiver in spec["receivers"]
        for kind, entries in receiver.items()
        if kind.endswith("Configs")
        for entry in entries
        for value in entry.values()
        if isinstance(value, dict) and {*value} == {"name", "key"}
    ]
    return [dict(pair) for pair in sorted({tuple(sorted(one.items())) for one in found})]


def _route(route: Mapping[str, JsonValue]) -> JsonObject:
    apart = ("match", "match_re", "matchers", "routes")
    found = {_camel(key): value for key, value in route.items() if key not in apart}
    found["matchers"] = _matchers(route)
    if route.get("routes"):
        found["routes"] = [_route(child) for child in route["routes"]]
    return found


def _receiver(receiver: Mapping[str, JsonValue], password: str | None) -> JsonObject:
    sends = {f"{sender}_configs" for sender in ("email", "slack", "pagerduty", "webhook")} & receiver.keys()
    configs = {_camel(kind): [_config(entry, password) for entry in receiver[kind]] for kind in sorted(sends)}
    return {"name": receiver["name"], **configs}


def _config(entry: Mapping[str, JsonValue], password: str | None) -> JsonObject:
    """One way to tell somebody: a mail, a message, an incident or a webhook."""
    found: JsonObject = {}
    for key, value in entry.items():
        if key == "auth_password_file":
            found["authPassword"] = _secret(value, password)
        elif key in _SECRETS:
            found[_SECRETS[key]] = _secret(value)
        elif key in ("headers", "details"):
            found[key] = [{"key": name, "value": text} for name, text in value.items()]
        elif key == "links":  # the operator calls a link's text alt
            found["pagerDutyLinkConfigs"] = [{"href": link["href"], "alt": link["text"]} for link in value]
        else:
            found[_camel(key)] = value
    return found


def _interval(interval: Mapping[str, JsonValue]) -> JsonObject:
    """A time interval; its hours are UTC, as the operator knows no time zone (settings see to that)."""
    entries = [
        {_camel(key): value for key, value in entry.items() if key != "location"}
        for entry in interval["time_intervals"]
    ]
    for entry in entries:
        if "times" in entry:
            entry["times"] = [{_camel(end): at for end, at in time.items()} for time in entry["times"]]
    return {"name": interval["name"], "timeIntervals": entries}


def _secret(path: str, name: str | None = None) -> dict[str, str]:
    """The Secret and key of a file /etc/alertmanager/secrets/SECRET/KEY; the settings allow no other path here."""
    file = PurePosixPath(path)
    return {"name": name or file.parent.name, "key": file.name}


def _matchers(raw: Mapping[str, JsonValue], end: str = "") -> list[dict[str, str]]:
    """The matchers of a route, or of one `end` of an inhibition (`source_`, `target_`), from any of the three forms."""
    found = [tree.Matcher(label, str(value), "=") for label, value in (raw.get(f"{end}match") or {}).items()]
    found += [tree.Matcher(label, str(value), "=~") for label, value in (raw.get(f"{end}match_re") or {}).items()]
    found += [matcher for text in raw.get(f"{end}matchers") or () for matcher in tree.parse_matchers(text)]
    return [{"name": one.name, "matchType": one.operator, "value": one.value} for one in found]


def _camel(name: str) -> str:
    return _RENAMED.get(name) or re.sub(r"_(\w)", lambda found: found[1].upper(), name)
