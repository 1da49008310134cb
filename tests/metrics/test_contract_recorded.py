"""The contract and what is recorded: a recording is the metric that it reads."""

from pathlib import Path

import pytest

import rules
from metrics import ContractError
from tests.metrics.test_contract import ONE, Alert, Limit, load

RECORDED = "sum by (le) (rate(x_milliseconds_bucket[5m]))"


def recorded(name: str, expr: str) -> rules.Recording:
    return rules.Recording(name, "api_performance_recordings", 60.0, Path("rules/x.yml"), 1, expr, {})


def test_a_quantile_of_what_is_recorded_is_one_of_the_histogram(tmp_path: Path) -> None:
    known = {"x:rate5m": recorded("x:rate5m", RECORDED), "x:again": recorded("x:again", "x:rate5m and x:again")}
    contract = load(tmp_path, ONE).reading(known)
    for name in known:
        high = Alert("Slow", f"histogram_quantile(0.95, {name})", Limit(">", 100))
        assert len(contract.limit_problems([high])) == 1
        assert len(contract.limit_warnings([Alert("Slow", high.quantity, Limit(">", 50))])) == 1
        assert contract.raw(f"{name} / n_total") == ["x_milliseconds_bucket", "n_total"]


def test_a_quantile_of_a_recorded_total_is_refused(tmp_path: Path) -> None:
    contract = load(tmp_path, ONE)
    total = recorded("x:total", "sum by (le) (x_milliseconds_bucket)")
    last = recorded("x:p95", "histogram_quantile(0.95, x:total)")
    contract.hold([], {"x:total": total})
    with pytest.raises(ContractError, match=r"x:p95 cannot work: .* take its rate\(\) before a quantile"):
        contract.hold([], {"x:total": total, "x:p95": last})
    contract.hold([], {"x:total": recorded("x:total", RECORDED), "x:p95": last})
