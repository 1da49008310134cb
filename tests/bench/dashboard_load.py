"""What one look at the dashboard costs Prometheus: every panel once, over the last 24 hours."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import dashboards
from ops.clients.http import Params
from ops.clients.prometheus import Prometheus
from ops.errors import OpsError
from ops.sandbox.evaluation import evaluating
from tests.bench import recorded_history, rule_forms, synthetic_series
from tests.bench.bench_words import say, table
from tests.bench.rule_evaluation import ENDPOINTS
from tests.bench.synthetic_series import DAY

_POINT = 120  # seconds between two points, as Grafana asks for a panel of half a screen
_PATIENCE = 15.0  # seconds, after which somebody who looks has gone


def run() -> list[str]:
    """The section of the page, as Markdown."""
    rows = [row for endpoints in ENDPOINTS for row in _rows(endpoints)]
    head = (
        "endpoints",
        "series",
        "queries",
        "answered",
        "s in all",
        "slowest",
        "million samples",
    )
    return table(head, rows)


def _rows(endpoints: int) -> Iterator[tuple[str, ...]]:
    end = int(time.time()) // 60 * 60
    queries = list(dict.fromkeys(query for panel in dashboards.load().panels for query in panel.queries))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        database = Path(folder) / "data"
        say(f"{endpoints} endpoints: drawing the dashboard")
        series = synthetic_series.write(database, endpoints, end)
        recorded_history.write(database, [rule_forms.ours()], end)
        with evaluating(database, synthetic_series.STEP) as prometheus:
            found = [_asked(prometheus, query, end) for query in queries]
            times = [took for took, _ in found if took is not None]
            yield (
                *(f"{endpoints:,}", f"{series:,}", f"{len(queries)}", f"{len(times)} of {len(found)}"),
                *(f"{sum(times):.2f}", f"{max(times):.2f}", f"{sum(read for _, read in found) / 1e6:,.1f}"),
            )


def _asked(prometheus: Prometheus, query: str, end: int) -> tuple[float | None, int]:
    """How long a panel's query takes, and samples read; None where Prometheus refuses it or takes too long."""
    wanted: Params = {"query": query, "start": end - DAY, "end": end, "step": _POINT, "stats": "all"}
    limited: Params = {**wanted, "timeout": f"{_PATIENCE:.0f}s"}
    try:
        said = prometheus.http.get_json("/api/v1/query_range", limited, timeout=_PATIENCE + 10)["data"]["stats"]
    except OpsError as refused:
        say(f"{query[:60]} …: {refused}")
        return None, 0
    return float(said["timings"]["execTotalTime"]), int(said["samples"]["totalQueryableSamples"])
