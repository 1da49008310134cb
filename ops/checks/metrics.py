"""Are the contract's metrics in the live Prometheus, with the labels and buckets that rules and panels count on?"""

import difflib
import math
import re
import time
from collections.abc import Iterable

from metrics import Contract, Metric, selectors
from ops.checks import Check, brief, failed, passed
from ops.checks.dashboard import data
from ops.clients.prometheus import Prometheus
from rules import Alert

# The guide's own four, by which a person verifies that metrics are collected.
QUERIES = {
    "API request count": "phoenix_http_request_duration_milliseconds_count",
    "API P95 latency": (
        "histogram_quantile(0.95, sum by (le) (rate(phoenix_http_request_duration_milliseconds_bucket[5m])))"
    ),
    "Database query latency": (
        "histogram_quantile(0.95, sum by (le) (rate(rsolv_prom_ex_ecto_query_duration_milliseconds_bucket[5m])))"
    ),
    "Webhook processing": "rsolv_billing_stripe_webhook_received_total",
}
WINDOW = 900.0  # seconds in which a metric must have been seen
_PARTS = re.compile(r"_(bucket|count|sum)$")


def queries(prometheus: Prometheus) -> list[Check]:
    """One check for each of the guide's four queries: it returns data."""
    names = set(prometheus.metric_names())
    checks = []
    for title, query in QUERIES.items():
        outcome = data(prometheus, query, names)
        name = f"query/{title}"
        checks.append(passed(name, f"{outcome} series") if isinstance(outcome, int) else failed(name, outcome))
    return checks


def present(prometheus: Prometheus, contract: Contract) -> list[Check]:
    """One check for each metric of the contract: there, with the labels that are asked for."""
    since = time.time() - WINDOW
    names = prometheus.metric_names(since)
    return [_metric(prometheus, metric, names, since) for metric in contract.metrics.values()]


def _metric(prometheus: Prometheus, metric: Metric, names: list[str], since: float) -> Check:
    name = f"metric/{metric.name}"
    series = f"{metric.name}_bucket" if metric.type == "histogram" else metric.name
    if series not in names:
        return failed(name, _did_you_mean(metric, names))
    found = prometheus.series([series], start=since)
    lacking = [label for label in metric.labels if not any(label in labels for labels in found)]
    if lacking:
        there = brief(sorted({label for labels in found for label in labels if not label.startswith("__")}), 8)
        return failed(
            name,
            f"has no label {brief(lacking)} (it has {there}); change the rules and panels that use it, and "
            "metrics/contract.yml",
        )
    return passed(name, f"{metric.type}, {len(found)} series")


def _did_you_mean(metric: Metric, names: list[str]) -> str:
    bases = sorted({_PARTS.sub("", name) if metric.type == "histogram" else name for name in names})
    known = [alias for alias in metric.aliases if alias in bases]
    near = known or difflib.get_close_matches(metric.name, bases, n=1, cutoff=0.7)
    if near:
        why = "another name that it is known by" if known else "the nearest name there is"
        return (
            f"Prometheus has no {metric.name}; did you mean {near[0]} ({why})? "
            "Then rename it in rules/, dashboards/ and metrics/contract.yml"
        )
    return (
        f"Prometheus has no {metric.name}, nor one of a like name; it comes from {metric.source}: is that switched on?"
    )


def buckets(prometheus: Prometheus, contract: Contract, alerts: Iterable[Alert]) -> Check:
    """Every latency limit lies below the last finite bucket that the application really has."""
    name, wrong, between, count = "buckets", [], [], 0
    bounds: dict[str, list[float]] = {}
    for alert in alerts:
        for metric in _histograms(alert, contract):
            if metric.name not in bounds:
                bounds[metric.name] = _live_bounds(prometheus, metric.name)
            finite = [bound for bound in bounds[metric.name] if math.isfinite(bound)]
            if not finite:
                continue  # not there: another check says so
            count += 1
            limit = alert.limit.value
            if limit >= finite[-1]:
                wrong.append(
                    f"{alert.name} can never fire: its limit {limit:g} is not below the last bucket, {finite[-1]:g}"
                )
            elif limit not in finite:
                low = max([0.0, *(bound for bound in finite if bound < limit)])
                high = min(bound for bound in finite if bound > limit)
                between.append(f"{alert.name} ({limit:g} lies between {low:g} and {high:g})")
    drifted = [
        f"{metric} has other buckets than the contract: {', '.join(f'{bound:g}' for bound in found[:-1])}"
        for metric, found in bounds.items()
        if found and {*found} - {math.inf} != {*map(float, contract.metrics[metric].buckets)} - {math.inf}
    ]
    if wrong:
        return failed(name, f"{brief(wrong, 2)}; lower the limit, or add buckets in the application")
    if drifted:
        return failed(name, f"{brief(drifted, 1)}; write the live ones into metrics/contract.yml and run make test")
    if not count:
        return failed(name, "none of the histograms that the limits refer to is there; see the lines metric/…")
    estimated = f"; interpolated: {brief(between)}" if between else ""
    return passed(name, f"{count} limits lie below the last bucket{estimated}")


def _histograms(alert: Alert, contract: Contract) -> list[Metric]:
    """The histograms whose quantile is the alert's very value."""
    if not alert.quantity.startswith("histogram_quantile("):
        return []
    names = {_PARTS.sub("", selector[0]) for selector in selectors(alert.quantity)}
    return [metric for name in sorted(names) if (metric := contract.metrics.get(name)) and metric.type == "histogram"]


def _live_bounds(prometheus: Prometheus, name: str) -> list[float]:
    """The upper bounds of a histogram's buckets as they are scraped, in order."""
    found = prometheus.query(f"group by (le) ({name}_bucket)")
    return sorted({float(sample.labels["le"]) for sample in found if "le" in sample.labels})
