"""The traffic of the simulated application, live and in the past, as flows of events.

A `Flow` is a Poisson process: so many events a second, each with a duration from a lognormal distribution. A `Level` is
a gauge. Scenarios change both. The numbers are those of a small service without faults: percentiles well below the
limits of the rules, few 5xx, daily and weekly patterns.
"""

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from metrics import Contract, Metric

HTTP = "phoenix_http_request_duration_milliseconds"
QUERY = "rsolv_prom_ex_ecto_query_duration_milliseconds"
QUEUE = "rsolv_prom_ex_ecto_repo_query_queue_time_milliseconds"
POOL_USED = "rsolv_prom_ex_ecto_connection_pool_used_connections"
POOL_SIZE = "rsolv_prom_ex_ecto_connection_pool_size"
WEBHOOKS = "rsolv_billing_stripe_webhook_received_total"
WEBHOOK_DURATION = "rsolv_billing_stripe_webhook_received_duration_milliseconds"

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Flow:
    """Events of one kind: counted and timed by `metrics` under `labels`. `rate` per second; `p50` and `p95` in ms."""

    metrics: tuple[str, ...]
    labels: Labels
    rate: float
    p50: float
    p95: float

    @property
    def sigma(self) -> float:
        """The lognormal's shape: the 95th percentile is 1.645 of these above the median."""
        return math.log(self.p95 / self.p50) / 1.6448536269514722


@dataclass(frozen=True)
class Level:
    """A gauge with that `mean` and standard deviation (`spread`), between 0 and `top`."""

    metric: str
    labels: Labels
    mean: float
    spread: float
    top: float


@dataclass(frozen=True)
class Scenario:
    """A fault of the traffic. `usual` is its intensity, in `unit`, where none is given; `most` the highest."""

    name: str
    what: str
    unit: str = ""
    usual: float = 1.0
    most: float = 1_000_000.0


_ALL = (
    Scenario("errors", "a share of the requests ends in a 5xx status", "share of requests", 0.4, 1.0),
    Scenario("slow", "every request is slow", "P95 in ms", 9000.0),
    Scenario("slow_endpoint", "one critical endpoint is slow", "P95 in ms", 4000.0),
    Scenario("db_slow", "every query is slow", "P95 in ms", 1500.0),
    Scenario("pool_exhausted", "the connection pool is used up", "share of the pool", 0.97, 1.0),
    Scenario("queue", "queries wait for a connection", "P95 in ms", 900.0),
    Scenario("webhook_failures", "a share of the webhooks fails", "share of webhooks", 0.5, 1.0),
    Scenario("webhook_slow", "every webhook is slow", "P95 in ms", 4000.0),
    Scenario("silence", "a share of the requests does not arrive", "share of requests", 1.0, 1.0),
    Scenario("webhook_silence", "a share of the webhooks does not arrive", "share of webhooks", 1.0, 1.0),
    Scenario("metrics_gone", "the application exports nothing of its own any more"),
    Scenario("renamed", "metrics with an alias in the contract are exported under that name"),
    Scenario("clock_ahead", "samples are stamped by a clock that is ahead", "seconds", 120.0, 540.0),
    Scenario("down", "/metrics and /health answer 503"),
)
SCENARIOS = {scenario.name: scenario for scenario in _ALL}


@dataclass(frozen=True)
class _Endpoint:
    method: str
    path: str
    controller: str
    action: str
    share: float
    p50: float
    p95: float
    success: str = "200"


_WEB = "RSOLVWeb"
_ENDPOINTS = (
    _Endpoint("POST", "/api/v1/credentials/exchange", f"{_WEB}.CredentialController", "exchange", 0.22, 60, 240, "200"),
    _Endpoint("POST", "/api/v1/vulnerabilities/validate", f"{_WEB}.ValidationController", "validate", 0.16, 120, 520),
    _Endpoint("GET", "/api/v1/patterns", f"{_WEB}.PatternController", "index", 0.34, 25, 90),
    _Endpoint("POST", "/api/v1/phases/store", f"{_WEB}.PhaseController", "store", 0.12, 45, 180, "201"),
    _Endpoint("POST", "/api/webhooks/stripe", f"{_WEB}.WebhookController", "stripe", 0.06, 55, 220),
    _Endpoint("GET", "/", f"{_WEB}.PageController", "home", 0.10, 12, 60),
)
SLOW_ENDPOINT = "/api/v1/vulnerabilities/validate"
_REQUESTS = 7.0  # a second, at the usual pace
_STATUSES = (("400", 0.008), ("401", 0.012), ("422", 0.006))
_FAILURES = (("500", 0.7), ("503", 0.3))
_FAILING = 0.0006  # the usual share of 5xx

_REPO = "RSOLV.Repo"
_QUERIES = (  # source, command, a second, P50, P95
    ("api_keys", "select", 9.0, 1.2, 5.0),
    ("customers", "select", 7.0, 1.6, 7.0),
    ("patterns", "select", 8.0, 3.0, 18.0),
    ("credentials", "insert", 2.0, 2.5, 9.0),
    ("phase_executions", "insert", 1.2, 3.0, 12.0),
    ("credit_ledger", "select", 1.6, 2.2, 14.0),
    ("credit_ledger", "update", 0.8, 4.0, 22.0),
    ("oban_jobs", "update", 4.0, 2.0, 11.0),
)
_POOL = 20.0

_WEBHOOK_TYPES = (  # Stripe's event type, a second
    ("invoice.paid", 0.12),
    ("invoice.payment_failed", 0.03),
    ("customer.subscription.updated", 0.10),
    ("checkout.session.completed", 0.05),
)
_WEBHOOK_FAILING = 0.002


def pace(at: float) -> float:
    """The factor of traffic at a moment (seconds since the epoch): about 1 at noon UTC, less at night and weekends."""
    moment = time.gmtime(at)
    hour = moment.tm_hour + moment.tm_min / 60
    day = 0.62 + 0.38 * math.cos((hour - 14) / 24 * 2 * math.pi)
    return day * (0.55 if moment.tm_wday >= 5 else 1.0)


def flows(active: Mapping[str, float], contract: Contract) -> list[Flow]:
    """Every flow at the usual pace, changed by the scenarios in `active` (name → intensity).

    The flows and their order are always the same; only rates and durations differ. A metric of `contract` that is not
    named here gets a simple flow of its own, so that a new metric needs no code.
    """
    known = [*_requests(active), *_queries(active), *_webhooks(active)]
    modelled = {name for flow in known for name in flow.metrics}
    others = [
        Flow((metric.name,), _examples(metric), 0.5, (metric.buckets or (1.0,))[0] / 2, (metric.buckets or (1.0,))[0])
        for metric in contract.metrics.values()
        if metric.type != "gauge" and metric.name not in modelled
    ]
    return [*(flow for flow in known if any(name in contract.metrics for name in flow.metrics)), *others]


def levels(active: Mapping[str, float], contract: Contract) -> list[Level]:
    """Every gauge, changed by the scenarios in `active`; a further metric is always 1."""
    share = active.get("pool_exhausted", 0.25)
    used = Level(POOL_USED, {"repo": _REPO}, _POOL * share, _POOL * min(0.04, (1 - share) / 2), _POOL)
    known = [used, Level(POOL_SIZE, {"repo": _REPO}, _POOL, 0.0, _POOL)]
    modelled = {level.metric for level in known}
    others = [
        Level(metric.name, _examples(metric), 1.0, 0.0, 1.0)
        for metric in contract.metrics.values()
        if metric.type == "gauge" and metric.name not in modelled
    ]
    return [*(level for level in known if level.metric in contract.metrics), *others]


def _examples(metric: Metric) -> Labels:
    return {name: values[0] if values else "" for name, values in metric.labels.items()}


def _requests(active: Mapping[str, float]) -> Iterable[Flow]:
    failing = active.get("errors", _FAILING)
    arriving = _REQUESTS * (1 - active.get("silence", 0.0))
    usual = sum(share for _, share in _STATUSES)
    for endpoint in _ENDPOINTS:
        slow = active.get("slow")
        if endpoint.path == SLOW_ENDPOINT:
            slow = active.get("slow_endpoint", slow)
        p50, p95 = _slower(endpoint.p50, endpoint.p95, slow)
        statuses = (
            (endpoint.success, (1 - failing) * (1 - usual)),
            *((status, (1 - failing) * share) for status, share in _STATUSES),
            *((status, failing * share) for status, share in _FAILURES),
        )
        for status, share in statuses:
            labels = {
                "action": endpoint.action,
                "controller": endpoint.controller,
                "method": endpoint.method,
                "path": endpoint.path,
                "status": status,
            }
            flow = Flow((HTTP,), labels, arriving * endpoint.share * share, p50, p95)
            # 4xx are answered quickly.
            yield replace(flow, p50=p50 / 5, p95=p95 / 5) if status[0] == "4" else flow


def _queries(active: Mapping[str, float]) -> Iterable[Flow]:
    quiet = 1 - 0.9 * active.get("silence", 0.0)  # background jobs still query
    for source, command, rate, *usual in _QUERIES:
        p50, p95 = _slower(usual[0], usual[1], active.get("db_slow"))
        yield Flow((QUERY,), {"repo": _REPO, "source": source, "command": command}, rate * quiet, p50, p95)
    p50, p95 = _slower(0.3, 3.0, active.get("queue"))
    yield Flow((QUEUE,), {"repo": _REPO}, sum(row[2] for row in _QUERIES) * quiet, p50, p95)


def _webhooks(active: Mapping[str, float]) -> Iterable[Flow]:
    failing = active.get("webhook_failures", _WEBHOOK_FAILING)
    arriving = 1 - active.get("webhook_silence", 0.0)
    p50, p95 = _slower(90.0, 380.0, active.get("webhook_slow"))
    for kind, rate in _WEBHOOK_TYPES:
        for status, share in (("success", 1 - failing), ("failed", failing)):
            labels = {"event_type": kind, "status": status}
            yield Flow((WEBHOOKS, WEBHOOK_DURATION), labels, rate * arriving * share, p50, p95)


def _slower(p50: float, p95: float, wanted: float | None) -> tuple[float, float]:
    """P50 and P95 with `wanted` as P95; the same where it is None."""
    return (p50, p95) if wanted is None else (wanted / 1.8, wanted)
