"""Clocks and words that the benchmarks share."""

import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence

TURNS = 5


def seconds(act: Callable[[], object]) -> float:
    """How long it took."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def medians(turns: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """The median of each program's times; `turns`: the times of each turn, by program."""
    return tuple(statistics.median(side) for side in zip(*turns, strict=True))


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table in Markdown; numbers stand on the right."""
    every = [list(row) for row in rows]
    right = [all(row[at][:1].isdigit() or row[at] == "–" for row in every) for at in range(len(head))]
    rule = ["---:" if numbers else "---" for numbers in right]
    return [f"| {' | '.join(row)} |" for row in (head, rule, *every)]


def beside(rows: Iterable[tuple[str, float, str, float]]) -> list[str]:
    """A table of what is measured beside what: (what, seconds, its yardstick, seconds)."""
    return table(
        ("what", "s", "beside", "s", "ratio"),
        [(what, f"{ours:.3f}", than, f"{theirs:.3f}", f"{ours / theirs:.2f}") for what, ours, than, theirs in rows],
    )
