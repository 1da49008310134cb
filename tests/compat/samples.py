"""For each feature that rules.rule_needs and routing.routing_needs know, a file that uses it and no other.

The tests hold the readers to them; `python -m tests.compat` gives them to real servers of many versions, each of which
has to take a file if, and only if, it is said to know that feature.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import routing.routing_needs
import rules.rule_needs
from formats.versions import Feature


@dataclass(frozen=True)
class Sample:
    """`what` and `feature` as in a Need; `text`: the server's file; `template`: of a template file beside it, or ""."""

    what: str
    feature: Feature
    text: str
    template: str = ""


# ── rule files ────────────────────────────────────────────────────────────────────────────────────

GROUP = """\
groups:
  - name: sample
    interval: 1m
{keys}    rules:
      - record: sample:value
        expr: {expr}
"""
_ALERT = """\
groups:
  - name: sample
    interval: 1m
    rules:
      - alert: Sample
        expr: |
          up
          > 1
{keys}        labels:
          severity: warning
          component: api
          signal: errors
        annotations:
          summary: Sample.
          description: '{description}'
          runbook_url: https://example.org/runbook
          dashboard_url: https://example.org/dashboard
"""
_KEYS = {
    "limit": "    limit: 5\n",
    "query_offset": "    query_offset: 1m\n",
    "labels": "    labels:\n      team: one\n",
}

# What a function takes, where that is not one instant vector.
_RANGE = "up[5m]"
_TAKES = {
    **dict.fromkeys((name for name in rules.rule_needs.FUNCTIONS if name.endswith("_over_time")), _RANGE),
    "clamp": "up, 0, 1",
    "pi": "",
    "histogram_fraction": "0, 1, up",
    "histogram_quantiles": 'up, "quantile", 0.5, 0.9',
    "sort_by_label": 'up, "job"',
    "sort_by_label_desc": 'up, "job"',
    "limitk": "2, up",
    "limit_ratio": "0.5, up",
    "double_exponential_smoothing": f"{_RANGE}, 0.5, 0.5",
    "integral": _RANGE,
    "max_of": "1, 2",
    "min_of": "1, 2",
}

_SYNTAX = {
    "the @ modifier": "up @ 1609746000",
    "a negative offset": "up offset -5m",
    "atan2": "up atan2 up",
    "a duration as a number": "up > 5m",
    "a name in quotes": '{"my.metric", job="a"}',
    "fill": "up + fill(0) up",
    "the range of the query": "vector(end())",
}

_TEMPLATE = {
    "$externalLabels": "$externalLabels.cluster",
    "humanizePercentage": "$value | humanizePercentage",
    "$externalURL": "$externalURL",
    ".ExternalURL": ".ExternalURL",
    "parseDuration": 'parseDuration "1h"',
    "stripPort": '"a:1" | stripPort',
    "stripDomain": '"a.b" | stripDomain',
    "toTime": "$value | toTime",
    "toDuration": "$value | toDuration",
    "now": "now",
    "urlQueryEscape": '"a b" | urlQueryEscape',
}


def for_prometheus() -> Iterator[Sample]:
    for key, feature in rules.rule_needs.GROUPS.items():
        yield Sample(key, feature, GROUP.format(keys=_KEYS[key], expr="up"))
    for key, feature in rules.rule_needs.ALERTS.items():
        yield Sample(key, feature, _ALERT.format(keys=f"        {key}: 5m\n", description="Sample."))
    for name, feature in rules.rule_needs.FUNCTIONS.items():
        yield Sample(name, feature, GROUP.format(keys="", expr=quoted(f"{name}({_TAKES.get(name, 'up')})")))
    for what, (_, feature) in rules.rule_needs.SYNTAX.items():
        yield Sample(what, feature, GROUP.format(keys="", expr=quoted(_SYNTAX[what])))
    label = _ALERT.format(keys="", description="Sample.").replace("signal:", "team.name: a\n          signal:")
    metric = GROUP.format(keys="", expr="up").replace("sample:value", "sample.value")
    for what, text in {"a UTF-8 label name": label, "a UTF-8 metric name": metric}.items():
        yield Sample(what, rules.rule_needs.NAMES[what], text)
    for word, feature in rules.rule_needs.TEMPLATES.items():
        description = f"{{{{ {_TEMPLATE[word]} }}}}"
        yield Sample(word, feature, _ALERT.format(keys="", description=description))


def quoted(expr: str) -> str:
    return "'" + expr.replace("'", "''") + "'"


# ── configurations of Alertmanager ────────────────────────────────────────────────────────────────

_CONFIG = """\
{top}route:
  receiver: one
{root}{routes}receivers:
  - name: one
{receiver}"""

_TOP = {
    "mute_time_intervals": "mute_time_intervals:\n  - name: never\n    time_intervals:\n      - years: ['2020']\n",
    "time_intervals": "time_intervals:\n  - name: never\n    time_intervals:\n      - years: ['2020']\n",
    "tracing": "tracing:\n  client_type: grpc\n  endpoint: 127.0.0.1:4317\n  insecure: true\n",
    "event_recorder": "event_recorder: {}\n",
}
_URL, _FILE = "http://127.0.0.1:9/", "/nowhere"
_GLOBAL = {
    "smtp_tls_config": "{insecure_skip_verify: true}",
    "smtp_force_implicit_tls": "true",
    "rocketchat_token": "x",
    "rocketchat_token_id": "x",
    "slack_app_token": "x",
    "telegram_bot_token": "x",
}
# Keys that a configuration has to have besides, to be taken at all.
_GLOBAL_BESIDES = {
    "rocketchat_token": "rocketchat_token_id: x",
    "rocketchat_token_id": "rocketchat_token: x",
    "rocketchat_token_file": "rocketchat_token_id_file: x",
    "rocketchat_token_id_file": "rocketchat_token_file: x",
    "slack_app_url": "slack_app_token: x",
}
_ROUTE = {
    "matchers": "matchers: [a=b]",
    "mute_time_intervals": "mute_time_intervals: [never]",
    "active_time_intervals": "active_time_intervals: [never]",
    "labels": "labels: {a: '{{ .Status }}'}",
}
_INHIBITION = {
    "source_matchers": "source_matchers: [a=b], target_match: {a: c}",
    "target_matchers": "source_match: {a: b}, target_matchers: [a=c]",
    "name": "name: sample, source_match: {a: b}, target_match: {a: c}",
}
_ENTRY = {
    "sns_configs": "topic_arn: 'arn:aws:sns:us-east-2:123456789012:My-Topic', sigv4: {region: us-east-2}",
    "telegram_configs": "bot_token: x, chat_id: 1",
    "discord_configs": f"webhook_url: {_URL}",
    "webex_configs": "room_id: a, http_config: {authorization: {credentials: x}}",
    "msteams_configs": f"webhook_url: {_URL}",
    "msteamsv2_configs": f"webhook_url: {_URL}",
    "rocketchat_configs": "token: x, token_id: x, channel: c",
    "jira_configs": f"api_url: {_URL}, project: P, issue_type: Bug, http_config: {{basic_auth: {{username: a}}}}",
    "incidentio_configs": f"url: {_URL}, alert_source_token: x",
    "mattermost_configs": f"webhook_url: {_URL}",
    "email_configs": "to: a@b.test, from: a@b.test, smarthost: 'b.test:25'",
    "opsgenie_configs": "api_key: x",
    "pagerduty_configs": "routing_key: x",
    "pushover_configs": "user_key: x, token: x",
    "slack_configs": f"api_url: {_URL}, channel: c",
    "victorops_configs": "api_key: x, routing_key: x",
    "webhook_configs": f"url: {_URL}",
    "wechat_configs": "api_secret: x, corp_id: x",
}
_VALUE = {
    "app_url": _URL,
    "update_alerts": "true",
    "monospace": "true",
    "timeout": "5s",
    "force_implicit_tls": "true",
    "threading": "{enabled: true, thread_by_date: daily}",
    "api_type": "cloud",
    "message_thread_id": "1",
    "update_message": "true",
    "post_updates_to_thread": "true",
    "use_aws_http_client": "true",
    "payload": "{a: b}",
    "metadata": "{a: b}",
}
# A file instead of the secret itself; and keys that exclude another one, or want one.
_INSTEAD = {
    "webhook_url_file": "webhook_url",
    "api_key_file": "api_key",
    "routing_key_file": "routing_key",
    "service_key_file": "routing_key",
    "user_key_file": "user_key",
    "token_file": "token",
    "api_url_file": "api_url",
    "app_token": "api_url",
    "app_token_file": "api_url",
    "bot_token_file": "bot_token",
    "chat_id_file": "chat_id",
    "url_file": "url",
    "api_secret_file": "api_secret",
    "app_url": "api_url",
    "update_message": "api_url",
    "post_updates_to_thread": "api_url",
}
_BESIDES = {
    "app_url": "app_token: x",
    "update_message": "app_token: x",
    "post_updates_to_thread": "app_token: x, update_message: true",
    "monospace": "html: false",
}
_CALLS = {
    "stringSlice": 'stringSlice "a"',
    "trimSpace": 'trimSpace "a"',
    "since": "since (index .Alerts 0).StartsAt",
    "date": 'date "2006" (index .Alerts 0).StartsAt',
    "tz": 'tz "UTC" (index .Alerts 0).StartsAt',
    "dict": 'dict "a" "b"',
    "list": 'list "a"',
    "append": 'append . "a"',
    "addDuration": 'addDuration "5m" (index .Alerts 0).StartsAt',
    "toDate": 'toDate "2006" "2020"',
    "mustToDate": 'mustToDate "2006" "2020"',
    "routeLabels": 'routeLabels "a"',
    "now": "now",
}


def _config(top: str = "", root: str = "", route: str = "", receiver: str = "") -> str:
    routes = f"  routes:\n    - {{receiver: one, {route}}}\n" if route else ""
    return _CONFIG.format(top=top, root=root, routes=routes, receiver=receiver)


def _entry(sender: str, key: str = "") -> str:
    """A receiver's list with one entry that has `key` too."""
    fields = _ENTRY[sender]
    if instead := _INSTEAD.get(key):
        fields = ", ".join(field for field in fields.split(", ") if not field.startswith(f"{instead}:"))
    given = [fields, *([f"{key}: {_VALUE.get(key, _FILE)}"] if key else ()), _BESIDES.get(key, "")]
    return f"    {sender}:\n      - {{{', '.join(filter(None, given))}}}\n"


def for_alertmanager() -> Iterator[Sample]:
    needs = routing.routing_needs
    for key, feature in needs.TOP.items():
        yield Sample(key, feature, _config(top=_TOP[key]))
    for key, feature in needs.GLOBAL.items():
        value = _GLOBAL.get(key) or (_URL if key.endswith(("_url", "_api_url")) else _FILE)
        besides = f"  {_GLOBAL_BESIDES[key]}\n" if key in _GLOBAL_BESIDES else ""
        yield Sample(key, feature, _config(top=f"global:\n  {key}: {value}\n{besides}"))
    for key, feature in needs.ROUTE.items():
        interval = _TOP["mute_time_intervals"] if key == "mute_time_intervals" else _TOP["time_intervals"]
        yield Sample(key, feature, _config(top=interval if "time_intervals" in key else "", route=_ROUTE[key]))
    for key, feature in needs.INHIBITION.items():
        yield Sample(key, feature, _config(top=f"inhibit_rules:\n  - {{{_INHIBITION[key]}}}\n"))
    equal = "inhibit_rules:\n  - {source_match: {a: b}, target_match: {a: c}, equal: ['ä.b']}\n"
    yield Sample("UTF-8 names of labels in equal", needs.UTF_8_EQUAL, _config(top=equal))
    yield Sample("a matcher with UTF-8 or quotes", needs.UTF_8, _config(route="""matchers: ['"ä.b"="c"']"""))
    location = _TOP["time_intervals"].replace("years: ['2020']", "location: Europe/Berlin")
    yield Sample("location", needs.LOCATION, _config(top=location))
    wrapping = _TOP["time_intervals"].replace("years: ['2020']", "weekdays: ['friday:monday']")
    yield Sample("weekdays over the end of a week", needs.WRAPPING, _config(top=wrapping))
    for key, feature in needs.RECEIVER.items():
        yield Sample(key, feature, _config(receiver="    labels: {a: b}\n" if key == "labels" else _entry(key)))
    for sender, keys in needs.SENDERS.items():
        for key, feature in keys.items():
            yield Sample(f"{key} in {sender}", feature, _config(receiver=_entry(sender, key)))
    for function, feature in needs.TEMPLATES.items():
        call = f"{{{{ {_CALLS.get(function, f'{function} .Status')} }}}}"
        basic = f"http_config: {{basic_auth: {{username: '{call}'}}}}"
        text = _config(receiver=f"    webhook_configs:\n      - {{url: {_URL}, {basic}}}\n")
        yield Sample(function, feature, text, template=f'{{{{ define "sample" }}}}{call}{{{{ end }}}}')
