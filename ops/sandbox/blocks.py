"""Series of the past, written as blocks into the database of a Prometheus that has not been started."""

import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from ops import build_tools
from ops.countdown import Counted, untold
from ops.sandbox.sandbox_errors import SandboxError

BLOCK = 18 * 3600  # seconds in a block; each file is one block, as promtool reads a file once for each block

Floats = NDArray[np.float64]
Values = Sequence[str] | Floats


def write_series(
    folder: Path, series: Sequence[tuple[str, Values]], times: Floats, written: Counted = untold, *, block: int = BLOCK
) -> None:
    """Write series into the database at `folder`; each: its name with labels, and its value at each of `times`.

    An empty text or NaN is no sample. Times are seconds since the epoch, exact to a ms. `block`: seconds in a block; 2,
    6 or 18 hours. `written` is called with (blocks written, blocks in all). Raises SandboxError or ToolError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    promtool = build_tools.path("promtool")
    spans = np.flatnonzero(np.diff(np.floor_divide(times, block), prepend=-1.0))
    pieces = [slice(int(a), int(b)) for a, b in zip(spans, [*spans[1:], len(times)], strict=True)]
    with TemporaryDirectory(dir=folder.parent) as scratch, ThreadPoolExecutor(2) as pool:
        jobs = []
        for number, piece in enumerate(pieces):
            file = Path(scratch) / f"{number}.om"
            _write(file, series, times, piece)
            jobs.append(pool.submit(_blocks, promtool, file, folder, block))
        for done, job in enumerate(as_completed(jobs), 1):
            job.result()
            written(done, len(jobs))


def selector_of(name: str, labels: Mapping[str, str]) -> str:
    """The beginning of a line of OpenMetrics; `labels` need no escapes."""
    return name + "{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "} "


def last_line(words: str) -> str:
    """The last line that a program printed."""
    lines = words.strip().splitlines()
    return lines[-1] if lines else "it printed no error"


def _write(file: Path, series: Sequence[tuple[str, Values]], times: Floats, piece: slice) -> None:
    """Write the OpenMetrics text of one span: each series in the order of time."""
    moments = [f" {at:.3f}\n".replace(".000\n", "\n") for at in times[piece].tolist()]
    with file.open("w", encoding="utf-8") as out:
        for selector, values in series:
            texts = _texts(values[piece]) if isinstance(values, np.ndarray) else values[piece]
            out.write("".join([selector + value + at for value, at in zip(texts, moments, strict=True) if value]))
        out.write("# EOF\n")


def _texts(values: Floats) -> list[str]:
    """Numbers as text, "" for NaN."""
    return ["" if value != value else f"{value:.0f}" for value in values.tolist()]


def _blocks(promtool: Path, file: Path, folder: Path, block: int) -> None:
    done = subprocess.run(
        [
            *(promtool, "tsdb", "create-blocks-from", "--quiet", f"--max-block-duration={block}s", "openmetrics"),
            *(str(file), str(folder)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    file.unlink()
    if done.returncode != 0:
        raise SandboxError(f"promtool could not write the past into {folder}: {last_line(done.stderr)}")
