"""The rules in words."""

from collections.abc import Iterable, Mapping, Sequence

from components.in_words.digests import digest
from formats import quantities
from formats.durations import humanize
from routing import Routing, tree
from rules import Alert, Recording, RuleFile, normalise

_EXACT = 15  # significant digits


def rules_in_words(files: Sequence[RuleFile], routing: Routing, units: Mapping[str, str]) -> list[str]:
    """A line for each alert and each recording. `units` as in `alert_lines`."""
    alerts = [f"alert {name}: {words}" for name, words in alert_lines(files, routing, units).items()]
    return [*alerts, *(f"recording {name}: {words}" for name, words in recording_lines(files).items())]


def alert_lines(files: Iterable[RuleFile], routing: Routing, units: Mapping[str, str]) -> dict[str, str]:
    """Name → what the alert is about, in the order of the files.

    Such as `> 1000 ms for 10 min, warning, to api-warnings (query 1a2b3c, texts 4d5e6f)`. `units`: quantity → unit, as
    `dashboards.units` says it.
    """
    return {alert.name: _alert(alert, routing, units) for file in files for alert in file.alerts}


def recording_lines(files: Iterable[RuleFile]) -> dict[str, str]:
    """Name → where it is evaluated, and a digest of its query."""
    return {recording.name: _recording(recording) for file in files for recording in file.recordings}


def shown_limit(alert: Alert, unit: str) -> str:
    """`> 1000 ms`."""
    return f"{alert.limit.operator} {quantities.with_unit(alert.limit.value, unit, _EXACT)}"


def limit_in_words(alert: Alert, units: Mapping[str, str]) -> str:
    """`> 1000 ms`, or `always` for a watchdog; `units` as in `alert_lines`."""
    return "always" if alert.is_watchdog else shown_limit(alert, units.get(alert.quantity, ""))


def receivers(alert: Alert, routing: Routing) -> list[str]:
    """Who is told, by the routing of this repository."""
    return list(dict.fromkeys(match.receiver for match in tree.matches(routing.config, alert.label_set)))


def _alert(alert: Alert, routing: Routing, units: Mapping[str, str]) -> str:
    limit = limit_in_words(alert, units)
    held = f" for {humanize(alert.for_)}" if alert.for_ else ""
    after = f", firing {humanize(alert.keep_firing_for)} longer" if alert.keep_firing_for else ""
    told = ", ".join(receivers(alert, routing)) or "nobody"
    labels = {name: value for name, value in alert.labels.items() if name != "severity"}
    texts = digest([labels, dict(alert.annotations)])
    query = digest([normalise(alert.signal), alert.group, alert.interval])
    return f"{limit}{held}{after}, {alert.severity}, to {told} (query {query}, texts {texts})"


def _recording(recording: Recording) -> str:
    query = digest([normalise(recording.expr), dict(recording.labels)])
    return f"every {humanize(recording.interval)} (query {query})"
