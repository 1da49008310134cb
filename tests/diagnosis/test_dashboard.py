"""`diagnose dashboard`, each link really broken: it is named, with what to do."""

import re

import pytest

import dashboards
from dashboards import Panel
from formats.json_types import JsonObject
from ops import targets
from ops.diagnosis import empty_panels
from ops.errors import Misconfigured
from ops.sandbox.lifecycle import Sandbox
from tests.diagnosis.walked import detail, of_panels, said, soon
from tests.support.breaking import edited, job, rewritten
from tests.support.our_panels import panel_of

TITLES = [panel.title for panel in dashboards.load().panels]


def test_a_panel_by_its_title(target: targets.Target) -> None:
    found = soon(lambda: of_panels(target, panel_of("DatabaseConnectionPoolUtilizationHigh").lower()), None)
    assert detail(found, "query returns data") == "1 series in 1 panel"
    with pytest.raises(Misconfigured, match=f"no panel is called 'nothing'; there are {re.escape(TITLES[0])}"):
        empty_panels.load_case(target, "nothing")
    words = " ".join(TITLES).lower().split()
    shared = next(word for word in words if sum(word in title.lower() for title in TITLES) > 1)
    with pytest.raises(Misconfigured, match=re.escape(f"more than one panel is called {shared!r}")):
        empty_panels.load_case(target, shared)


def test_prometheus_does_not_scrape_the_application(target: targets.Target, sandbox: Sandbox) -> None:
    def other(config: JsonObject) -> None:
        job(config)["job_name"] = "other"

    with rewritten(sandbox.mounts.prometheus_config, edited(other), target.prometheus.reload):
        found = soon(lambda: of_panels(target), "scrape target", "other")
    assert "no scrape job 'rsolv-platform' (it has alertmanager, other, prometheus)" in said(found)


def test_a_filter_leaves_nothing(target: targets.Target) -> None:
    query = 'sum(rate(phoenix_http_request_duration_milliseconds_count{method="POST",path="/nowhere"}[5m]))'
    panel = Panel(1, "Mine", "", "timeseries", (query,), "reqps", ())
    found = soon(
        lambda: empty_panels.diagnose(empty_panels.Case(target, dashboards.load(), [panel], named=True)),
        "query returns data",
    )
    assert 'path="/nowhere" matches none of its series: path is \'/' in said(found)
    misspelt = Panel(2, "Mine", "", "timeseries", (query.replace("path=", "paht="),), "reqps", ())
    found = soon(
        lambda: empty_panels.diagnose(empty_panels.Case(target, dashboards.load(), [misspelt], named=True)),
        "query returns data",
    )
    assert "it has no label paht" in said(found)
