"""The dashboard `api-performance-baseline.json`, and its one reader.

A panel whose query measures what an alert measures is given that alert's limits, as colours and lines, and the links to
its runbooks. They are joined on the query, so neither names the other, and no limit is written here by hand.

Beside it `limits-kept.json` may stand: then the limits in the file are deployed, not those of rules/. A rollback of the
rules alone writes it, and `python -m dashboards` removes it.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import rules
from dashboards._draw import drawn, undrawn
from formats.json_types import JsonObject, JsonValue
from formats.places import FormatError, Place, read_text, shown

__all__ = [
    *("FILE", "KEPT", "UID", "Dashboard", "DashboardError", "Panel"),
    *("deployed", "draw_limits", "load", "measured", "text", "units", "without_limits"),
]

UID = "api-performance-baseline"
FILE = Path(__file__).resolve().parent / f"{UID}.json"
KEPT = FILE.with_name("limits-kept.json")

# Grafana's variables, as they would read in a query; any other stands for some text.
_DURATIONS = ("__rate_interval", "__interval", "__range")
_VARIABLE = re.compile(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)|\[\[(\w+)\]\]")
_DRAWN_KINDS = ("timeseries", "stat", "row")
_COLUMNS = 24  # of Grafana's grid


class DashboardError(FormatError):
    """The dashboard cannot be used."""


@dataclass(frozen=True)
class Panel:
    """A panel that draws something. `thresholds` are (lower bound or None, colour), from below."""

    id: int
    title: str
    row: str  # the title of the row in which it stands
    kind: str  # timeseries or stat
    queries: tuple[str, ...]  # PromQL, as written
    unit: str  # Grafana's name, such as ms, percentunit or reqps
    thresholds: tuple[tuple[float | None, str], ...]
    legends: tuple[str, ...] = ()  # what Grafana calls the lines of each query


@dataclass(frozen=True)
class Dashboard:
    """The model that Grafana is given, and its panels in the order in which they stand in the file."""

    model: Mapping[str, JsonValue]
    panels: tuple[Panel, ...]


def load(path: Path = FILE, *, native: Collection[str] = (), rule_folder: Path = rules.FOLDER) -> Dashboard:
    """Read and check the dashboard. Raises DashboardError.

    `native`: the histograms that Prometheus has as native ones: the queries read them so, and those that the rules of
    `rule_folder` record of them (raises RulesError for these).
    """
    return _Reader(path, native, rules.recorded_histograms(rule_folder, native=native)).dashboard()


def units(panels: Iterable[Panel] | None = None) -> dict[str, str]:
    """Quantity → unit, as Grafana names it, from these panels; None: those of the dashboard. Raises DashboardError."""
    every = load().panels if panels is None else panels
    return {rules.normalise(query): panel.unit for panel in every for query in panel.queries}


def measured(query: str) -> str:
    """What a panel's query measures, as `rules.Alert.quantity` says it. Raises RulesError for what is not PromQL."""
    return rules.quantity(_without_variables(query))


def draw_limits(
    model: Mapping[str, JsonValue], alerts: Iterable[rules.Alert] | Mapping[str, rules.Alert]
) -> JsonObject:
    """A copy of the model with the limits of these alerts drawn and their runbooks linked; again changes nothing."""
    return _redrawn(model, alerts, drawn)


def without_limits(
    model: Mapping[str, JsonValue], alerts: Iterable[rules.Alert] | Mapping[str, rules.Alert]
) -> JsonObject:
    """A copy of the model without what `draw_limits` draws for these alerts."""
    return _redrawn(model, alerts, undrawn)


def deployed(dashboard: Dashboard, alerts: Iterable[rules.Alert] | Mapping[str, rules.Alert]) -> JsonObject:
    """The model that Grafana is given: with the limits of these alerts, unless those in the file are kept."""
    return dict(dashboard.model) if KEPT.exists() else draw_limits(dashboard.model, alerts)


def text(model: Mapping[str, JsonValue]) -> str:
    """The model as the file has it: sorted keys, two spaces, characters as they are, a line break at the end."""
    return json.dumps(model, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _redrawn(
    model: Mapping[str, JsonValue],
    alerts: Iterable[rules.Alert] | Mapping[str, rules.Alert],
    pen: Callable[[JsonObject, Sequence[rules.Alert]], JsonObject],
) -> JsonObject:
    every = list(alerts.values() if isinstance(alerts, Mapping) else alerts)
    copy: JsonObject = json.loads(json.dumps(model))
    copy["panels"] = [pen(panel, _meant(panel, every)) for panel in copy["panels"]]
    return copy


def _meant(panel: Mapping[str, JsonValue], alerts: Iterable[rules.Alert]) -> list[rules.Alert]:
    quantities = {measured(target["expr"]) for target in panel.get("targets") or () if target.get("expr")}
    return [alert for alert in alerts if alert.quantity in quantities]


def _without_variables(query: str) -> str:
    return _VARIABLE.sub(lambda found: "5m" if (found[1] or found[2] or found[3]) in _DURATIONS else "x", query)


class _Reader:
    """Reads one file; every refusal names it and the line."""

    def __init__(self, path: Path, native: Collection[str], recorded: Collection[str]) -> None:
        self.name = shown(path)
        self.native, self.recorded = native, recorded
        self.uid = path.stem
        self.text = read_text(path, DashboardError)

    def error(self, sentence: str, near: object = None) -> DashboardError:
        """`near` is a value whose first place in the file gives the line."""
        at = self.text.find(json.dumps(near, ensure_ascii=False)) if near is not None else 0
        line = self.text.count("\n", 0, at) + 1 if at > 0 else 1
        return DashboardError(sentence, Place(self.name, line))

    def dashboard(self) -> Dashboard:
        try:
            model = json.loads(self.text)
        except ValueError as error:  # JSONDecodeError, or a number beyond Python's limit
            line, column = getattr(error, "lineno", 1), getattr(error, "colno", 1)
            words = getattr(error, "msg", str(error))
            raise DashboardError(f"not JSON at column {column}: {words}", Place(self.name, line)) from None
        except RecursionError:
            raise self.error("nested too deeply; export it from Grafana again") from None
        if not isinstance(model, dict) or not isinstance(model.get("panels"), list):
            raise self.error('not a dashboard: it has no list of "panels"; export it from Grafana again')
        if model.get("uid") != self.uid:
            raise self.error(
                f"the uid is {model.get('uid')!r}; make it {self.uid!r}, as the file is called", model.get("uid")
            )
        for key in ("id", "version"):
            if key in model:
                raise self.error(f"{key} belongs to one Grafana only, and overwrites what is there; take it out", key)
        for key in ("title", "schemaVersion", "templating"):
            if not model.get(key):
                raise self.error(f"it has no {key}; export it from Grafana again")
        variables = model["templating"].get("list", []) if isinstance(model["templating"], dict) else []
        self.sources = {f"${{{item.get('name')}}}" for item in variables if item.get("type") == "datasource"}
        panels, row = [], ""
        self._check_places(model["panels"])
        for raw in model["panels"]:
            if raw["type"] == "row":
                row = raw["title"]
            else:
                panels.append(self._panel(raw, row))
        return Dashboard(model, tuple(panels))

    def _check_places(self, panels: list[JsonValue]) -> None:
        """Each panel has a title, a known kind, an id of its own and a place of its own."""
        ids: dict[int, str] = {}
        taken: dict[tuple[int, int], str] = {}
        for panel in panels:
            title = panel.get("title") if isinstance(panel, dict) else None
            if not isinstance(title, str) or not title:
                raise self.error("a panel has no title; give it one")
            if panel.get("type") not in _DRAWN_KINDS:
                kinds = ", ".join(_DRAWN_KINDS)
                raise self.error(f"panel {title!r} is of type {panel.get('type')!r}; it can be one of {kinds}", title)
            if panel["type"] == "row" and (panel.get("collapsed") or panel.get("panels")):
                raise self.error(f"row {title!r} is folded up, which hides its panels; unfold it", title)
            number = panel.get("id")
            if not isinstance(number, int) or number in ids:
                other = f", as has {ids[number]!r}" if number in ids else ""
                raise self.error(f"panel {title!r} has the id {number!r}{other}; give it a number of its own", title)
            ids[number] = title
            place = panel.get("gridPos") or {}
            sides = [place.get(side) for side in "xywh"]
            if not all(isinstance(side, int) and side >= 0 for side in sides) or place["x"] + place["w"] > _COLUMNS:
                raise self.error(f"panel {title!r} has no place in the {_COLUMNS} columns; mend its gridPos", title)
            x, y, w, h = (int(place[side]) for side in "xywh")
            for cell in ((column, line) for column in range(x, x + w) for line in range(y, y + h)):
                if cell in taken:
                    raise self.error(f"panel {title!r} lies over {taken[cell]!r}; mend its gridPos", title)
                taken[cell] = title

    def _panel(self, raw: Mapping[str, JsonValue], row: str) -> Panel:
        title = raw["title"]
        queries, legends = [], []
        for target in raw.get("targets") or ():
            query = target.get("expr")
            if not query:
                raise self.error(f"panel {title!r} has an empty query; write one or take it out", title)
            try:
                measured(query)
                target["expr"] = rules.native_form(query, self.native, self.recorded)
            except ValueError as error:
                raise self.error(f"panel {title!r}: {error}; mend the query", query) from None
            queries.append(target["expr"])
            legends.append(str(target.get("legendFormat", "")))
        for source in (raw.get("datasource"), *(target.get("datasource") for target in raw.get("targets") or ())):
            uid = source.get("uid") if isinstance(source, dict) else source
            if uid not in self.sources:
                wanted = ", ".join(sorted(self.sources)) or "a variable of type datasource"
                raise self.error(f"panel {title!r} reads the data source {uid!r}; make it {wanted}", title)
        defaults = (raw.get("fieldConfig") or {}).get("defaults") or {}
        steps = (defaults.get("thresholds") or {}).get("steps") or ()
        thresholds = tuple((step.get("value"), str(step.get("color"))) for step in steps)
        unit = str(defaults.get("unit", ""))
        return Panel(raw["id"], title, row, raw["type"], tuple(queries), unit, thresholds, tuple(legends))
