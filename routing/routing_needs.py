"""What a routing uses that not every version of Alertmanager knows.

A configuration with one thing that the running Alertmanager does not know is refused as a whole at the next reload, and
the next start fails. The versions are those of Alertmanager's CHANGELOG.md; `make compat` holds this table to real
servers.
"""

import re
from collections.abc import Iterator, Mapping

from formats.json_types import JsonValue
from formats.versions import Feature, Need
from routing import _mail_templates, _matchers, _times

Used = tuple[str, str, Feature]  # where, what, and since when

TOP = {
    "mute_time_intervals": Feature("0.22", "#2393"),
    "time_intervals": Feature("0.24", "#2779"),
    "tracing": Feature("0.30", "#4745"),
    "event_recorder": Feature("0.33", "#5072"),
}
GLOBAL = {
    "slack_api_url_file": Feature("0.22", "#2534"),
    "opsgenie_api_key_file": Feature("0.24", "#2728"),
    "telegram_api_url": Feature("0.24", "#2827"),
    "smtp_auth_password_file": Feature("0.25", "#3038"),
    "victorops_api_key_file": Feature("0.25", "#3111"),
    "webex_api_url": Feature("0.25", "#3132"),
    "smtp_tls_config": Feature("0.28", "#3732"),
    "jira_api_url": Feature("0.28", "#3590"),
    **dict.fromkeys(
        (
            *("rocketchat_api_url", "rocketchat_token", "rocketchat_token_file"),
            *("rocketchat_token_id", "rocketchat_token_id_file"),
        ),
        Feature("0.28", "#3600"),
    ),
    **dict.fromkeys(("slack_app_token", "slack_app_token_file", "slack_app_url"), Feature("0.30", "#4211")),
    "smtp_auth_secret_file": Feature("0.31", "#3087"),
    "smtp_force_implicit_tls": Feature("0.31", "#4818"),
    **dict.fromkeys(("telegram_bot_token", "telegram_bot_token_file"), Feature("0.31", "#4823")),
    "wechat_api_secret_file": Feature("0.31", "#4734"),
    **dict.fromkeys(("mattermost_webhook_url", "mattermost_webhook_url_file"), Feature("0.32", "#4998")),
}
ROUTE = {
    "matchers": Feature("0.22", "#2434"),
    "mute_time_intervals": Feature("0.22", "#2393"),
    "active_time_intervals": Feature("0.24", "#2779"),
    "labels": Feature("0.34", "#5328"),
}
INHIBITION = {
    "source_matchers": Feature("0.22", "#2434"),
    "target_matchers": Feature("0.22", "#2434"),
    "name": Feature("0.30", "#4628"),
}
LOCATION = Feature("0.25", "#2782")  # of a time interval
WRAPPING = Feature("0.35", "#5579")  # of weekdays, such as friday:monday
UTF_8 = Feature("0.27", "#3453")  # of matchers
UTF_8_EQUAL = Feature("0.28", "#4177")  # of the labels in `equal` of an inhibition

# Keys of a receiver.
RECEIVER = {
    "labels": Feature("0.33", "#5152"),
    "sns_configs": Feature("0.23", "#2615"),
    "telegram_configs": Feature("0.24", "#2827"),
    "discord_configs": Feature("0.25", "#2948"),
    "webex_configs": Feature("0.25", "#3132"),
    "msteams_configs": Feature("0.26", "#3324"),
    "msteamsv2_configs": Feature("0.28", "#4024"),
    "rocketchat_configs": Feature("0.28", "#3600"),
    "jira_configs": Feature("0.28", "#3590"),
    "incidentio_configs": Feature("0.29", "#4372"),
    "mattermost_configs": Feature("0.30", "#4090"),
}

# Keys of an entry of those.
SENDERS: Mapping[str, Mapping[str, Feature]] = {
    "discord_configs": {
        "webhook_url_file": Feature("0.28", "#3728"),  # 0.27 has the key, and refuses every file with it
        **dict.fromkeys(("content", "username", "avatar_url"), Feature("0.28", "#4007")),
    },
    "email_configs": {
        "auth_password_file": Feature("0.25", "#3038"),
        "threading": Feature("0.30", "#4623"),
        "auth_secret_file": Feature("0.31", "#3087"),
        "force_implicit_tls": Feature("0.31", "#4818"),
    },
    "incidentio_configs": {"metadata": Feature("0.35", "#5022")},
    "jira_configs": {"api_type": Feature("0.29", "#4542")},
    "msteams_configs": {
        "webhook_url_file": Feature("0.28", "#3728"),  # likewise
        "summary": Feature("0.27", "#3616"),
    },
    "opsgenie_configs": {
        **dict.fromkeys(("entity", "actions"), Feature("0.24", "#2753")),
        "update_alerts": Feature("0.24", "#2519"),
        "api_key_file": Feature("0.24", "#2728"),
    },
    "pagerduty_configs": {
        "source": Feature("0.25", "#3106"),
        **dict.fromkeys(("routing_key_file", "service_key_file"), Feature("0.25", "#3107")),
        "timeout": Feature("0.30", "#4354"),
    },
    "pushover_configs": {
        **dict.fromkeys(("user_key_file", "token_file"), Feature("0.26", "#3200")),
        "device": Feature("0.26", "#3318"),
        "monospace": Feature("0.29", "#4362"),
    },
    "rocketchat_configs": {"message_text": Feature("0.35", "#5595")},
    "slack_configs": {
        "api_url_file": Feature("0.22", "#2534"),
        **dict.fromkeys(("app_token", "app_token_file", "app_url"), Feature("0.30", "#4211")),
        "timeout": Feature("0.30", "#4355"),
        "message_text": Feature("0.31", "#4867"),
        "update_message": Feature("0.32", "#5007"),
        "post_updates_to_thread": Feature("0.35", "#5540"),
    },
    "sns_configs": {"use_aws_http_client": Feature("0.33", "#5178")},
    "telegram_configs": {
        "bot_token_file": Feature("0.26", "#3226"),
        "message_thread_id": Feature("0.28", "#3638"),
        "chat_id_file": Feature("0.31", "#4909"),
        "timeout": Feature("0.35", "#5127"),
    },
    "victorops_configs": {"api_key_file": Feature("0.25", "#3111")},
    "webhook_configs": {
        "url_file": Feature("0.26", "#3223"),
        "timeout": Feature("0.28", "#4137"),
        "payload": Feature("0.32", "#5011"),
    },
    "wechat_configs": {"api_secret_file": Feature("0.31", "#4734")},
}

# Functions of the templates in receivers.
TEMPLATES = {
    "stringSlice": Feature("0.20", "#2101"),
    "trimSpace": Feature("0.26", "#3223"),
    **dict.fromkeys(("since", "humanizeDuration"), Feature("0.28", "#3863")),
    **dict.fromkeys(("date", "tz"), Feature("0.28", "#3812")),
    **dict.fromkeys(("safeUrl", "urlUnescape"), Feature("0.30", "#4625")),
    "toJson": Feature("0.30", "#4773"),
    **dict.fromkeys(("dict", "list", "append"), Feature("0.32", "#5093")),
    "now": Feature("0.33", "#5188"),
    **dict.fromkeys(("toDate", "mustToDate"), Feature("0.34", "#5327")),
    **dict.fromkeys(("base64encode", "base64decode"), Feature("0.34", "#5413")),
    "routeLabels": Feature("0.34", "#5328"),
    "addDuration": Feature("0.35", "#5550"),
}

_FUNCTION = re.compile(rf"\b(?:{'|'.join(TEMPLATES)})\b")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def needs(config: Mapping[str, JsonValue]) -> list[Need]:
    """Each feature that a configuration uses, or a part of one with the same keys, once, with the first who does."""
    found: dict[tuple[str, Feature], Need] = {}
    for where, what, feature in _used(config):
        found.setdefault((what, feature), Need(what, where, feature))
    return list(found.values())


def _used(config: Mapping[str, JsonValue]) -> Iterator[Used]:
    yield from _keys("routing", config, TOP)
    yield from _keys("global", config.get("global") or {}, GLOBAL)
    if config.get("route"):
        yield from _in_route(config["route"])
    for rule in config.get("inhibit_rules") or ():
        where = f"the inhibition {rule['name']}" if rule.get("name") else "an inhibition"
        yield from _keys(where, rule, INHIBITION)
        yield from _in_matchers(where, [*rule.get("source_matchers", ()), *rule.get("target_matchers", ())])
        if not all(_LABEL.fullmatch(str(label)) for label in rule.get("equal") or ()):
            yield where, "UTF-8 names of labels in equal", UTF_8_EQUAL
    for receiver in config.get("receivers") or ():
        yield from _in_receiver(f"receiver {receiver.get('name')}", receiver)
    for key in ("time_intervals", "mute_time_intervals"):
        for interval in config.get(key) or ():
            yield from _in_interval(f"time interval {interval.get('name')}", interval)


def _keys(where: str, mapping: Mapping[str, JsonValue], known: Mapping[str, Feature]) -> Iterator[Used]:
    for key, value in mapping.items():
        if key in known and value is not None:
            yield where, key, known[key]


def _in_route(route: Mapping[str, JsonValue]) -> Iterator[Used]:
    where = f"a route to {route['receiver']}" if route.get("receiver") else "a route"
    yield from _keys(where, route, ROUTE)
    yield from _in_matchers(where, route.get("matchers") or ())
    for child in route.get("routes") or ():
        yield from _in_route(child)


def _in_matchers(where: str, matchers: JsonValue) -> Iterator[Used]:
    for text in matchers:
        if not _matchers.is_classic(str(text)):
            yield where, "a matcher with UTF-8 or quotes", UTF_8


def _in_receiver(where: str, receiver: Mapping[str, JsonValue]) -> Iterator[Used]:
    yield from _keys(where, receiver, RECEIVER)
    for sender, entries in receiver.items():
        for entry in entries if isinstance(entries, (list, tuple)) else ():
            for _, key, feature in _keys(where, entry, SENDERS.get(sender, {})):
                yield where, f"{key} in {sender}", feature
    words = {word for text in _texts(receiver) for word in _mail_templates.words(text)}
    for function in sorted(words & TEMPLATES.keys()):
        yield where, function, TEMPLATES[function]


def _texts(value: JsonValue) -> Iterator[str]:
    """Every text below `value` whose templates may call one of the functions in TEMPLATES."""
    if isinstance(value, str):
        if "{{" in value and _FUNCTION.search(value):
            yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)


def _in_interval(where: str, interval: Mapping[str, JsonValue]) -> Iterator[Used]:
    for part in interval.get("time_intervals") or ():
        if part.get("location"):
            yield where, "location", LOCATION
        for text in part.get("weekdays") or ():
            first, last = _times.ends("weekdays", str(text))
            if first > last:
                yield where, "weekdays over the end of a week", WRAPPING
