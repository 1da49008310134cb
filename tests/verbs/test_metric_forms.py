"""A histogram that Prometheus has in another form than rules and panels read: said as that, never as a renaming."""

from collections.abc import Callable
from dataclasses import replace
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
from tests.support import past
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
NATIVE = f"Prometheus has {NAME} as a native histogram, and rules and panels read the classic one"
CLASSIC = f"Prometheus has {NAME} as a classic histogram, and rules and panels read the native one"
SUMMARY = f"Prometheus has {NAME}_count and no {NAME}_bucket"


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


def in_both_forms(job: JsonObject) -> None:
    job["convert_classic_histograms_to_nhcb"] = job["always_scrape_classic_histograms"] = True


def as_exported(_: JsonObject) -> None:
    pass


BOTH = ", there in both forms, of which this one is read"


@pytest.mark.skipif(not build_tools.find("prometheus"), reason="`make tools` brings Prometheus")
@pytest.mark.parametrize(
    ("setting", "change", "status", "begins"),
    [
        ("classic", as_native, "fail", NATIVE),
        ("classic", without_buckets, "fail", SUMMARY),
        ("classic", as_exported, "pass", "classic histogram, 2 series"),
        ("classic", in_both_forms, "pass", f"classic histogram, 2 series{BOTH}"),
        ("native", as_exported, "fail", CLASSIC),
        ("native", without_buckets, "fail", SUMMARY),
        ("native", as_native, "pass", "native histogram, 1 series"),
        ("native", in_both_forms, "pass", f"native histogram, 1 series{BOTH}"),
    ],
)
def test_verify_says_it_of_a_real_prometheus(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    change: Callable[[JsonObject], None],
    status: str,
    begins: str,
) -> None:
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path / "home"))
    with stand_in(lambda _: Response(PAGE, content_type="text/plain; version=0.0.4")) as url:
        job = {"job_name": "a", "scrape_interval": "1s", "static_configs": [{"targets": [url.removeprefix("http://")]}]}
        change(job)
        with prometheus(tmp_path, yaml.safe_dump({"scrape_configs": [job]})) as server:
            until(lambda: any(name.startswith(NAME) for name in server.metric_names()))
            contract = metrics.Contract({NAME: replace(METRIC, labels={})}).of_form(setting)
            past.target(tmp_path / "home", server.url)
            target = targets.load("sandbox")
            (check,) = metric_presence.present(server, contract, Sources(target, contract, []))
    assert check.status == status
    assert check.detail == begins if status == "pass" else check.detail.startswith(begins)
