"""Pending and firing, held to Prometheus: promtool evaluates the same series with the same rules, and has to agree."""

import itertools
import json
import math
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops import build_tools
from ops.replay import Interval, alert_states, crosses
from rules import Limit

MINUTE = 60_000
LENGTH = 40  # evaluations, a minute apart
OPERATORS = (">", ">=", "<", "<=", "==", "!=")
VALUES = (0.0, 1.0, 2.0, 3.0, math.nan, math.inf, -math.inf, None)  # None: no sample


@dataclass(frozen=True)
class Case:
    values: tuple[float | None, ...]
    limit: Limit
    hold: int  # minutes, like the next
    keep: int

    def states(self) -> dict[int, str]:
        """Evaluation → state, as we say."""
        crossing = {
            minute * MINUTE
            for minute, value in enumerate(self.values)
            if value is not None and crosses(self.limit, value)
        }
        moments = range(0, LENGTH * MINUTE, MINUTE)
        found: dict[int, str] = {}
        for one in alert_states(moments, crossing, self.hold * MINUTE, self.keep * MINUTE):
            last = one.end if one.open else one.end - MINUTE
            found |= {at // MINUTE: one.state for at in range(one.start, last + 1, MINUTE)}
        return found


def limits() -> st.SearchStrategy[Limit]:
    return st.builds(
        lambda operator, value: Limit(operator, value, f"{operator} {value:g}"),
        st.sampled_from(OPERATORS),
        st.sampled_from((0.0, 1.0, 2.0)),
    )


def series() -> st.SearchStrategy[tuple[float | None, ...]]:
    """Runs of equal values rather than noise, so that `for` is often met, just missed, and resumed."""
    runs = st.lists(st.tuples(st.sampled_from(VALUES), st.integers(1, 9)), min_size=LENGTH, max_size=LENGTH)
    return runs.map(lambda found: tuple(v for value, count in found for v in [value] * count)[:LENGTH])


CASES = st.lists(
    st.builds(Case, series(), limits(), st.sampled_from((0, 1, 2, 5)), st.sampled_from((0, 1, 3, 6))),
    min_size=25,
    max_size=25,
)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases=CASES)
def test_states_are_those_of_prometheus(cases: list[Case], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("promtool")
    _agree(folder, cases)


def test_promtool_would_notice(tmp_path: Path) -> None:
    """The test above can fail: a state that is one evaluation late is seen."""
    case = Case((3.0,) * 10 + (0.0,) * 30, Limit(">", 1.0, "> 1"), 5, 0)
    _agree(tmp_path, [case])
    wrong = {minute: "pending" if minute == 5 else state for minute, state in case.states().items()}
    with pytest.raises(AssertionError, match="alertstate"):
        _agree(tmp_path, [case], [wrong])


def _agree(folder: Path, cases: list[Case], states: list[dict[int, str]] | None = None) -> None:
    """Assert that promtool sees our states at every evaluation of every case."""
    said = states or [case.states() for case in cases]
    rules = [
        {
            "alert": f"A{number}",
            "expr": f'signal{{case="{number}"}} {case.limit.text}',
            "for": f"{case.hold}m",
            "keep_firing_for": f"{case.keep}m",
        }
        for number, case in enumerate(cases)
    ]
    tests = [
        {
            "expr": "ALERTS",
            "eval_time": f"{minute}m",
            "exp_samples": [
                {"labels": f'ALERTS{{alertname="A{number}",alertstate="{found[minute]}",case="{number}"}}', "value": 1}
                for number, found in enumerate(said)
                if minute in found
            ],
        }
        for minute in range(LENGTH)
    ]
    inputs = [
        {"series": f'signal{{case="{number}"}}', "values": " ".join(map(_value, case.values))}
        for number, case in enumerate(cases)
    ]
    group = {"name": "g", "interval": "1m", "rules": rules}
    (folder / "rules.yml").write_text(json.dumps({"groups": [group]}))
    one = {"interval": "1m", "input_series": inputs, "promql_expr_test": tests}
    (folder / "test.yml").write_text(
        json.dumps({"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [one]})
    )
    done = subprocess.run(
        [build_tools.path("promtool"), "test", "rules", folder / "test.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[:4000]


def _value(value: float | None) -> str:
    if value is None:
        return "stale"
    return {math.inf: "Inf", -math.inf: "-Inf"}.get(value, "NaN" if math.isnan(value) else f"{value:g}")


def test_a_gap_ends_what_was_pending_and_begins_anew() -> None:
    """Prometheus did not run for half an hour: it did not know the alert any more."""
    before, after = range(0, 10 * MINUTE, MINUTE), range(40 * MINUTE, 50 * MINUTE, MINUTE)
    moments = [*before, *after]
    found = alert_states(moments, set(moments), 5 * MINUTE, 0, outage=5 * MINUTE)
    assert found == [
        Interval("pending", 0, 5 * MINUTE, False),
        Interval("firing", 5 * MINUTE, 9 * MINUTE, False),
        Interval("pending", 40 * MINUTE, 45 * MINUTE, False),
        Interval("firing", 45 * MINUTE, 49 * MINUTE, True),
    ]


def test_intervals_do_not_overlap_and_alternate() -> None:
    crossing = {at for at in range(0, 200 * MINUTE, MINUTE) if (at // MINUTE) % 17 < 11}
    found = alert_states(range(0, 200 * MINUTE, MINUTE), crossing, 3 * MINUTE, 2 * MINUTE)
    for one, other in itertools.pairwise(found):
        assert one.start < one.end <= other.start
        assert other.state == "pending" or one.state == "pending"
