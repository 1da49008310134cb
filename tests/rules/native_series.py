"""promtool's series of classic histograms, turned into native ones with the same buckets (custom buckets, schema -53).

Quantile, count and sum of such a histogram are by construction those of the classic one: a scenario has to end as
written in both forms.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import promql_parser

from formats.json_types import JsonObject
from formats.promql import parse
from metrics import Contract

Labels = tuple[tuple[str, str], ...]

_ITEM = re.compile(
    r"(?P<start>_|stale|[-+]?[\d.]+(?:e[-+]?\d+)?)(?P<step>[-+][\d.]+(?:e[-+]?\d+)?)?(?:x(?P<times>\d+))?"
)


@dataclass
class _Histogram:
    """A series of a histogram: upper bound → cumulative counts, in the order of time; None where there is no sample."""

    buckets: dict[float, list[float | str | None]] = field(default_factory=dict)
    count: list[float | str | None] = field(default_factory=list)
    sum: list[float | str | None] = field(default_factory=list)


def expanded(values: str) -> list[float | str | None]:
    """Each sample of promtool's short notation; None for none, "stale" for a stale mark."""
    found: list[float | str | None] = []
    for item in values.split():
        parts = _ITEM.fullmatch(item)
        assert parts, f"this notation is not known here: {item}"
        times = int(parts["times"]) if parts["times"] else 0
        if parts["start"] == "_":
            found += [None] * (times if parts["times"] else 1)
        elif parts["start"] == "stale":
            found.append("stale")
        else:
            start, step = float(parts["start"]), float(parts["step"] or 0)
            found += [start + step * at for at in range(times + 1)]
    return found


def as_native(series: Iterable[JsonObject], contract: Contract) -> list[JsonObject]:
    """These `input_series` with each histogram of the contract as a native one, and all others as they are."""
    native = contract.of_form("native").native
    every, histograms = list(series), dict[tuple[str, Labels], _Histogram]()
    found: list[JsonObject] = []
    for one in every:
        name, labels = _named(one["series"])
        metric = name.rpartition("_")[0]
        if metric not in native:
            found.append(one)
            continue
        key = metric, tuple(sorted((label, value) for label, value in labels.items() if label != "le"))
        histogram, samples = histograms.setdefault(key, _Histogram()), expanded(one["values"])
        if name.endswith("_bucket"):
            histogram.buckets[float(labels["le"])] = samples
        else:
            setattr(histogram, name.rpartition("_")[2], samples)
    for (metric, own), histogram in histograms.items():
        bounds = {bound for (other, _), one in histograms.items() if other == metric for bound in one.buckets}
        finite = sorted(bound for bound in bounds if bound != float("inf")) or contract.metrics[metric].buckets
        text = ",".join(f'{label}="{value}"' for label, value in own)
        found.append({"series": f"{metric}{{{text}}}", "values": _values(histogram, finite)})
    return found


def _named(series: str) -> tuple[str, Mapping[str, str]]:
    selector = parse(series)
    assert isinstance(selector, promql_parser.VectorSelector)
    return str(selector.name), {one.name: one.value for one in selector.matchers.matchers}


def _values(histogram: _Histogram, bounds: Sequence[float]) -> str:
    """promtool's notation; neighbours that grow evenly are one item."""
    rows = [_row(histogram, bounds, at) for at in range(max(map(len, (*histogram.buckets.values(), histogram.count))))]
    found, at = [], 0
    while at < len(rows):
        row, end = rows[at], at
        if not isinstance(row, list):
            found.append(row)
            at += 1
            continue
        step = _step(rows, at)
        while step is not None and end + 1 < len(rows) and _step(rows, end) == step:
            end += 1
        if end == at or step is None:
            found.append(_shown(row, bounds))
        elif any(step):
            found.append(f"{_shown(row, bounds)}+{_shown(step, bounds)}x{end - at}")
        else:
            found.append(f"{_shown(row, bounds)}x{end - at}")
        at = end + 1
    return " ".join(found)


def _step(rows: Sequence[list[float] | str], at: int) -> list[float] | None:
    """By how much each number grows from one row to the next; None where one shrinks, or there is no next."""
    if at + 1 >= len(rows) or not isinstance(rows[at], list) or not isinstance(rows[at + 1], list):
        return None
    step = [after - before for before, after in zip(rows[at], rows[at + 1], strict=True)]  # type: ignore[operator]
    return step if all(one >= 0 for one in step) else None


def _row(histogram: _Histogram, bounds: Sequence[float], at: int) -> list[float] | str:
    """Sum, and the counts of each bucket alone, at one moment."""
    counts = _at(histogram.count, at)
    below = {bound: _at(samples, at) for bound, samples in histogram.buckets.items()}
    there = [one for one in (*below.values(), counts) if isinstance(one, float)]
    if not there:
        return "stale" if "stale" in (*below.values(), counts) else "_"
    total = counts if isinstance(counts, float) else max(there)
    if not below:  # no bucket is given, and none is asked for: all are in the first
        return [0.0, total, *[0.0] * len(bounds)]
    cumulative = [0.0]
    for bound in bounds:
        value = below.get(bound)
        cumulative.append(value if isinstance(value, float) else cumulative[-1])
    assert total >= cumulative[-1], f"there are {total} in all, and {cumulative[-1]} up to {bounds[-1]}"
    summed = _at(histogram.sum, at)
    alone = [high - low for low, high in pairwise([*cumulative, total])]
    return [summed if isinstance(summed, float) else 0.0, *alone]


def _at(samples: Sequence[float | str | None], at: int) -> float | str | None:
    return samples[at] if at < len(samples) else None


def _shown(row: Sequence[float], bounds: Collection[float]) -> str:
    values, buckets = (" ".join(f"{one:.12g}" for one in some) for some in (bounds, row[1:]))
    count = sum(row[1:])
    return f"{{{{schema:-53 custom_values:[{values}] sum:{row[0]:.12g} count:{count:.12g} buckets:[{buckets}]}}}}"
