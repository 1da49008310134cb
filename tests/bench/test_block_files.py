"""A block that is written directly holds what promtool reads from it, also beside one that promtool wrote."""

import subprocess
from pathlib import Path

import numpy as np

from ops import build_tools
from ops.sandbox.blocks import selector_of, write_series
from tests.bench.block_files import Labels, write_block

END = 1_760_000_400
LABELS: list[Labels] = [
    {"__name__": "requests_total", "path": "/ä", "code": "200", "instance": "one"},
    {"__name__": "requests_total", "path": "/b", "code": "500", "instance": "one"},
    {"__name__": "up", "instance": "one"},
]


def dumped(database: Path) -> list[str]:
    (database / "wal").mkdir()  # which promtool asks for
    done = subprocess.run(
        [build_tools.path("promtool"), "tsdb", "dump", str(database)], capture_output=True, text=True, check=True
    )
    return sorted(done.stdout.splitlines())


def test_promtool_reads_the_same_as_from_a_block_of_its_own(tmp_path: Path) -> None:
    """Also where the times are not even: a gap, a second that is late."""
    times = np.arange(END - 3 * 3600, END, 15, dtype=np.float64)
    times = np.delete(times, slice(100, 140))
    times[200] += 1
    chance = np.random.default_rng(7)
    shapes = [chance.poisson(7, len(times)).cumsum().astype(np.float64), np.ones(len(times))]
    which = [0, 1, 0]
    write_block(tmp_path / "ours", list(zip(LABELS, which, strict=True)), shapes, (times * 1000).astype(np.int64))
    texts = []
    for labels, number in zip(LABELS, which, strict=True):
        others = {key: value for key, value in labels.items() if key != "__name__"}
        texts.append((selector_of(labels["__name__"], others), shapes[number]))
    write_series(tmp_path / "theirs", texts, times)
    ours = dumped(tmp_path / "ours")
    assert len(ours) == len(LABELS) * len(times)
    assert ours == dumped(tmp_path / "theirs")


def test_two_blocks_of_one_database(tmp_path: Path) -> None:
    times = np.arange(END - 600, END, 15, dtype=np.int64) * 1000
    for shift in (0, 7 * 86_400_000):
        write_block(tmp_path / "data", [(LABELS[2], 0)], [np.ones(len(times))], times - shift)
    assert len(dumped(tmp_path / "data")) == 2 * len(times)
