"""Expressions that the running Prometheus cannot parse are refused before anything is written."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.live.provider import Props
from components.live.running import expressions
from components.live.text.edit_errors import EditRefused
from ops import build_tools
from ops.clients.prometheus import Prometheus
from ops.errors import Refused
from rules.rule_needs import EXPERIMENTAL, FUNCTIONS, experimental
from tests.compat.samples import for_prometheus
from tests.support import real_servers

REAL = pytest.mark.skipif(not build_tools.find("prometheus"), reason="`make tools` brings Prometheus")
NOWHERE = "http://127.0.0.1:1"


def props(url: str, *written: str) -> Props:
    rules = {f"g/r{number}": {"file": "a.yml", "expression": text} for number, text in enumerate(written)}
    return {"prometheus": {"url": url}, "wanted": json.dumps({"rules": rules, "routing": {}})}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A real one, without flags."""
    with real_servers.prometheus(tmp_path_factory.mktemp("prometheus"), "global: {}\n") as server:
        yield server


@REAL
@pytest.mark.parametrize("expr", ["mad_over_time(x[5m]) > 1", "limitk(2, up)", "sum by (a) (info(up)) > 1"])
def test_a_function_that_is_not_enabled(prometheus: Prometheus, expr: str) -> None:
    with pytest.raises(EditRefused, match=r"^Prometheus would refuse the rules: rules/a\.yml: g/r1: .*parse error"):
        expressions.refuse_unknown({}, props(prometheus.url, "up > 1", expr))


@REAL
def test_a_function_that_does_not_exist_and_one_with_other_arguments(prometheus: Prometheus) -> None:
    with pytest.raises(EditRefused, match=r"g/r0: .*; rules/a\.yml: g/r1: "):
        expressions.refuse_unknown({}, props(prometheus.url, "no_such_function(up)", "rate(up)"))


@REAL
def test_the_same_function_where_it_is_enabled(tmp_path: Path) -> None:
    with real_servers.prometheus(tmp_path, "global: {}\n", expressions.FLAG) as server:
        expressions.refuse_unknown({}, props(server.url, "mad_over_time(x[5m]) > 1", "limitk(2, up)"))


@REAL
def test_what_fails_only_on_data_is_no_fault_of_the_expression(prometheus: Prometheus) -> None:
    expressions.refuse_unknown({}, props(prometheus.url, "up * on () up", "histogram_quantile(2, up)"))


def test_without_an_answer_experimental_functions_are_refused_and_no_others() -> None:
    expressions.refuse_unknown({}, props(NOWHERE, "max_over_time(up[5m]) > 1", 'up{a="limitk(1, x)"} # info()'))
    with pytest.raises(EditRefused) as refused:
        expressions.refuse_unknown({}, props(NOWHERE, "mad_over_time(x[5m]) > 1"))
    assert str(refused.value) == (
        "Prometheus would refuse the rules: rules/a.yml: g/r0 uses mad_over_time, which Prometheus knows only with "
        "--enable-feature=promql-experimental-functions, and it cannot be asked"
    )


def test_what_was_deployed_before_is_not_asked_again() -> None:
    same = props(NOWHERE, "mad_over_time(x[5m]) > 1")
    expressions.refuse_unknown(same, same)
    expressions.refuse_unknown({}, {"prometheus": {"url": NOWHERE}})  # the state of an older version


@REAL
def test_the_list_of_experimental_functions_is_that_of_prometheus(prometheus: Prometheus) -> None:
    refused = set()
    for sample in for_prometheus():
        if sample.what in FUNCTIONS:
            expr = sample.text.rpartition("expr: ")[2].strip().strip("'").replace("''", "'")
            try:
                prometheus.query(expr, expressions.LONG_AGO)
            except Refused as error:
                assert "not enabled" in error.words or "experimental" in error.words, error.words
                refused.add(sample.what)
            assert experimental(expr) == ([sample.what] if sample.what in refused else [])
    assert refused == EXPERIMENTAL
