"""Where Alertmanager sends an alert, and what mutes it: its routing and inhibition, for any configuration.

A configuration is a plain mapping, as `parse` gives it for a YAML text (other loaders guess types: `17:00` becomes a
number). What Alertmanager would refuse raises RoutingError here as well, where it matters for the answer.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from formats.durations import seconds
from formats.json_types import JsonValue
from formats.places import Place
from routing import _matchers, _shape, _typed
from routing._matchers import Matcher
from routing._times import ends as range_ends
from routing._times import spans
from routing._typed import RoutingError

__all__ = [
    "Inhibition",
    "Inhibitor",
    "Match",
    "Matcher",
    "Route",
    "inhibitions",
    "inhibitors",
    "intervals",
    "matches",
    "parse",
    "parse_matchers",
    "range_ends",
    "receivers",
    "time_intervals",
    "tree",
]

Config = Mapping[str, JsonValue]
Labels = Mapping[str, str]


@dataclass(frozen=True)
class Match:
    """A route that takes an alert, with the settings that hold there (its own, or inherited)."""

    receiver: str
    group_by: tuple[str, ...]  # sorted; ("...",) for all labels
    group_wait: float  # seconds, like the two below
    group_interval: float
    repeat_interval: float
    path: tuple[str, ...]  # the matchers of every route from the first one down, "{}" for none
    position: tuple[int, ...]  # the same as indices into `routes`; () is the first route
    continue_: bool
    mute_time_intervals: tuple[str, ...]  # not inherited, like the next
    active_time_intervals: tuple[str, ...]


@dataclass(frozen=True)
class Route:
    """A node of the tree: `match` is what an alert gets that ends here."""

    match: Match
    matchers: tuple[Matcher, ...]
    routes: tuple["Route", ...]

    def takes(self, labels: Labels) -> list["Route"]:
        """The routes, this one or below it, at which the alert ends; none if this one does not match."""
        if not all(matcher.matches(labels) for matcher in self.matchers):
            return []
        found: list[Route] = []
        for child in self.routes:
            taken = child.takes(labels)
            found += taken
            if taken and not child.match.continue_:
                break
        return found or [self]

    def walk(self) -> Iterator["Route"]:
        """This route and all below it, in the order of the file."""
        yield self
        for child in self.routes:
            yield from child.walk()


@dataclass(frozen=True)
class Inhibition:
    """A rule by which one alert (the source) mutes another (the target)."""

    name: str
    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...]

    def has_source(self, labels: Labels) -> bool:
        """Whether an alert with these labels mutes others."""
        return all(matcher.matches(labels) for matcher in self.source)

    def has_target(self, labels: Labels) -> bool:
        """Whether an alert with these labels can be muted."""
        return all(matcher.matches(labels) for matcher in self.target)

    def mutes(self, target: Labels, source: Labels) -> bool:
        """Whether `target` is muted while `source` fires. An alert that is both ends cannot be muted by its like."""
        if not self.has_target(target) or not self.has_source(source):
            return False
        if self.has_source(target) and self.has_target(source):
            return False
        return all(target.get(label, "") == source.get(label, "") for label in self.equal)


@dataclass(frozen=True)
class Inhibitor:
    """An alert that mutes another, and the rule (its index in `inhibit_rules`) that says so."""

    rule: int
    inhibition: Inhibition
    source: Labels


def parse(text: str, file: str = "alertmanager.yml") -> Config:
    """The configuration in a YAML text, with the types that Alertmanager gives it. Raises RoutingError."""
    _, value = _typed.parse(text, file)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RoutingError("the configuration must be a mapping (`key: value` lines)", Place(file, 1))
    return _shape.checked(value)


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """The matchers in one entry of a `matchers` list. Raises RoutingError."""
    try:
        return _matchers.parse(text)
    except _matchers.MatcherError as error:
        raise RoutingError(f"{error}") from None


def matches(config: Config, labels: Labels) -> list[Match]:
    """Where an alert with these labels goes, in the order of the tree: one, or more where a route says `continue`."""
    return [route.match for route in tree(config).takes(labels)]


def inhibitors(config: Config, target: Labels, sources: Iterable[Labels]) -> list[Inhibitor]:
    """Those of `sources` (labels of firing alerts) that mute an alert with the labels `target`."""
    rules = inhibitions(config)
    return [
        Inhibitor(index, rule, source)
        for source in sources
        for index, rule in enumerate(rules)
        if rule.mutes(target, source)
    ]


def tree(config: Config) -> Route:
    """The configuration's routes. Raises RoutingError where there is none or a matcher cannot be read."""
    root = config.get("route")
    if not isinstance(root, Mapping):
        raise RoutingError("the Alertmanager configuration has no route; it needs one, with a receiver")
    default = Match("", (), 30.0, 300.0, 14400.0, (), (), False, (), ())
    return _route(root, default, (), default.path)


def inhibitions(config: Config) -> tuple[Inhibition, ...]:
    """The configuration's inhibition rules. Raises RoutingError where a matcher cannot be read."""
    return tuple(
        Inhibition(
            str(rule.get("name") or ""),
            _conditions(rule, "source_"),
            _conditions(rule, "target_"),
            tuple(str(label) for label in rule.get("equal") or ()),
        )
        for rule in config.get("inhibit_rules") or ()
    )


def receivers(config: Config) -> dict[str, Mapping[str, JsonValue]]:
    """The receivers by name, as they stand there."""
    return {str(receiver["name"]): receiver for receiver in config.get("receivers") or ()}


def sends(config: Config, receiver: str) -> bool:
    """Whether the receiver of this name tells anybody of anything."""
    found = receivers(config).get(receiver) or {}
    return any(key.endswith("_configs") and entries for key, entries in found.items())


def told(config: Config, labels: Labels) -> list[str]:
    """The receivers that are told of an alert with these labels, each once."""
    return list(dict.fromkeys(one.receiver for one in matches(config, labels) if sends(config, one.receiver)))


def time_intervals(config: Config) -> list[Mapping[str, JsonValue]]:
    """The named intervals as they stand there, by Alertmanager's new key and by its old one."""
    return [*(config.get("time_intervals") or ()), *(config.get("mute_time_intervals") or ())]


def intervals(config: Config) -> dict[str, list[list[object]]]:
    """The times that each named interval stands for, alike where they mean the same. Raises RoutingError."""
    found = {}
    for interval in time_intervals(config):
        try:
            found[str(interval["name"])] = sorted(map(spans, interval.get("time_intervals") or ()))
        except ValueError as error:
            raise RoutingError(f"the time interval {interval['name']} cannot be read: {error}") from None
    return found


def _route(raw: Mapping[str, JsonValue], parent: Match, position: tuple[int, ...], above: tuple[str, ...]) -> Route:
    def duration(key: str, inherited: float) -> float:
        value = raw.get(key)
        if value is None:
            return inherited
        try:
            return seconds(str(value))
        except ValueError as error:
            raise RoutingError(f"the {key} of a route cannot be read: {error}") from None

    matchers = _conditions(raw, "")
    path = (*above, "{" + ",".join(str(matcher) for matcher in matchers) + "}")
    group_by = raw.get("group_by")
    match = Match(
        receiver=str(raw.get("receiver") or parent.receiver),
        group_by=parent.group_by if group_by is None else tuple(sorted(str(label) for label in group_by)),
        group_wait=duration("group_wait", parent.group_wait),
        group_interval=duration("group_interval", parent.group_interval),
        repeat_interval=duration("repeat_interval", parent.repeat_interval),
        path=path,
        position=position,
        continue_=raw.get("continue") is True,
        mute_time_intervals=tuple(raw.get("mute_time_intervals") or ()),
        active_time_intervals=tuple(raw.get("active_time_intervals") or ()),
    )
    children: Sequence[Mapping[str, JsonValue]] = raw.get("routes") or ()
    return Route(
        match,
        matchers,
        tuple(_route(child, match, (*position, index), path) for index, child in enumerate(children)),
    )


def _conditions(raw: Mapping[str, JsonValue], end: str) -> tuple[Matcher, ...]:
    """The matchers of a route, or of one end of an inhibition (`source_`, `target_`), in all three forms, sorted."""
    try:
        found = [Matcher(str(label), _text(value), "=") for label, value in (raw.get(f"{end}match") or {}).items()]
        found += [Matcher(str(label), _text(value), "=~") for label, value in (raw.get(f"{end}match_re") or {}).items()]
        for entry in raw.get(f"{end}matchers") or ():
            found += _matchers.parse(_text(entry))
    except _matchers.MatcherError as error:
        raise RoutingError(f"in the Alertmanager configuration {error}") from None
    return tuple(sorted(found))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
