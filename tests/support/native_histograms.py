"""A real Prometheus that keeps the stand-in application's histograms as native ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from werkzeug import Request, Response

import metrics
from ops.clients.prometheus import Prometheus
from ops.sandbox.servers.application import Application
from ops.sandbox.servers.traffic import SCENARIOS
from tests.support.real_servers import prometheus
from tests.support.stand_in import stand_in
from tests.support.waiting import until

NATIVE = metrics.load().of_form("native").native
JOB = "rsolv-platform"
A_SCRAPE = 60.0  # seconds of traffic between two scrapes
SCRAPES = 12
FAULTS = ("errors", "slow_endpoint", "db_slow", "queue", "webhook_failures", "webhook_slow")


@contextmanager
def scraped(folder: Path, *, classic: bool, native: bool, rule_files: str = "") -> Iterator[Prometheus]:
    """A Prometheus with some scrapes of the application, with faults, in these forms; it goes on to scrape it."""
    application = Application(metrics.load(), seed=17)
    application.pace = 1.0
    # Before the first scrape, so that no bucket is born in the time that is looked at: see docs/native-histograms.md.
    application.set_scenarios({name: SCENARIOS[name].usual for name in FAULTS}, 3600.0)

    def page(request: Request) -> Response:
        application.advance(A_SCRAPE)
        status, kind, body = application.scrape(request.headers.get("Accept", ""))
        return Response(body, status, content_type=kind)

    with stand_in(page) as url:
        job = {
            "job_name": JOB,
            "scrape_interval": "1s",
            "convert_classic_histograms_to_nhcb": native,
            "always_scrape_classic_histograms": classic,
            "static_configs": [{"targets": [url.removeprefix("http://")]}],
        }
        config = {"scrape_configs": [job], "rule_files": [rule_files] if rule_files else []}
        with prometheus(folder, yaml.safe_dump(config)) as server:
            until(lambda: any(one.value >= SCRAPES for one in server.query("count_over_time(up[1h])")))
            yield server
