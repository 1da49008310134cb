"""The series that recording rules would have made by now, written as blocks: each keeps the value that it has now."""

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ops.errors import OpsError
from ops.sandbox.evaluation import evaluating
from tests.bench import synthetic_series
from tests.bench.block_files import write_block
from tests.bench.rule_forms import Form, Written
from tests.bench.synthetic_series import STEP, WEEK_AGO

_NAME = re.compile(r"[a-zA-Z_]\w*(?::\w+)+")  # of a recorded series: level:metric:operation
LabelPairs = tuple[tuple[str, str], ...]
PATIENCE = 120.0  # seconds that a query may take


def write(database: Path, forms: Iterable[Form], end: int) -> None:
    """Write what the recordings of these forms make; where two make one series, that of the first form."""
    waiting = {(rule.name, rule.expr): (rule, interval) for form in forms for rule, interval in form.recordings()}
    while waiting:
        names = {rule.name for rule, _ in waiting.values()}
        ready = {key: one for key, one in waiting.items() if not names & {*_NAME.findall(one[0].expr)}}
        if not ready:
            raise OpsError(f"{', '.join(sorted(names))} read one another")
        _write(database, ready.values(), end)
        waiting = {key: one for key, one in waiting.items() if key not in ready}


def _write(database: Path, recordings: Iterable[tuple[Written, float]], end: int) -> None:
    found: dict[LabelPairs, tuple[float, float]] = {}  # of each series: its value, and how often it is recorded
    with evaluating(database, STEP) as prometheus:
        for rule, interval in recordings:
            for sample in prometheus.query(rule.expr, end, timeout=PATIENCE):
                labels = {**sample.labels, **rule.labels, "__name__": rule.name}
                found.setdefault(tuple(sorted(labels.items())), (sample.value, interval))
    times = synthetic_series.moments(end)
    for interval in {interval for _, interval in found.values()}:
        own = {labels: value for labels, (value, often) in found.items() if often == interval}
        at = times[times % (interval * 1000) == 0]
        shapes = [np.full(len(at), value) for value in own.values()]
        series = [(dict(labels), number) for number, labels in enumerate(own)]
        for shift in (0, WEEK_AGO):
            write_block(database, series, shapes, at - shift * 1000)
