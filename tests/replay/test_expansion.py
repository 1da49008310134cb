"""Recordings that were not recorded: which they are, and the expressions that stand in their place."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from ops.errors import Misconfigured
from ops.replay import coverage
from ops.replay.recorded import computed
from ops.replay.recordings import expand
from rules import Recording


def recording(name: str, expr: str, **labels: str) -> Recording:
    return Recording(name, "g", 60.0, Path("x.yml"), 1, expr, labels)


def test_expansion_keeps_ranges_offsets_and_labels() -> None:
    known = {one.name: one for one in (recording("a:b", "sum(x)"), recording("c:d", "max(a:b)", team="t"))}
    assert expand("a:b offset 1w > 3", known).split() == ["last_over_time((sum(x))[1m:1m]", "offset", "1w)", ">", "3"]
    assert "max_over_time" in expand("max_over_time(a:b[1h])", known) and "[1h:1m]" in expand("rate(a:b[1h])", known)
    assert 'label_replace(max((sum(x))), "team", "t", "", "")' in expand("c:d", known)
    assert expand("sum(x)", known) == "sum(x)"


def test_expansion_reaches_into_subqueries() -> None:
    known = {one.name: one for one in (recording("a:b", "sum(x)"), recording("c:d", "sum_over_time(a:b[30d:1h])"))}
    once = "sum_over_time((sum(x))[30d:1h])"
    assert expand("c:d", known).split() == f"last_over_time(({once})[1m:1m])".split()
    assert coverage.lookback(expand("c:d", known)) == 30 * 86400 + 60


def test_what_is_read_at_multiples_of_its_interval_is_computed_then_only() -> None:
    known = {"a:b": recording("a:b", "sum(x)")}
    held, once = "last_over_time((sum(x))[1m:1m])", "(sum(x))"
    assert [expand("a:b", known, every) for every in (None, 30.0, 90.0, 60.0, 120.0)] == [held, held, held, once, once]
    assert expand("a:b offset 2m", known, 120.0) == "last_over_time((sum(x))[1m:1m] offset 2m)"
    assert expand("max_over_time(a:b[1h:2m] offset 5m)", known) == f"max_over_time({once}[1h:2m] offset 5m)"
    assert expand("max_over_time(a:b[1h:30s])", known, 60.0) == f"max_over_time({held}[1h:30s])"
    assert expand("max_over_time(a:b[1h:])", known, 60.0) == f"max_over_time({held}[1h:])"


def test_a_day_is_read_each_minute_where_that_has_to_do() -> None:
    known = {"a:b": Recording("a:b", "g", 15.0, Path("x.yml"), 1, "sum(x)", {})}
    read = "sum_over_time(a:b[1d]) / sum_over_time(a:b[2h])"
    exact, coarse = (expand(read, known, coarse=one) for one in (False, True))
    assert "[1d:15s]" in exact and "[2h:15s]" in exact
    assert "[1d:1m]" in coarse and "[2h:15s]" in coarse


def test_expansion_refuses_what_it_cannot_say() -> None:
    with pytest.raises(Misconfigured, match="matchers"):
        expand('a:b{x="y"}', {"a:b": recording("a:b", "sum(x)")})
    with pytest.raises(Misconfigured, match="reads itself"):
        expand("a:b", {"a:b": recording("a:b", "a:b + 1")})


FIVE = recording("a:five", "sum(x)")
HOUR = recording("a:hour", "sum_over_time(a:five[1h])")
START, STOP = 10 * 3600_000, 11 * 3600_000  # ms


def chosen(signal: str, five: int, hour: int, running: Mapping[str, str] | None = None) -> tuple[str, list[str]]:
    """What is asked instead of a signal where the recordings begin at these moments (ms), and x long before."""
    seen = coverage.Coverage([(0, STOP)], {"x": [(0, STOP)], "a:five": [(five, STOP)], "a:hour": [(hour, STOP)]})
    queries = {"a:five": FIVE.expr, "a:hour": HOUR.expr, **(running or {})}
    known = {one.name: one for one in (FIVE, HOUR)}
    text, _, missing = computed(signal, 60.0, known, queries, seen, START, STOP)
    return text, missing


def test_only_what_was_not_recorded_is_computed() -> None:
    """A long window over many series is more than Prometheus answers: it is read from what was recorded of them."""
    assert chosen("a:hour", START, START) == ("a:hour", [])
    assert chosen("a:hour", 0, STOP) == ("(sum_over_time(a:five[1h]))", ["a:hour"])
    assert chosen("a:hour", START, STOP) == ("(sum_over_time((sum(x))[1h:1m]))", ["a:five", "a:hour"])


def test_what_was_recorded_has_to_reach_as_far_back_as_it_is_read() -> None:
    assert chosen("a:five offset 2h", START - 2 * 3600_000, 0) == ("a:five offset 2h", [])
    assert chosen("a:five offset 2h", START, 0) == ("last_over_time((sum(x))[1m:1m] offset 2h)", ["a:five"])


def test_what_was_recorded_from_other_expressions_is_computed() -> None:
    assert chosen("a:hour", 0, 0, {"a:five": "sum(y)"}) == ("(sum_over_time((sum(x))[1h:1m]))", ["a:five", "a:hour"])
    assert chosen("a:hour", 0, 0, {"a:hour": "max(y)"}) == ("(sum_over_time(a:five[1h]))", ["a:hour"])
