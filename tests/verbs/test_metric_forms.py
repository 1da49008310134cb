"""A histogram that Prometheus has in another form than rules and panels read: said as that, never as a renaming."""

from pathlib import Path

import pytest
import yaml
from werkzeug import Response

import metrics
from formats.json_types import JsonObject
from ops import build_tools, targets
from ops.checks import metric_presence
from ops.checks.metric_presence import did_you_mean
from ops.checks.metric_sources import Sources
from tests.support.real_servers import prometheus
from tests.support.stand_in import stand_in
from tests.support.waiting import until

NAME = next(metric.name for metric in metrics.load().metrics.values() if metric.type == "histogram")
METRIC = metrics.load().metrics[NAME]
PAGE = f"""# TYPE {NAME} histogram
{NAME}_bucket{{le="100"}} 1
{NAME}_bucket{{le="+Inf"}} 2
{NAME}_sum 300
{NAME}_count 2
"""
NATIVE, SUMMARY = f"Prometheus has {NAME} as a native histogram", f"Prometheus has {NAME}_count and no {NAME}_bucket"


@pytest.mark.parametrize(
    ("names", "begins"),
    [
        ({NAME}, NATIVE),
        ({NAME, f"{NAME}_count", f"{NAME}_sum"}, NATIVE),
        ({NAME, f"{NAME}_bucket"}, NATIVE),  # its classic series ended a while ago, and are listed still
        ({f"{NAME}_count", f"{NAME}_sum"}, SUMMARY),
        ({"up"}, f"Prometheus has no {NAME} and no similar name"),
        ({f"{NAME}s_bucket"}, f"Prometheus has no {NAME}; did you mean {NAME}s "),
    ],
)
def test_what_is_said(names: set[str], begins: str) -> None:
    words = did_you_mean(METRIC, names)
    assert words.startswith(begins)
    assert f"did you mean {NAME} " not in words


def without_buckets(job: JsonObject) -> None:
    drop = {"source_labels": ["__name__"], "regex": ".*_bucket", "action": "drop"}
    job["metric_relabel_configs"] = [drop]


def as_native(job: JsonObject) -> None:
    job["convert_classic_histograms_to_nhcb"] = True


@pytest.mark.skipif(not build_tools.find("prometheus"), reason="`make tools` brings Prometheus")
@pytest.mark.parametrize(("change", "begins"), [(as_native, NATIVE), (without_buckets, SUMMARY)])
def test_verify_says_it_of_a_real_prometheus(
    target: targets.Target, tmp_path: Path, change: object, begins: str
) -> None:
    assert callable(change)
    with stand_in(lambda _: Response(PAGE, content_type="text/plain; version=0.0.4")) as url:
        job = {"job_name": "a", "scrape_interval": "1s", "static_configs": [{"targets": [url.removeprefix("http://")]}]}
        change(job)
        with prometheus(tmp_path, yaml.safe_dump({"scrape_configs": [job]})) as server:
            until(lambda: any(name.startswith(NAME) for name in server.metric_names()))
            contract = metrics.Contract({NAME: METRIC})
            (check,) = metric_presence.present(server, contract, Sources(target, contract, []))
    assert check.status == "fail"
    assert check.detail.startswith(begins)
