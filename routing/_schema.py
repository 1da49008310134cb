"""What Alertmanager would refuse in its configuration, found without Alertmanager, with the line of each fault."""

import re
from collections.abc import Collection, Iterable, Mapping

import yaml

from formats.durations import seconds
from formats.yaml_nodes import Node
from routing import _mail_templates, _matchers, _times
from routing._known_keys import SENDERS

Fields = Mapping[str, Node]

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def check(root: Node) -> None:
    """Raise RoutingError at the first thing in a whole configuration that Alertmanager would refuse."""
    top = root.fields()
    settings = _fields(top, "global")
    _duration(settings, "resolve_timeout")
    for key in ("smtp_auth_password", "smtp_auth_secret"):
        if key in settings and f"{key}_file" in settings:
            raise settings[key].error(f"{key} and {key}_file exclude each other; keep the file")
    receivers = _receivers(top, settings)
    intervals = _intervals(top)
    if "route" not in top or top["route"].is_null:
        raise root.error("there is no route; Alertmanager needs one, with a receiver")
    first = top["route"]
    first.what = "the first route"
    route = first.fields()
    if not ("receiver" in route and route["receiver"].scalar()):
        raise first.error("the first route has no receiver; name the one for all that nothing else matches")
    for key in ("matchers", "match", "match_re", "continue", "mute_time_intervals", "active_time_intervals"):
        if key in route and not (key == "continue" and not route[key].flag()):
            raise route[key].error(f"the first route takes every alert, so it cannot have {key}; put it into one below")
    _route(first, receivers, intervals)
    for rule in _items(top, "inhibit_rules"):
        _inhibition(rule)


def _receivers(top: Fields, settings: Fields) -> Collection[str]:
    names: dict[str, int] = {}
    for receiver in _items(top, "receivers"):
        receiver.what = "a receiver"
        fields = receiver.fields()
        name = fields["name"].scalar() if "name" in fields else ""
        if not name:
            raise receiver.error("this receiver has no name")
        if name in names:
            raise receiver.error(f"there is a receiver {name} already (line {names[name]}); rename one")
        names[name] = receiver.line
        _fields(fields, "labels")
        for sender in (key for key in fields if key in SENDERS):
            for entry in _items(fields, sender):
                entry.what = f"{sender} of the receiver {name}"
                _strings(entry)
                if sender == "email_configs":
                    _email(entry, name, settings)
    return names


def _email(entry: Node, receiver: str, settings: Fields) -> None:
    fields = entry.fields()
    for key, inherited in (("to", None), ("smarthost", "smtp_smarthost"), ("from", "smtp_from")):
        place = fields.get(key) or (settings.get(inherited) if inherited else None)
        if place is None or not place.scalar():
            also = f" and global no {inherited}" if inherited else ""
            raise entry.error(f"the mail of {receiver} has no {key}{also}; give one")
        if key == "smarthost" and not re.fullmatch(r"(\[[^\]]+\]|[^:\s]+):\w+", place.scalar()):
            raise place.error(f"smarthost is {place.scalar()!r}; write it as host:port")
    for key in ("send_resolved", "require_tls", "force_implicit_tls"):
        if key in fields:
            fields[key].flag()
    seen: set[str] = set()
    for header, value in _fields(fields, "headers").items():
        if header.lower() in seen:
            raise value.error(f"the header {header} stands here twice; keep one")
        seen.add(header.lower())


def _strings(value: Node) -> None:
    """Check every text below `value` as a template."""
    if isinstance(value.yaml, yaml.ScalarNode):
        try:
            _mail_templates.check(value.yaml.value)
        except _mail_templates.TemplateError as error:
            raise value.error(f"{value.what} has a fault in its template: {error}", error.row) from None
    else:
        is_list = isinstance(value.yaml, yaml.SequenceNode)
        for item in value.items() if is_list else value.fields().values():
            _strings(item)


def _route(route: Node, receivers: Collection[str], intervals: Collection[str]) -> None:
    fields = route.fields()
    if "receiver" in fields and (name := fields["receiver"].scalar()) and name not in receivers:
        raise fields["receiver"].error(f"there is no receiver {name}; there are {', '.join(receivers) or 'none'}")
    _duration(fields, "group_wait")
    for key in ("group_interval", "repeat_interval"):
        if _duration(fields, key) == 0:
            raise fields[key].error(f"{key} cannot be 0")
    if "continue" in fields:
        fields["continue"].flag()
    labels: list[str] = []
    for label in _items(fields, "group_by"):
        labels.append(label.scalar())
        if not labels[-1] or len(labels) > len(set(labels)) or ("..." in labels and len(labels) > 1):
            raise label.error("group_by names each label once, or has only '...' for all labels")
    _conditions(fields, "")
    if "labels" in fields:
        _strings(fields["labels"])
    for key in ("mute_time_intervals", "active_time_intervals"):
        for interval in _items(fields, key):
            if interval.scalar() not in intervals:
                raise interval.error(f"there is no time interval {interval.scalar()}; add it to time_intervals")
    for child in _items(fields, "routes"):
        child.what = "a route"
        _route(child, receivers, intervals)


def _conditions(fields: Fields, end: str) -> None:
    for matcher in _items(fields, f"{end}matchers"):
        try:
            _matchers.parse(matcher.scalar())
        except _matchers.MatcherError as error:
            raise matcher.error(str(error)) from None
    for key in (f"{end}match", f"{end}match_re"):
        for label, value in _fields(fields, key).items():
            if not _LABEL.fullmatch(label):
                raise value.error(f"{label!r} is not a label name")
            if key.endswith("_re"):
                try:
                    _matchers.compile_regex(value.scalar())
                except _matchers.MatcherError as error:
                    raise value.error(str(error)) from None


def _inhibition(rule: Node) -> None:
    rule.what = "an inhibition"
    fields = rule.fields()
    for end in ("source_", "target_"):
        _conditions(fields, end)
    for label in _items(fields, "equal"):
        if not label.scalar():
            raise label.error("equal has an empty label name")


def _intervals(top: Fields) -> Collection[str]:
    names: set[str] = set()
    for key in ("time_intervals", "mute_time_intervals"):
        for interval in _items(top, key):
            interval.what = "a time interval"
            fields = interval.fields(("name", "time_intervals"))
            name = fields["name"].scalar() if "name" in fields else ""
            if not name or name in names:
                said = f"there is a time interval {name} already" if name else "this time interval has no name"
                raise interval.error(said)
            names.add(name)
            for part in _items(fields, "time_intervals"):
                _times.check(part)
    return names


def _items(fields: Fields, key: str) -> Iterable[Node]:
    return fields[key].items() if key in fields else ()


def _fields(fields: Fields, key: str) -> Fields:
    return fields[key].fields() if key in fields else {}


def _duration(fields: Fields, key: str) -> float | None:
    """Seconds; None where it is not given."""
    if key not in fields:
        return None
    try:
        return seconds(fields[key].scalar())
    except ValueError as error:
        raise fields[key].error(f"{key} cannot be read: {error}") from None
