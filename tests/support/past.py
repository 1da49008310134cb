"""A real Prometheus with a past that is known by the number: hours of steady traffic, with one slow hour at the end."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import rules
from ops import build_tools
from ops.tuning import propose
from tests.support import real_servers

STEP = 60
# The limits for which this traffic was chosen: what crosses them, and when, does not follow what is tuned in rules/.
LIMITS = {
    "APIErrorRateHigh": 0.01,
    "APIErrorRateCritical": 0.05,
    "APIP95LatencyHigh": 1000,
    "APIP95LatencyCritical": 5000,
    "DatabaseQueryLatencyHigh": 100,
    "DatabaseQueryLatencyCritical": 250,
}
BUCKETS = {
    "phoenix_http_request_duration_milliseconds": (10, 100, 500, 1000, 5000, 10000, 30000),
    "rsolv_prom_ex_ecto_query_duration_milliseconds": (10, 50, 250, 2500, 10000, 30000),
    "rsolv_prom_ex_ecto_repo_query_queue_time_milliseconds": (10, 50, 250, 1000, 5000, 10000),
    "rsolv_billing_stripe_webhook_received_duration_milliseconds": (10, 50, 100, 250, 500, 1000, 5000),
}
WATCHDOG = next(name for name, alert in rules.alerts().items() if alert.is_watchdog)
# A minute of traffic: (metric, labels, how many observations fall into which bucket's upper bound)
API, QUERY, QUEUE, HOOK = BUCKETS
USUAL = (
    # 200 requests: 100 up to 100, 80 up to 500, 20 up to 1000 → P50 100, P95 750; two of them 5xx → 1 %
    (
        API,
        {"status": "200", "path": "/api/v1/vulnerabilities/validate", "method": "POST"},
        {100: 98, 500: 80, 1000: 20},
    ),
    (API, {"status": "500", "path": "/", "method": "GET"}, {100: 2}),
    (QUERY, {"repo": "Repo", "source": "users", "command": "select"}, {10: 800, 50: 200}),  # P95 40
    (QUEUE, {"repo": "Repo"}, {10: 1000}),
    (HOOK, {"event_type": "invoice.paid", "status": "processed"}, {100: 2}),  # P95 97.5
)
SLOW = (
    (API, {"status": "200", "path": "/api/v1/vulnerabilities/validate", "method": "POST"}, {5000: 198}),
    (API, {"status": "500", "path": "/", "method": "GET"}, {5000: 2}),  # P95 of all: 4800
    *USUAL[2:],
)


def traffic(start: int, end: int, slow_from: int) -> str:
    """OpenMetrics text: every series at every step from `start` to `end`."""
    totals: dict[str, float] = {}
    samples: dict[str, list[str]] = {}
    for at in range(start, end + 1, STEP):
        for metric, labels, observed in SLOW if at > slow_from else USUAL:
            text = ",".join(f'{key}="{value}"' for key, value in labels.items())
            for bound in (*BUCKETS[metric], None):
                le = "+Inf" if bound is None else f"{bound}.0"
                key = f'{metric}_bucket{{{text},le="{le}"}}'
                count = sum(n for upper, n in observed.items() if bound is None or upper <= bound)
                totals[key] = totals.get(key, 0) + count
            count_key = f"{metric}_count{{{text}}}"
            totals[count_key] = totals.get(count_key, 0) + sum(observed.values())
        hook = "rsolv_billing_stripe_webhook_received_total"
        for status, count in (("processed", 2), ("failed", 0)):
            key = f'{hook}{{event_type="invoice.paid",status="{status}"}}'
            totals[key] = totals.get(key, 0) + count
        totals['rsolv_prom_ex_ecto_connection_pool_used_connections{repo="Repo"}'] = 4
        totals['rsolv_prom_ex_ecto_connection_pool_size{repo="Repo"}'] = 10
        totals['up{job="rsolv-platform"}'] = 1
        totals[f'ALERTS{{alertname="{WATCHDOG}",alertstate="firing",severity="none"}}'] = 1  # the rules run
        if slow_from + 600 <= at:
            alert = 'alertname="APIP95LatencyHigh",alertstate="firing",severity="warning",component="api"'
            totals[f"ALERTS{{{alert}}}"] = 1
        for key, value in totals.items():
            samples.setdefault(key, []).append(f"{key} {value:g} {at}")
    return "\n".join(line for lines in samples.values() for line in lines) + "\n# EOF\n"


def alerts() -> dict[str, rules.Alert]:
    """Our alerts with the limits of this past."""
    ours = rules.alerts()
    return ours | {name: replace(ours[name], limit=propose.limit(ours[name], value)) for name, value in LIMITS.items()}


def write_rules(folder: Path) -> None:
    """Our rule files, with the limits of this past."""
    for file in rules.load():
        (folder / file.name).write_text(file.text, "utf-8")
    for name, value in LIMITS.items():
        alert = rules.alerts(folder)[name]
        alert.file.write_text(rules.with_limit(alert.file.read_text("utf-8"), alert, value), "utf-8")


@contextmanager
def prometheus(folder: Path, *, hours: float, end: int) -> Iterator[str]:
    """The URL of a Prometheus that remembers `hours` of traffic up to `end`, the last of them slow; stopped at exit."""
    text = folder / "past.om"
    text.write_text(traffic(end - int(hours * 3600), end, end - 3600), "utf-8")
    data = folder / "data"
    subprocess.run(
        [build_tools.path("promtool"), "tsdb", "create-blocks-from", "--quiet", "openmetrics", text, data], check=True
    )
    with real_servers.prometheus(folder, f"rule_files: [{rules.FOLDER}/*.yml]\n", data=data) as server:
        yield server.url


def target(home: Path, url: str) -> None:
    """Let `--target sandbox` be this Prometheus (with SANDBOX_HOME at `home`) and nothing else."""
    nowhere = "http://127.0.0.1:9"
    state = {"prometheus_url": url, "alertmanager_url": nowhere, "application_url": nowhere, "mail_url": nowhere}
    home.mkdir(parents=True, exist_ok=True)
    (home / "state.json").write_text(json.dumps(state), "utf-8")
