"""Does Grafana have our dashboard as deployed, and does every panel have data?"""

import json
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from dashboards import Dashboard, Panel
from formats.json_types import JsonValue
from metrics import selectors
from ops.checks import Check, Grace, failed, passed, skipped
from ops.checks.metric_sources import Sources
from ops.clients.prometheus import Prometheus
from ops.errors import NotFound, Refused
from ops.targets import Target
from ops.words import brief, count_noun

# Grafana's own variables, with the values for a panel of one hour.
_VARIABLES = {
    "__rate_interval": "5m",
    "__interval": "1m",
    "__range": "1h",
    "__range_s": "3600",
    "__interval_ms": "60000",
}
WINDOW = 900.0  # seconds in which a metric must have had a sample
# At night, a sandbox without past traffic may get its first webhook only after two minutes.
RARE = Grace(120.0, "its events are rare at this hour")
_VARIABLE = re.compile(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)|\[\[(\w+)\]\]")
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`")
# What Grafana gives a dashboard by itself.
_GRAFANAS = ("id", "version", "iteration")


def present(target: Target, wanted: Mapping[str, JsonValue]) -> Check:
    """Grafana has the dashboard as the repository has it."""
    name, uid = "dashboard", str(wanted["uid"])
    if target.grafana is None:
        return skipped(name, "no Grafana is installed here" if target.is_sandbox else "grafanaMode is off")
    try:
        model, meta = target.grafana.dashboard(uid)
    except NotFound:
        return failed(
            name, f"Grafana at {target.grafana.url} has no dashboard {uid}; deploy it with `pulumi up --refresh`"
        )
    where = f"{target.grafana.url}/d/{uid}"
    differences = differing(wanted, model)
    if differences:
        changed = f"version {model.get('version', '?')} by {meta.get('updatedBy') or 'somebody'}"
        return failed(
            name,
            f"{where} differs from ours in {brief(differences)} ({changed}); "
            "export the changes to keep, then run `pulumi up --refresh`",
        )
    return passed(name, f"{where} is as in the repository, in folder {meta.get('folderTitle') or 'General'}")


def differing(ours: Mapping[str, JsonValue], live: Mapping[str, JsonValue]) -> list[str]:
    """The panels (by title) and top-level keys in which two dashboards differ."""
    found = [
        key
        for key in sorted({*ours, *live} - {"panels", *_GRAFANAS})
        if _canonical(ours.get(key)) != _canonical(live.get(key))
    ]
    mine, theirs = ({panel.get("title", "?"): panel for panel in model.get("panels") or ()} for model in (ours, live))
    found += [f"panel {title!r}" for title in mine if _panel(mine[title]) != _panel(theirs.get(title))]
    return found + [f"panel {title!r}" for title in theirs if title not in mine]


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def _panel(panel: Mapping[str, JsonValue] | None) -> str:
    """A panel without its id, which Grafana may change."""
    return _canonical({key: value for key, value in (panel or {}).items() if key != "id"})


@dataclass(frozen=True, slots=True)
class NoData:
    """Why a query returns no number. `quiet`: the metrics are there, but there was no traffic."""

    why: str
    quiet: bool = False


def panels(target: Target, dashboard: Dashboard, sources: Sources) -> list[Check]:
    """One check for each panel: its queries return data."""
    names = set(target.prometheus.metric_names())
    values = variables(dashboard.model)
    return [_panel_check(target, panel, values, names, sources) for panel in dashboard.panels if panel.queries]


def _panel_check(
    target: Target, panel: Panel, variables: Mapping[str, str], names: Collection[str], sources: Sources
) -> Check:
    name = f"panel/{panel.title}"
    values, quiet = 0, ""
    queries = [substitute(query, variables) for query in panel.queries]
    for query in queries:
        outcome = data(target.prometheus, query, names, sources)
        if isinstance(outcome, int):
            values += outcome
        elif outcome.quiet:
            quiet = quiet or outcome.why
        else:
            return failed(name, outcome.why, sources.grace(query))
    if values:
        return passed(name, f"{values} series from {count_noun(len(queries), 'query', 'queries')}")
    # The sandbox always has traffic; elsewhere a panel without traffic is no fault.
    return failed(name, quiet, RARE) if target.is_sandbox else skipped(name, quiet)


def data(prometheus: Prometheus, query: str, names: Collection[str], sources: Sources) -> int | NoData:
    """How many series `query` returns with a number in them, or why there are none.

    `names`: the names of all metrics that Prometheus has.
    """
    try:
        samples = prometheus.query(query)
    except Refused as refusal:
        return NoData(f"Prometheus refuses `{query}` ({refusal.words}); correct the query")
    numbers = sum(not math.isnan(sample.value) for sample in samples)
    if numbers:
        return numbers
    if early := sources.early(query):
        return NoData(early)
    absent = [one.name for one in selectors(query) if one.name not in names or not _has_samples(prometheus, one.name)]
    if absent:
        return NoData(sources.absent(absent[0]))
    past = " or no data at the time of its `offset`" if "offset" in _QUOTED.sub("", query).split() else ""
    return NoData(
        f"the metrics are there, but with no traffic in its window{past} there is no number; check again later",
        quiet=True,
    )


def _has_samples(prometheus: Prometheus, name: str) -> bool:
    """Whether the metric had a sample lately: Prometheus lists its name for hours after the last one."""
    return bool(prometheus.query(f"group(last_over_time({name}[{WINDOW:.0f}s]))"))


def variables(model: Mapping[str, JsonValue]) -> dict[str, str]:
    """The dashboard's variables with the values that they have when it is opened; "all" becomes `.*`."""
    found = dict(_VARIABLES)
    for variable in (model.get("templating") or {}).get("list") or ():
        value: Sequence[str] | str = (variable.get("current") or {}).get("value") or ""
        text = value if isinstance(value, str) else "|".join(value)
        found[variable["name"]] = ".*" if text in ("", "$__all") else text
    return found


def substitute(query: str, variables: Mapping[str, str]) -> str:
    """`query` as Grafana would send it."""
    return _VARIABLE.sub(lambda found: variables.get(found[1] or found[2] or found[3], found[0]), query)
