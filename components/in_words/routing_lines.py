"""The routing in words."""

import re
from collections.abc import Iterator, Mapping

from components.in_words.digests import digest
from formats.durations import humanize
from formats.json_types import JsonValue
from routing import Parts, tree
from routing.tree import Config, Inhibition, Route

# Where a receiver sends: Alertmanager's kind → the key that says to whom, in the order in which they are tried.
_ADDRESSES = ("to", "channel", "url", "url_file", "api_url_file", "routing_key_file", "room_id", "chat_id")
_HOST = re.compile(r"^\w+://[^/]*")  # what follows may be a secret


def routing_in_words(parts: Parts, whole: Config | None) -> list[str]:
    """A line for each route, receiver, inhibition and time interval, and one for the order of the routes.

    Of our parts, or of the whole file where it is ours.
    """
    config = whole or {
        "route": {"receiver": "", "routes": list(parts.routes)},
        "receivers": list(parts.receivers),
        "inhibit_rules": list(parts.inhibit_rules),
        "time_intervals": list(parts.time_intervals),
    }
    routes = route_lines(config)[0 if whole else 1 :]
    return [
        *(f"route {line}" for line in routes),
        f"routes in this order (order {digest([line.partition(' to ')[0] for line in routes])})",
        *(f"receiver {name}: {words}" for name, words in receiver_lines(config).items()),
        *(f"inhibition {line}" for line in inhibition_lines(config)),
        *(f"hours {name}: {words}" for name, words in interval_lines(config).items()),
    ]


def route_lines(config: Config) -> list[str]:
    """A line for each route in the order of the file, the first one too, each after the routes above it."""
    return list(_routes(tree.tree(config), ""))


def receiver_lines(config: Config) -> dict[str, str]:
    """Name → where it sends, and digests of what its messages say and of its other settings."""
    return {name: _receiver(receiver) for name, receiver in tree.receivers(config).items()}


def inhibition_lines(config: Config) -> list[str]:
    """A line for each inhibition in the order of the file."""
    return [_inhibition(one) for one in tree.inhibitions(config)]


def interval_lines(config: Config) -> dict[str, str]:
    """Name → a digest of its times."""
    return {str(one["name"]): f"times {digest(one)}" for one in tree.time_intervals(config)}


def _routes(route: Route, above: str) -> Iterator[str]:
    taken = above + (", ".join(map(str, route.matchers)) or "everything")
    yield f"{taken} {_settings(route)}"
    for below in route.routes:
        yield from _routes(below, f"{taken} / " if route.match.position else "")


def _settings(route: Route) -> str:
    match = route.match
    more = " and goes on" if match.continue_ else ""
    first, news, again = [
        humanize(seconds) for seconds in (match.group_wait, match.group_interval, match.repeat_interval)
    ]
    quiet = "".join(
        f", {word} in {', '.join(names)}"
        for word, names in (("silent", match.mute_time_intervals), ("only", match.active_time_intervals))
        if names
    )
    pace = f"news every {news}, again every {again}"
    if match.repeat_interval < match.group_interval:  # Alertmanager looks whether to repeat once in a group_interval
        pace = f"again every {news} (repeat_interval {again})"
    return f"to {match.receiver}{more}: first after {first}, {pace}, by {', '.join(match.group_by) or 'nothing'}{quiet}"


def _receiver(receiver: Mapping[str, JsonValue]) -> str:
    told = [
        f"{kind.removesuffix('_configs')} {_address(entry)}"
        for kind, entries in receiver.items()
        if kind.endswith("_configs")
        for entry in entries or ()
    ]
    texts, settings = _parted(receiver)
    return f"{', '.join(told) or 'nobody'} (texts {digest(texts)}, settings {digest(settings)})"


def _parted(value: JsonValue) -> tuple[JsonValue, JsonValue]:
    """A value's templates, which are what its messages say, and all else of it."""
    if isinstance(value, str):
        return (value, "") if "{{" in value else ("", value)
    if isinstance(value, Mapping):
        pairs = {key: _parted(item) for key, item in value.items()}
        texts = {key: found for key, (found, _) in pairs.items() if found}
        return texts, {key: rest for key, (_, rest) in pairs.items() if key not in texts or rest}
    if isinstance(value, list | tuple):
        both = [_parted(item) for item in value]
        return [found for found, _ in both if found], [rest for _, rest in both]
    return None, value


def _address(entry: Mapping[str, JsonValue]) -> str:
    text = next((str(entry[key]) for key in _ADDRESSES if entry.get(key)), "").strip()
    host = _HOST.match(text)
    return f"{host[0]}/…" if host else text


def _inhibition(one: Inhibition) -> str:
    source, target = (", ".join(map(str, end)) or "everything" for end in (one.source, one.target))
    same = f" with the same {', '.join(one.equal)}" if one.equal else ""
    return f"{source} mutes {target}{same}"
