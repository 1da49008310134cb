"""Does Prometheus have the contract's metrics, with the labels and buckets that rules and panels use?"""

import difflib
import math
import re
import time
from collections.abc import Collection, Mapping
from dataclasses import replace

from formats.durations import humanize
from metrics import Contract, Metric
from ops.checks import Check, failed, passed, skipped
from ops.checks.live_dashboard import WINDOW, data
from ops.checks.metric_sources import Sources
from ops.clients.prometheus import Prometheus
from ops.words import brief
from rules import Alert, native_form

# The guide's four queries for whether metrics are collected.
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
_PARTS = re.compile(r"_(bucket|count|sum)$")


def queries(prometheus: Prometheus, contract: Contract, sources: Sources) -> list[Check]:
    """One check for each of the guide's four queries: it returns data."""
    names = set(prometheus.metric_names())
    checks = []
    for title, written in QUERIES.items():
        query = native_form(written, contract.native)
        name, outcome = f"query/{title}", data(prometheus, query, names, sources)
        if isinstance(outcome, int):
            checks.append(passed(name, f"{outcome} series"))
        else:
            checks.append(failed(name, outcome.why, sources.grace(query)))
    return checks


def present(prometheus: Prometheus, contract: Contract, sources: Sources) -> list[Check]:
    """One check for each metric of the contract: there, with the labels that are asked for."""
    every = contract.metrics.values()
    return [_metric(prometheus, metric, metric.name in contract.native, sources) for metric in every]


def _metric(prometheus: Prometheus, metric: Metric, native: bool, sources: Sources) -> Check:
    """Asked for as samples: Prometheus lists the names of series for hours after the last sample of them."""
    name, classic = f"metric/{metric.name}", f"{metric.name}_bucket"
    series = classic if metric.type == "histogram" and not native else metric.name
    found = _labels(prometheus, series)
    if not found:
        names = prometheus.metric_names(time.time() - WINDOW)
        if form := _other_form(metric, names, native):
            return failed(name, form, sources.scrape())
        if before := prometheus.label_values("job", [series]):
            return failed(
                name,
                f"Prometheus had {metric.name} from job {brief(before)}, and no sample of it for "
                f"{humanize(WINDOW)}; {did_you_mean(metric, names, native=native).partition('; ')[2]}",
                sources.scrape(),
            )
        return failed(name, did_you_mean(metric, names, native=native), sources.scrape())
    lacking = [label for label in metric.labels if not any(label in labels for labels in found)]
    if lacking:
        there = brief(sorted({label for labels in found for label in labels if not label.startswith("__")}), 8)
        return failed(
            name,
            f"has no label {brief(lacking)} (it has {there}); change the rules and panels that use it, and "
            "metrics/contract.yml",
        )
    if metric.type != "histogram":
        return passed(name, f"{metric.type}, {len(found)} series")
    ours, other = ("native", classic) if native else ("classic", metric.name)
    both = ", there in both forms, of which this one is read" if _labels(prometheus, other) else ""
    return passed(name, f"{ours} histogram, {len(found)} series{both}")


def _labels(prometheus: Prometheus, series: str) -> list[Mapping[str, str]]:
    """The labels of each series of that name with a sample lately."""
    return [one.labels for one in prometheus.query(f"last_over_time({series}[{WINDOW:.0f}s])")]


def did_you_mean(metric: Metric, names: Collection[str], *, native: bool = False) -> str:
    """The message for a metric that has no samples; `names`: those that Prometheus lists, its own perhaps still too.

    `native`: whether it is read as a native histogram.
    """
    if form := _other_form(metric, names, native):
        return form
    bases = {_PARTS.sub("", name) if metric.type == "histogram" else name for name in names}
    bases.discard(metric.name)
    known = [alias for alias in metric.aliases if alias in bases]
    near = known or difflib.get_close_matches(metric.name, sorted(bases), n=1, cutoff=0.7)
    if near:
        why = "an alias in the contract" if known else "the most similar name"
        return (
            f"Prometheus has no {metric.name}; did you mean {near[0]} ({why})? "
            "Then rename it in rules/, dashboards/ and metrics/contract.yml"
        )
    return f"Prometheus has no {metric.name} and no similar name; it comes from {metric.source}: is that switched on?"


def _other_form(metric: Metric, names: Collection[str], native: bool) -> str:
    """That a histogram is there in a form without the series that rules and panels read; "" where it is not."""
    if metric.type != "histogram":
        return ""
    if native and f"{metric.name}_bucket" in names:
        return (
            f"Prometheus has {metric.name} as a classic histogram, and rules and panels read the native one, as the "
            "setting histograms is native; set it to classic, or in its scrape job scrape_native_histograms: true, or "
            "convert_classic_histograms_to_nhcb: true where the application exports no native ones"
        )
    if not native and metric.name in names:
        return (
            f"Prometheus has {metric.name} as a native histogram, and rules and panels read the classic one "
            f"({metric.name}_bucket), as the setting histograms is classic; set it to native, or in its scrape job "
            "always_scrape_classic_histograms: true (scrape_classic_histograms before 3.0)"
        )
    if f"{metric.name}_count" in names and f"{metric.name}_bucket" not in names:
        return (
            f"Prometheus has {metric.name}_count and no {metric.name}_bucket, so it is a summary, or "
            "metric_relabel_configs drop its buckets; export a histogram, or keep them"
        )
    return ""


def buckets(prometheus: Prometheus, contract: Contract, alerts: Mapping[str, Alert], sources: Sources) -> Check:
    """Every limit on a quantile is below the last finite bucket that the application exports."""
    name, every = "buckets", list(alerts.values())
    found = live_contract(prometheus, contract)
    if not found.metrics and contract.native:
        return skipped(
            name, "native histograms; those with custom buckets have the contract's, exponential ones have no last one"
        )
    if not found.metrics:
        return failed(
            name, "Prometheus has none of the contract's histograms; see the lines metric/…", sources.scrape()
        )
    if problems := found.limit_problems(every):
        return failed(name, f"{brief(problems, 2)} in the application")
    drifted = [
        f"{known} has the buckets {', '.join(f'{bound:g}' for bound in bounds)} instead of the contract's"
        for known, bounds in ((name, metric.buckets) for name, metric in found.metrics.items())
        if bounds != contract.metrics[known].buckets
    ]
    if drifted:
        return failed(name, f"{brief(drifted, 1)}; write the live ones into metrics/contract.yml and run make test")
    estimated = [warning.partition(":")[0] for warning in found.limit_warnings(every)]
    between = f"; between two bounds, so interpolated: {brief(estimated)}" if estimated else ""
    return passed(name, f"every limit is below the last bucket of its histogram{between}")


def live_contract(prometheus: Prometheus, contract: Contract) -> Contract:
    """The contract's classic histograms that Prometheus has, with the buckets that it has of them."""
    live = {
        metric.name: bounds
        for metric in contract.metrics.values()
        if metric.type == "histogram"
        and metric.name not in contract.native
        and (bounds := _live_bounds(prometheus, metric.name))
    }
    metrics = {known: replace(contract.metrics[known], buckets=bounds) for known, bounds in live.items()}
    return Contract(metrics, recorded=contract.recorded)


def _live_bounds(prometheus: Prometheus, name: str) -> tuple[float, ...]:
    """The finite upper bounds of a histogram's buckets as they are scraped, in order."""
    found = prometheus.query(f"group by (le) ({name}_bucket)")
    bounds = {float(sample.labels["le"]) for sample in found if "le" in sample.labels}
    return tuple(sorted(bound for bound in bounds if math.isfinite(bound)))
