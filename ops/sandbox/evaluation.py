"""A Prometheus for a moment, on a database of its own: no scrapes, no rules; it only answers queries."""

import contextlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from ops.clients.http import Http
from ops.clients.prometheus import Prometheus
from ops.sandbox import processes
from ops.sandbox.parts import answers, environment, program
from ops.sandbox.ports import HOST, choose
from ops.sandbox.sandbox_errors import PortTaken

_ATTEMPTS = 3  # a free port may be taken before it is used
_READY_WITHIN = 60.0  # seconds
_NAME = "prometheus-evaluation"


@contextlib.contextmanager
def evaluating(database: Path, step: float) -> Iterator[Prometheus]:
    """A Prometheus on the database, stopped at the end. `step`: seconds between the newest samples.

    A series that has no sample for longer than that has ended: files cannot say so, as a scrape does. Raises
    SandboxError or ToolError.
    """
    with TemporaryDirectory(prefix="evaluation-", dir=database.parent) as folder:
        scratch = Path(folder)
        config = scratch / "prometheus.yml"
        config.write_text("global: {}\n", encoding="utf-8")
        try:
            url = _start(scratch / "run", database, config, step)
            with Http(url, name="the Prometheus that evaluates the alerts", timeout=60.0) as http:
                yield Prometheus(http)
        finally:
            processes.stop(scratch / "run")


def _start(run: Path, database: Path, config: Path, step: float) -> str:
    for attempt in range(1, _ATTEMPTS + 1):
        port = choose([_NAME], {})[_NAME]
        url = f"http://{HOST}:{port}"
        ready = partial(answers, url, "/-/ready")
        command = (
            str(program("prometheus", lambda line: None)),
            f"--config.file={config}",
            f"--storage.tsdb.path={database}",
            "--storage.tsdb.retention.time=10y",  # also of a past that is years apart
            "--storage.tsdb.max-block-duration=18h",  # as they are written: to compact them would only cost time
            f"--query.lookback-delta={step + 5:.0f}s",
            f"--web.listen-address={HOST}:{port}",
            "--web.enable-admin-api",
        )
        child = processes.start(run, _NAME, command, environment=environment())
        try:
            processes.wait_ready(child, ready, seconds=_READY_WITHIN, ports=(port,))
        except PortTaken:
            if attempt == _ATTEMPTS:
                raise
            continue
        return url
    raise AssertionError("unreachable")
