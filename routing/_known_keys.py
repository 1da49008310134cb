"""The keys that this program knows in Alertmanager's configuration.

Another one is no fault: Alertmanager may have learned it since, so that amtool decides. But one that is nearly a known
key is a mistake.
"""

from collections.abc import Collection, Iterator

from formats.yaml_nodes import Node, similar

# Keys of https://github.com/prometheus/alertmanager/blob/v0.35.0/config/config.go; of a mail: notify/email/config.go.
_TOP = (
    *("global", "route", "receivers", "inhibit_rules", "templates", "tracing"),
    *("mute_time_intervals", "time_intervals", "event_recorder"),
)
_SMTP = (
    *("smtp_from", "smtp_hello", "smtp_smarthost", "smtp_auth_username", "smtp_auth_password"),
    *("smtp_auth_password_file", "smtp_auth_secret", "smtp_auth_secret_file", "smtp_auth_identity"),
    *("smtp_require_tls", "smtp_tls_config", "smtp_force_implicit_tls"),
)
_GLOBAL = (
    *("resolve_timeout", "http_config", *_SMTP),
    *("slack_api_url", "slack_api_url_file", "slack_app_token", "slack_app_token_file", "slack_app_url"),
    *(
        "pagerduty_url",
        "opsgenie_api_url",
        "opsgenie_api_key",
        "opsgenie_api_key_file",
        "jira_api_url",
        "webex_api_url",
    ),
    *("telegram_api_url", "telegram_bot_token", "telegram_bot_token_file", "wechat_api_url", "wechat_api_secret"),
    *("wechat_api_secret_file", "wechat_api_corp_id", "victorops_api_url", "victorops_api_key"),
    *("victorops_api_key_file", "rocketchat_api_url", "rocketchat_token", "rocketchat_token_file"),
    *("rocketchat_token_id", "rocketchat_token_id_file", "mattermost_webhook_url", "mattermost_webhook_url_file"),
)
_ROUTE = (
    *("receiver", "group_by", "group_wait", "group_interval", "repeat_interval", "continue", "routes"),
    *("matchers", "match", "match_re", "mute_time_intervals", "active_time_intervals", "labels"),
)
SENDERS = tuple(
    f"{sender}_configs"
    for sender in (
        *("discord", "email", "incidentio", "jira", "mattermost", "msteams", "msteamsv2", "opsgenie", "pagerduty"),
        *("pushover", "rocketchat", "slack", "sns", "telegram", "victorops", "webex", "webhook", "wechat"),
    )
)
_EMAIL = (
    *("send_resolved", "to", "from", "hello", "smarthost", "auth_username", "auth_password", "auth_password_file"),
    *("auth_secret", "auth_secret_file", "auth_identity", "headers", "html", "text", "require_tls", "tls_config"),
    *("force_implicit_tls", "threading"),
)
_INHIBIT = (
    *("name", "equal", "source_matchers", "source_match", "source_match_re"),
    *("target_matchers", "target_match", "target_match_re"),
)


def unknown_keys(root: Node) -> list[str]:
    """A sentence for each key that is not known. Raises RoutingError for one that is nearly a known one."""
    return list(_unknown(root))


def _unknown(root: Node) -> Iterator[str]:
    yield from _others(root, _TOP)
    top = root.fields()
    if "global" in top:
        yield from _others(top["global"], _GLOBAL)
    if "route" in top:
        top["route"].what = "the first route"
        yield from _in_route(top["route"])
    for receiver in _items(top, "receivers"):
        receiver.what = "a receiver"
        yield from _others(receiver, ("name", "labels", *SENDERS))
        for mail in _items(receiver.fields(), "email_configs"):
            mail.what = "a mail"
            yield from _others(mail, _EMAIL)
    for rule in _items(top, "inhibit_rules"):
        rule.what = "an inhibition"
        yield from _others(rule, _INHIBIT)


def _in_route(route: Node) -> Iterator[str]:
    yield from _others(route, _ROUTE)
    for child in _items(route.fields(), "routes"):
        child.what = "a route"
        yield from _in_route(child)


def _others(node: Node, known: Collection[str]) -> Iterator[str]:
    for key, value in node.fields().items():
        if key in known:
            continue
        if near := similar(key, known):
            raise value.error(f"{node.what} has the unknown key `{key}`: did you mean {near}?")
        yield str(value.error(f"{node.what} has the key `{key}`, which this program does not know; amtool decides"))


def _items(fields: dict[str, Node], key: str) -> Iterator[Node]:
    return fields[key].items() if key in fields else iter(())
