"""The rules in words."""

from collections.abc import Iterable, Mapping, Sequence

import rules
from components.in_words.digests import digest
from formats import quantities
from formats.durations import humanize
from routing import Routing, tree
from rules import Alert, OtherAlert, Recording, RuleFile, normalise

_EXACT = 15  # significant digits


def rules_in_words(files: Sequence[RuleFile], routing: Routing, units: Mapping[str, str]) -> list[str]:
    """A line for each alert and each recording. `units` as in `alert_lines`."""
    alerts = [f"alert {name}: {words}" for name, words in alert_lines(files, routing, units).items()]
    others = [f"other alert {name}: {words}" for name, words in other_alert_lines(files, routing).items()]
    recordings = [f"recording {name}: {words}" for name, words in recording_lines(files).items()]
    return [*alerts, *others, *recordings]


def alert_lines(files: Iterable[RuleFile], routing: Routing, units: Mapping[str, str]) -> dict[str, str]:
    """Name → what the alert is about, in the order of the files.

    Such as `> 1000 ms for 10 min, warning, to api-warnings (query 1a2b3c, texts 4d5e6f)`. `units`: quantity → unit, as
    `dashboards.units` says it.
    """
    return {alert.name: _alert(alert, routing, units) for file in files for alert in file.alerts}


def other_alert_lines(files: Iterable[RuleFile], routing: Routing) -> dict[str, str]:
    """Name → how long it holds and who of ours is told, for alerts in any other form; `NAME #2` for a second one."""
    routes = tree.tree(routing.config)
    return _numbered((alert.name, _other(alert, routes)) for file in files for alert in file.other_alerts)


def recording_lines(files: Iterable[RuleFile]) -> dict[str, str]:
    """Name → how often it is evaluated, and a digest of its query; `NAME #2` for a second one of the name.

    Before these, for the recording that has it, the objective: `an objective of 99%`.
    """
    return _numbered((recording.name, _recording(recording)) for file in files for recording in file.recordings)


def shown_limit(alert: Alert, unit: str) -> str:
    """`> 1000 ms`."""
    return f"{alert.limit.operator} {quantities.with_unit(alert.limit.value, unit, _EXACT)}"


def limit_in_words(alert: Alert, units: Mapping[str, str]) -> str:
    """`> 1000 ms`, or `always` for a watchdog; `units` as in `alert_lines`."""
    return "always" if alert.is_watchdog else shown_limit(alert, units.get(alert.quantity, ""))


def receivers(alert: Alert, routing: Routing) -> list[str]:
    """Who is told, by the routing of this repository; nobody by a receiver that sends nothing."""
    return tree.told(routing.config, alert.label_set)


def _alert(alert: Alert, routing: Routing, units: Mapping[str, str]) -> str:
    limit = limit_in_words(alert, units)
    held = f" for {humanize(alert.for_)}" if alert.for_ else ""
    after = f", firing {humanize(alert.keep_firing_for)} longer" if alert.keep_firing_for else ""
    told = ", ".join(receivers(alert, routing)) or "nobody"
    told += " as a shadow" if alert.is_shadow else ""
    labels = {name: value for name, value in alert.labels.items() if name != "severity"}
    texts = digest([labels, dict(alert.annotations)])
    query = digest([normalise(alert.signal), alert.group, alert.interval])
    return f"{limit}{held}{after}, {alert.severity}, to {told} (query {query}, texts {texts})"


def _other(alert: OtherAlert, routes: tree.Route) -> str:
    held = f" for {humanize(alert.for_)}" if alert.for_ else ""
    after = f", firing {humanize(alert.keep_firing_for)} longer" if alert.keep_firing_for else ""
    # An alert that none of our routes takes goes where the configuration of others says.
    told = [route.match.receiver for route in routes.takes(alert.label_set) if route.match.position]
    to = f", to {', '.join(dict.fromkeys(told))}" if told else ""
    texts = digest([dict(alert.labels), dict(alert.annotations)])
    query = digest([normalise(alert.expr), alert.group])
    return f"while its query has a value{held}{after}{to} (query {query}, texts {texts})"


def _numbered(lines: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    last: dict[str, int] = {}  # of each name, so that a thousand of one name are not counted again for each
    for name, words in lines:
        last[name] = last.get(name, 0) + 1
        found[f"{name} #{last[name]}" if last[name] > 1 else name] = words
    return found


def _recording(recording: Recording) -> str:
    query = digest([normalise(recording.expr), dict(recording.labels)])
    every = f"every {humanize(recording.interval)} (query {query})"
    share = rules.objective_in(recording)
    return every if share is None else f"an objective of {quantities.with_unit(share, 'percentunit', _EXACT)}, {every}"
