"""One metric of a page, read without a parser of the whole."""

import httpx
import pytest

from ops.clients import metrics_page
from ops.clients.http import Http
from ops.errors import BadAnswer

PAGE = """\
# HELP reloaded_total How often.
# TYPE reloaded_total counter
reloaded_total 3
# TYPE reloaded gauge
reloaded 1 1700000000000
labelled{a="b"} 2
"""


def at(page: str) -> Http:
    answer = httpx.MockTransport(lambda _: httpx.Response(200, text=page))
    return Http("http://127.0.0.1:9", name="Prometheus", transport=answer)


def test_a_metric_without_labels_is_found_by_its_whole_name() -> None:
    assert metrics_page.value(at(PAGE), "reloaded") == 1
    assert metrics_page.value(at(PAGE), "reloaded_total") == 3
    assert metrics_page.value(at(PAGE), "reload") is None
    assert metrics_page.value(at(PAGE), "reloaded") == metrics_page.read(at(PAGE)).total("reloaded")


def test_what_is_no_number_is_named() -> None:
    with pytest.raises(
        BadAnswer, match=r"Prometheus at http://127\.0\.0\.1:9 answered /metrics with something that is not"
    ):
        metrics_page.value(at("reloaded soon\n"), "reloaded")
