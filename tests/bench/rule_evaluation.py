"""What the evaluation of all our rules costs Prometheus, by the size of the application and the form of the rules."""

import math
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.clients.http import Params
from ops.clients.prometheus import Prometheus
from ops.errors import OpsError
from ops.sandbox.evaluation import evaluating
from tests.bench import recorded_history, rule_forms, synthetic_series
from tests.bench.bench_words import say, table
from tests.bench.rule_forms import Form, Written, WrittenGroup

ENDPOINTS = (10, 100, 1_000)
TURNS = 3
_MINUTE = 60.0
_AT_LEAST = 0.2  # seconds in which one query is asked again and again
_COUNTED = 0.1  # processor seconds from which their count is exact enough
SHARE, CHEAPER = 0.01, 10.0  # the targets
_NEAR = 0.1  # the share by which the values of two forms may differ


@dataclass(frozen=True)
class Cost:
    """Of one evaluation of a rule: seconds, and samples that are read."""

    seconds: float
    samples: int


@dataclass(frozen=True)
class GroupCost:
    """Of one evaluation of a group."""

    group: WrittenGroup
    rules: tuple[Cost, ...]

    @property
    def seconds(self) -> float:
        return sum(one.seconds for one in self.rules)

    @property
    def samples(self) -> int:
        return sum(one.samples for one in self.rules)

    @property
    def share(self) -> float:
        """Of the group's interval."""
        return self.seconds / self.group.interval


@dataclass(frozen=True)
class FormCost:
    """Of a form on an application of so many endpoints, which has so many series."""

    endpoints: int
    series: int
    form: Form
    groups: tuple[GroupCost, ...]

    @property
    def seconds(self) -> float:
        """In a minute."""
        return sum(one.seconds * _MINUTE / one.group.interval for one in self.groups)

    @property
    def samples(self) -> float:
        """In a minute."""
        return sum(one.samples * _MINUTE / one.group.interval for one in self.groups)


def run() -> list[str]:
    """The section of the page, as Markdown."""
    return words([cost for endpoints in ENDPOINTS for cost in measured(endpoints)])


def measured(endpoints: int) -> list[FormCost]:
    """What each form costs for so many endpoints. Raises OpsError where two forms say another thing."""
    forms = rule_forms.every()
    end = int(time.time()) // 60 * 60
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        database = Path(folder) / "data"
        say(f"{endpoints} endpoints: writing two days of their series")
        series = synthetic_series.write(database, endpoints, end)
        recorded_history.write(database, forms, end)
        say(f"{endpoints} endpoints: evaluating the rules in {len(forms)} forms, {TURNS} times each")
        with evaluating(database, synthetic_series.STEP) as prometheus:
            _compare(prometheus, forms, end)
            turns = [[_turn(prometheus, form, end) for form in forms] for _ in range(TURNS)]
    return [
        FormCost(endpoints, series, form, tuple(map(_least, zip(*own, strict=True))))
        for form, own in zip(forms, zip(*turns, strict=True), strict=True)
    ]


def _turn(prometheus: Prometheus, form: Form, end: int) -> list[GroupCost]:
    return [GroupCost(group, tuple(_cost(prometheus, rule.expr, end) for rule in group.rules)) for group in form.groups]


def _cost(prometheus: Prometheus, query: str, end: int) -> Cost:
    """The least that a query costs: what disturbs it only adds, and a short one is asked as often as there is time."""
    begin, found = time.monotonic(), [_once(prometheus, query, end)]
    while time.monotonic() - begin < _AT_LEAST:
        found.append(_once(prometheus, query, end))
    return min(found, key=lambda one: one.seconds)


def _once(prometheus: Prometheus, query: str, end: int) -> Cost:
    """What a query costs, by Prometheus' own clocks: never more than it ran, nor than processors worked meanwhile.

    On a busy machine a query also waits, and that is not its cost. Processor seconds are counted in hundredths.
    """
    asked: Params = {"query": query, "time": end, "stats": "all"}
    before = _processor(prometheus)
    said = prometheus.http.get_json("/api/v1/query", asked, timeout=recorded_history.PATIENCE)["data"]["stats"]
    used = _processor(prometheus) - before
    ran = float(said["timings"]["execTotalTime"])
    return Cost(min(ran, used) if used >= _COUNTED else ran, int(said["samples"]["totalQueryableSamples"]))


def _processor(prometheus: Prometheus) -> float:
    """Processor seconds that it has used so far."""
    found = prometheus.metric("process_cpu_seconds_total")
    assert found is not None, "Prometheus counts no processor seconds on this system"
    return found


def _least(turns: Sequence[GroupCost]) -> GroupCost:
    """Of each rule the least of all turns."""
    costs = [min(own, key=lambda one: one.seconds) for own in zip(*(one.rules for one in turns), strict=True)]
    return GroupCost(turns[0].group, tuple(costs))


# ── are they the same alerts? ────────────────────────────────────────────────────────────────────────────────────────


def _compare(prometheus: Prometheus, forms: Sequence[Form], end: int) -> None:
    """Each alert has the same values in each form, or it would be no comparison."""
    first, *others = forms
    alerts = {rule.name: rule for group in first.groups for rule in group.rules if not rule.recording}
    for form in others:
        for group in form.groups:
            for rule in group.rules:
                if rule.recording or group.name.startswith("generator"):  # of which no alert has a value
                    continue
                wanted, had = (_values(prometheus, one, end) for one in (alerts[rule.name], rule))
                if wanted.keys() != had.keys() or not all(
                    math.isclose(value, had[labels], rel_tol=_NEAR) for labels, value in wanted.items()
                ):
                    raise OpsError(f"{rule.name} {form.name} says {had}, and in rules/ {wanted}")


def _values(prometheus: Prometheus, rule: Written, end: int) -> dict[tuple[tuple[str, str], ...], float]:
    found = prometheus.query(rule.expr, end, timeout=recorded_history.PATIENCE)
    return {tuple(sorted(sample.labels.items())): sample.value for sample in found}


# ── in words ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def words(costs: Sequence[FormCost]) -> list[str]:
    """What of the targets is met, then two tables: the forms beside each other, and each group."""
    return [*_targets(costs), "", *_forms(costs), "", *_groups(costs)]


def _targets(costs: Sequence[FormCost]) -> Iterator[str]:
    """For the largest application: whether each form reaches what the rules are to reach."""
    largest = [cost for cost in costs if cost.endpoints == costs[-1].endpoints]
    naive = next(cost for cost in largest if cost.form.name == "naive")
    yield (
        f"What the rules are to reach at 100,000 series (here {naive.series:,}): each group takes less than "
        f"{SHARE:.0%} of its interval, and all together cost at most a tenth of the naive form."
    )
    yield ""
    for cost in largest:
        if cost is naive:
            continue
        over = [f"`{one.group.name}` takes {one.share:.1%}" for one in cost.groups if one.share >= SHARE]
        cheaper = naive.seconds / cost.seconds
        yield (
            f"- *{cost.form.name}*: {'not met: ' + ', '.join(over) if over else f'each group is below {SHARE:.0%}'}; "
            f"{cheaper:.1f} times cheaper, which is {'met' if cheaper >= CHEAPER else 'not met'}."
        )


def _forms(costs: Sequence[FormCost]) -> list[str]:
    naive = {cost.endpoints: cost.seconds for cost in costs if cost.form.name == "naive"}
    rows = []
    for cost in costs:
        before = [one for one in costs if one.form.name == cost.form.name and one.series < cost.series]
        growth = (cost.seconds / before[-1].seconds) / (cost.samples / before[-1].samples) if before else None
        rows.append(
            (
                f"{cost.endpoints:,}",
                f"{cost.series:,}",
                cost.form.name,
                f"{cost.seconds:.3f}",
                f"{cost.seconds / _MINUTE:.2%}",
                f"{cost.samples / 1e6:,.1f}",
                f"{naive[cost.endpoints] / cost.seconds:.1f} ×",
                f"{growth:.2f}" if growth else "–",
            )
        )
    head = ("endpoints", "series", "form of the rules", "s a minute", "of one processor", "million samples a minute")
    return table((*head, "cheaper than naive", "growth a sample"), rows)


def _groups(costs: Sequence[FormCost]) -> list[str]:
    rows = [
        (
            f"{cost.endpoints:,}",
            cost.form.name,
            f"`{one.group.name}`",
            f"{one.group.interval:g} s",
            f"{one.seconds:.4f}",
            f"{one.share:.2%}",
            f"{one.samples:,}",
        )
        for cost in costs
        for one in cost.groups
    ]
    return table(("endpoints", "form", "group", "interval", "s a cycle", "of its interval", "samples a cycle"), rows)
