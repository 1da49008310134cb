"""Our routing in the words of the Prometheus Operator's AlertmanagerConfig (monitoring.coreos.com/v1alpha1).

The same things under camel-cased names, with matchers as objects and secrets as references. Note that the operator adds
a matcher on the object's namespace to every route unless the Alertmanager is told otherwise by its
`alertmanagerConfigMatcherStrategy`; our alerts carry no such label (docs/operating.md).
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from routing import Parts
from routing.tree import parse_matchers

# Every mail setting by its name there; what is not named here is written camel-cased.
_RENAMED = {"require_tls": "requireTLS", "tls_config": "tlsConfig", "client_url": "clientURL"}


def spec(parts: Parts, secret: str) -> dict[str, Any]:
    """`spec` of the object; the mail relay's password is read from the Secret of that name."""
    # An AlertmanagerConfig has one route; ours are its children, and it takes exactly what they take.
    intervals = [_interval(interval) for interval in parts.time_intervals]
    names = sorted({str(route["receiver"]) for route in parts.routes})
    return {
        "route": {
            "receiver": names[0],
            "matchers": [{"name": "component", "matchType": "=~", "value": "api|database|webhook|watchdog"}],
            "routes": [_route(route) for route in parts.routes],
        },
        "receivers": [_receiver(receiver, secret) for receiver in parts.receivers],
        "inhibitRules": [
            {
                "sourceMatch": _matchers(rule.get("source_matchers", ())),
                "targetMatch": _matchers(rule.get("target_matchers", ())),
                "equal": list(rule.get("equal", ())),
            }
            for rule in parts.inhibit_rules
        ],
        **({"muteTimeIntervals": intervals} if intervals else {}),
    }


def _route(route: Mapping[str, Any]) -> dict[str, Any]:
    found = {_camel(key): value for key, value in route.items() if key not in ("matchers", "routes")}
    found["matchers"] = _matchers(route.get("matchers", ()))
    if route.get("routes"):
        found["routes"] = [_route(child) for child in route["routes"]]
    return found


def _receiver(receiver: Mapping[str, Any], secret: str) -> dict[str, Any]:
    found: dict[str, Any] = {"name": receiver["name"]}
    if mails := receiver.get("email_configs"):
        found["emailConfigs"] = [_mail(mail, secret) for mail in mails]
    for sender in ("slack", "pagerduty", "webhook"):
        if entries := receiver.get(f"{sender}_configs"):
            found[f"{sender}Configs"] = [_sender(entry) for entry in entries]
    return found


# What is read from a file, by the name under which the object has the Secret instead.
_SECRETS = {"api_url_file": "apiURL", "routing_key_file": "routingKey", "url_file": "urlSecret"}


def _sender(entry: Mapping[str, Any]) -> dict[str, Any]:
    found = {_camel(key): value for key, value in entry.items() if key not in _SECRETS}
    for key, name in _SECRETS.items():
        if key in entry:
            path = PurePosixPath(entry[key])  # /etc/alertmanager/secrets/SECRET/KEY: settings have no other here
            found[name] = {"name": path.parent.name, "key": path.name}
    if "details" in found:
        found["details"] = [{"key": key, "value": value} for key, value in found["details"].items()]
    if "links" in found:  # whose text is called alt there
        found["pagerDutyLinkConfigs"] = [{"href": link["href"], "alt": link["text"]} for link in found.pop("links")]
    return found


def _interval(interval: Mapping[str, Any]) -> dict[str, Any]:
    """A time interval, whose hours are UTC there: it has no time zone."""
    return {
        "name": interval["name"],
        "timeIntervals": [
            {
                _camel(key): [{_camel(end): at for end, at in time.items()} for time in value]
                if key == "times"
                else value
                for key, value in entry.items()
                if key != "location"
            }
            for entry in interval["time_intervals"]
        ],
    }


def _mail(mail: Mapping[str, Any], secret: str) -> dict[str, Any]:
    found = {_camel(key): value for key, value in mail.items() if key not in ("headers", "auth_password_file")}
    found["headers"] = [{"key": key, "value": value} for key, value in mail.get("headers", {}).items()]
    if "auth_password_file" in mail:
        found["authPassword"] = {"name": secret, "key": PurePosixPath(mail["auth_password_file"]).name}
    return found


def _matchers(matchers: Sequence[str]) -> list[dict[str, str]]:
    return [
        {"name": matcher.name, "matchType": matcher.operator, "value": matcher.value}
        for text in matchers
        for matcher in parse_matchers(text)
    ]


def _camel(name: str) -> str:
    return _RENAMED.get(name) or re.sub(r"_(\w)", lambda found: found[1].upper(), name)
