"""The values of normal traffic, for `baseline`.

Every query is the quantity of an alert in `rules`, or derived from it (another percentile, the traffic of a share), so
that what is recorded is what the alerts watch.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import promql_parser

from formats import promql, quantities
from formats.durations import humanize
from ops import window as windows
from ops.errors import Findings, Misconfigured
from ops.replay.history import History
from ops.tuning.incidents import Incidents, incidents
from ops.window import Values, Window
from ops.words import listed
from rules import Alert

COUNTED = 5.0  # minutes in which the alerts on errors count requests
FULL = 0.98  # share of the moments; less than this is reported, a restart is not


@dataclass(frozen=True, slots=True)
class Figure:
    """One observed value. `unit` as on the dashboard (`percentunit` for a share of 1); `at`: when, for a peak."""

    key: str
    section: str
    label: str
    value: float | None
    unit: str
    at: float | None = None

    @property
    def text(self) -> str:
        """The value as people read it."""
        shown = quantities.with_unit(self.value, self.unit)
        return f"{shown} ({windows.stamp(self.at)} UTC)" if self.at is not None else shown


@dataclass(frozen=True, slots=True)
class Baseline:
    """The observed values. `covered`: section → the values that show for which moments there was data."""

    window: Window
    figures: tuple[Figure, ...]
    covered: Mapping[str, Values]
    incidents: Incidents

    @property
    def gaps(self) -> list[str]:
        """A sentence for each section whose data covers less than the window."""
        found: dict[str, list[str]] = {}
        for section, values in self.covered.items():
            if values.coverage < FULL:
                found.setdefault(_missing(values), []).append(section)
        everywhere = len(found) == 1 and len(next(iter(found.values()))) == len(self.covered)
        return [
            ("The data covers " if everywhere else f"For {listed(names)} the data covers ") + gap
            for gap, names in found.items()
        ]

    def record(self, target: str) -> str:
        """The record for the tracking document, in Markdown."""
        return "\n\n".join(
            [
                f"Target `{target}`, {self.window} ({humanize(self.window.span)}).\n"
                f"Alerts that fired in it: {self.incidents.text}.",
                self.body,
            ]
        )

    @property
    def body(self) -> str:
        """The values, in Markdown."""
        blocks: list[str] = []
        for section in dict.fromkeys(figure.section for figure in self.figures):
            title = section if blocks else f"{section} ({self.window})"
            lines = [f"- {figure.label}: {figure.text}" for figure in self.figures if figure.section == section]
            blocks.append("\n".join([f"**{title}:**", *lines]))
        return "\n\n".join([*blocks, *self.gaps])


def measure(history: History, alerts: Mapping[str, Alert]) -> Baseline:
    """Measure the guide's values over a window, by nine range queries, and read which of `alerts` fired in it.

    Raises Findings where there is no data, Misconfigured where an alert is missing, and what the client raises.
    """

    prometheus, over = history.prometheus, history.over

    def values(query: str) -> Values:
        return windows.worst(history.series(query), over)

    def quantity(name: str) -> str:
        if name not in alerts:
            raise Misconfigured(f"rules/ has no alert {name}, which the baseline is measured by; restore it")
        return alerts[name].quantity

    latency, errors = quantity("APIP95LatencyHigh"), quantity("APIErrorRateHigh")
    failures = quantity("WebhookProcessingFailuresHigh")
    webhook = percentile(quantity("WebhookProcessingLatencyHigh"), 0.95)  # the alert takes a lower one of few webhooks
    requests = values(traffic(errors))
    p95 = values(latency)
    database = values(quantity("DatabaseQueryLatencyHigh"))
    pool = values(quantity("DatabaseConnectionPoolUtilizationHigh"))
    webhooks = values(traffic(failures))
    if not any(one.points for one in (requests, p95, database, pool, webhooks)):
        raise Findings(
            f"{prometheus.url} has no data of the API, the database or webhooks from {over}; "
            "nothing was recorded; check its targets, or choose another --window or --end"
        )
    failed = windows.weighted(values(failures), webhooks)
    per_minute = requests.average / COUNTED if requests.average is not None else None

    api, base, hooks = "API Performance", "Database Performance", "Webhook Processing"
    return Baseline(
        over,
        (
            Figure("api_p50_average", api, "Average P50 latency", values(percentile(latency, 0.5)).average, "ms"),
            Figure("api_p95_average", api, "Average P95 latency", p95.average, "ms"),
            _peak("api_p95_peak", api, "Peak P95 latency", p95),
            Figure(
                "api_error_rate", api, "Error rate (5xx)", windows.weighted(values(errors), requests), "percentunit"
            ),
            Figure("api_requests_per_minute", api, "Request rate", per_minute, "req/min"),
            Figure("database_p95_average", base, "Average P95 query latency", database.average, "ms"),
            _peak("database_p95_peak", base, "Peak P95 query latency", database),
            Figure("database_pool_average", base, "Average connection pool usage", pool.average, "percentunit"),
            Figure("webhook_p95_average", hooks, "Average P95 latency", values(webhook).average, "ms"),
            Figure(
                "webhook_success_rate",
                hooks,
                "Processing success rate",
                1 - failed if failed is not None else None,
                "percentunit",
            ),
        ),
        {api: requests, base: database, hooks: webhooks},
        incidents(prometheus, over, alerts),
    )


def percentile(quantity: str, which: float) -> str:
    """Another one of a percentile: 0.5 of `histogram_quantile(0.95, x)`, say. Raises Misconfigured where it is none."""
    parsed = promql.parse(quantity)
    if not isinstance(parsed, promql_parser.Call) or parsed.func.name != "histogram_quantile":
        raise Misconfigured(
            f"`{_line(quantity)}` in rules/ is no histogram_quantile, so no other percentile of it can be computed; "
            "write it as one"
        )
    return f"histogram_quantile({which:g}, {parsed.args[1].prettify()})"


def traffic(quantity: str) -> str:
    """The whole of a share: the right side of its division. Raises Misconfigured where it is no share."""
    parsed = promql.parse(quantity)
    if not isinstance(parsed, promql_parser.BinaryExpr) or str(parsed.op) != "/":
        raise Misconfigured(
            f"`{_line(quantity)}` in rules/ is no share (a / b), so its traffic cannot be computed; write it as one"
        )
    return str(parsed.rhs.prettify())


def _peak(key: str, section: str, label: str, values: Values) -> Figure:
    at, value = values.peak or (None, None)
    return Figure(key, section, label, value, "ms", at)


def _missing(values: Values) -> str:
    if not values.points:
        return "nothing of this window."
    whole = humanize(values.window.span)
    share = f"{quantities.number(values.coverage * 100, 2)} %"
    first = values.points[0][0]
    since = f", from {windows.stamp(first)} UTC on" if first > values.window.start + 2 * values.window.step else ""
    return f"{humanize(values.covered)} of the {whole} ({share}){since}; measure again when it covers all of it."


def _line(query: str) -> str:
    return re.sub(r"\s+", " ", query)
