"""What Alertmanager would refuse in its configuration, found without Alertmanager, with the line of each fault."""

import re
from collections.abc import Collection, Mapping

from formats.durations import seconds
from routing import _matchers, _templates, _times
from routing._yaml import At

_TOP = (
    *("global", "route", "receivers", "inhibit_rules", "templates", "tracing"),
    *("mute_time_intervals", "time_intervals"),
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
    *("matchers", "match", "match_re", "mute_time_intervals", "active_time_intervals"),
)
_SENDERS = tuple(
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
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def check(root: At) -> None:
    """Raise RoutingError at the first thing in a whole configuration that Alertmanager would refuse."""
    top = root.fields("The configuration", _TOP)
    settings = top["global"].fields("global", _GLOBAL) if "global" in top else {}
    if "resolve_timeout" in settings:
        _duration(settings["resolve_timeout"], "resolve_timeout")
    for key in ("smtp_auth_password", "smtp_auth_secret"):
        if key in settings and f"{key}_file" in settings:
            settings[key].refuse(f"{key} and {key}_file exclude each other; keep the file.")
    receivers = _receivers(top, settings)
    intervals = _intervals(top)
    if "route" not in top or top["route"].null:
        root.refuse("there is no route; Alertmanager needs one, with a receiver.")
    route = top["route"].fields("route", _ROUTE)
    if not ("receiver" in route and route["receiver"].text("receiver")):
        top["route"].refuse("the first route has no receiver; name the one for all that nothing else matches.")
    for key in ("matchers", "match", "match_re", "continue", "mute_time_intervals", "active_time_intervals"):
        if key in route and not (key == "continue" and not route[key].flag(key)):
            route[key].refuse(f"the first route takes every alert, so it cannot have {key}; put it into one below.")
    _route(top["route"], receivers, intervals)
    if "inhibit_rules" in top:
        for rule in top["inhibit_rules"].items("inhibit_rules"):
            _inhibition(rule)


def _receivers(top: Mapping[str, At], settings: Mapping[str, At]) -> Collection[str]:
    names: dict[str, int] = {}
    for receiver in top["receivers"].items("receivers") if "receivers" in top else ():
        fields = receiver.fields("A receiver", ("name", *_SENDERS))
        name = fields["name"].text("name") if "name" in fields else ""
        if not name:
            receiver.refuse("this receiver has no name.")
        if name in names:
            receiver.refuse(f"there is a receiver {name} already (line {names[name]}); rename one.")
        names[name] = receiver.line
        for key, sender in fields.items():
            if key == "name":
                continue
            for entry in sender.items(key):
                _strings(entry)
                if key == "email_configs":
                    _email(entry, name, settings)
    return names


def _email(entry: At, receiver: str, settings: Mapping[str, At]) -> None:
    fields = entry.fields("email_configs", _EMAIL)
    for key, inherited in (("to", None), ("smarthost", "smtp_smarthost"), ("from", "smtp_from")):
        place = fields.get(key) or (settings.get(inherited) if inherited else None)
        if place is None or not place.text(key):
            also = f" and global no {inherited}" if inherited else ""
            entry.refuse(f"the mail of {receiver} has no {key}{also}; give one.")
        if key == "smarthost" and not re.fullmatch(r"(\[[^\]]+\]|[^:\s]+):\w+", place.text(key)):
            place.refuse(f"smarthost is {place.text(key)!r}; write it as host:port.")
    for key in ("send_resolved", "require_tls", "force_implicit_tls"):
        if key in fields:
            fields[key].flag(key)
    seen: set[str] = set()
    for header, value in fields["headers"].fields("headers").items() if "headers" in fields else ():
        if header.lower() in seen:
            value.refuse(f"the header {header} stands here twice; keep one.")
        seen.add(header.lower())


def _strings(entry: At) -> None:
    """Check every text below `entry` as a template."""
    waiting = [entry.node]
    for node in waiting:
        if isinstance(node.value, str):
            try:
                _templates.check(node.value)
            except _templates.TemplateError as error:
                block = getattr(node, "style", None) in ("|", ">")
                At(node, entry.file).refuse(str(error), below=error.line + block if block else 0)
        else:
            for child in node.value:
                waiting += child if isinstance(child, tuple) else (child,)


def _route(route: At, receivers: Collection[str], intervals: Collection[str]) -> None:
    fields = route.fields("A route", _ROUTE)
    if "receiver" in fields and (name := fields["receiver"].text("receiver")) and name not in receivers:
        fields["receiver"].refuse(f"there is no receiver {name}; there are {', '.join(receivers) or 'none'}.")
    for key in ("group_wait", "group_interval", "repeat_interval"):
        if key in fields and _duration(fields[key], key) == 0 and key != "group_wait":
            fields[key].refuse(f"{key} cannot be 0.")
    if "continue" in fields:
        fields["continue"].flag("continue")
    labels: list[str] = []
    for label in fields["group_by"].items("group_by") if "group_by" in fields else ():
        labels.append(label.text("group_by"))
        if not labels[-1] or len(labels) > len(set(labels)) or ("..." in labels and len(labels) > 1):
            label.refuse("group_by names each label once, or has only '...' for all labels.")
    _conditions(fields, "")
    for key in ("mute_time_intervals", "active_time_intervals"):
        for interval in fields[key].items(key) if key in fields else ():
            if interval.text(key) not in intervals:
                interval.refuse(f"there is no time interval {interval.text(key)}; add it to time_intervals.")
    for child in fields["routes"].items("routes") if "routes" in fields else ():
        _route(child, receivers, intervals)


def _conditions(fields: Mapping[str, At], end: str) -> None:
    if f"{end}matchers" in fields:
        for matcher in fields[f"{end}matchers"].items(f"{end}matchers"):
            try:
                _matchers.parse(matcher.text("a matcher"))
            except _matchers.MatcherError as error:
                matcher.refuse(f"{error}.")
    for key in (f"{end}match", f"{end}match_re"):
        for label, value in fields[key].fields(key).items() if key in fields else ():
            if not _LABEL.fullmatch(label):
                value.refuse(f"{label!r} is not a label name.")
            if key.endswith("_re"):
                try:
                    _matchers.compile_regex(value.text(label))
                except _matchers.MatcherError as error:
                    value.refuse(f"{error}.")


def _inhibition(rule: At) -> None:
    fields = rule.fields("An inhibition", _INHIBIT)
    for end in ("source_", "target_"):
        _conditions(fields, end)
    for label in fields["equal"].items("equal") if "equal" in fields else ():
        if not label.text("equal"):
            label.refuse("equal has an empty label name.")


def _intervals(top: Mapping[str, At]) -> Collection[str]:
    names: set[str] = set()
    for key in ("time_intervals", "mute_time_intervals"):
        for interval in top[key].items(key) if key in top else ():
            fields = interval.fields("A time interval", ("name", "time_intervals"))
            name = fields["name"].text("name") if "name" in fields else ""
            if not name or name in names:
                interval.refuse(
                    f"there is a time interval {name} already." if name else "this time interval has no name."
                )
            names.add(name)
            for part in fields["time_intervals"].items("time_intervals") if "time_intervals" in fields else ():
                _times.check(part)
    return names


def _duration(place: At, what: str) -> float:
    try:
        return seconds(place.text(what))
    except ValueError as error:
        place.refuse(f"{what} cannot be read: {error}.")
