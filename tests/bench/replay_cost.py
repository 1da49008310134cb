"""A replay of seven days of every alert, beside the bare range queries that it cannot do without."""

import tempfile
import time
from datetime import timedelta
from pathlib import Path

import routing
import rules
from ops import replay
from ops.sandbox.lifecycle import Sandbox
from tests.bench.bench_words import beside, say, seconds

DAYS = 7


def run() -> list[str]:
    """The section of the page, as Markdown."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        return beside([_measured(Path(folder))])


def _measured(folder: Path) -> tuple[str, float, str, float]:
    sandbox = Sandbox(folder / "home-history")
    try:
        sandbox.up(say, past=timedelta(days=DAYS).total_seconds())
        end = time.time()
        start = end - timedelta(days=DAYS).total_seconds()
        written = replay.Rules("ours", rules.alerts(), rules.recordings())
        names = [alert.name for alert in written.alerts.values() if alert.group == "api_performance"]
        config = routing.load().config
        queries = list(dict.fromkeys(written.alerts[name].signal for name in names))

        def ask() -> None:
            for query in queries:
                for part in range(DAYS):
                    day = start + part * 86400
                    sandbox.prometheus.query_range(query, day, day + 86400, 30)

        def replayed() -> None:
            replay.run(sandbox.prometheus, [written], names, start, end, config)

        return (
            f"replay of {len(names)} alerts, {DAYS} days",
            seconds(replayed),
            "their bare range queries",
            seconds(ask),
        )
    finally:
        sandbox.down()
