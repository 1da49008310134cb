"""Holds the tables of rules.needs and routing.needs to a real server: it takes each sample, or refuses it, as they say.

python -m tests.compat.knows prometheus PROGRAM VERSION
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from formats.versions import number
from ops.clients.alertmanager import Alertmanager
from ops.clients.http import Http
from ops.clients.prometheus import Prometheus
from ops.clients.server import Server
from ops.errors import OpsError, Refused
from ops.sandbox.ports import HOST, choose
from tests.compat import samples
from tests.compat.samples import Sample
from tests.waiting import until

# Every flag behind which a feature of the table may stand; a version that does not know one only says so.
_FLAGS = (
    *("promql-experimental-functions", "promql-duration-expr", "promql-extended-range-selectors"),
    *("promql-binop-fill-modifiers", "utf8-names", "use-start-timestamps", "native-histograms"),
)


def disagreements(kind: str, program: Path, version: str) -> tuple[int, list[str]]:
    """How many samples were given to a server, and a sentence for each that it should not have taken, or refused."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        port = choose([kind], {})[kind]
        own = _prometheus(home) if kind == "prometheus" else _alertmanager(home)
        command = [str(program), f"--config.file={home / 'config.yml'}", f"--web.listen-address={HOST}:{port}", *own]
        with (home / "log").open("wb") as log, subprocess.Popen(command, cwd=home, stdout=log, stderr=log) as process:
            try:
                http = Http(f"http://{HOST}:{port}", name=kind.capitalize())
                server: Server = Prometheus(http) if kind == "prometheus" else Alertmanager(http)
                _wait(server, process, home / "log")
                every = list(samples.for_prometheus() if kind == "prometheus" else samples.for_alertmanager())
                return len(every), [*_compared(every, server, home, version)]
            finally:
                process.kill()


def _prometheus(home: Path) -> list[str]:
    (home / "config.yml").write_text("rule_files: [rules.yml]\n", encoding="utf-8")
    return [f"--storage.tsdb.path={home / 'data'}", "--web.enable-lifecycle", f"--enable-feature={','.join(_FLAGS)}"]


def _alertmanager(home: Path) -> list[str]:
    (home / "config.yml").write_text("route:\n  receiver: one\nreceivers:\n  - name: one\n", encoding="utf-8")
    return [f"--storage.path={home / 'data'}", "--cluster.listen-address="]


def _wait(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    def ready() -> bool:
        if process.poll() is not None:
            raise SystemExit(f"{process.args!r} did not start: {log.read_text('utf-8', errors='replace')[-500:]}")
        try:
            return server.ready()
        except OpsError:
            return False

    until(ready, f"{process.args!r} is not ready")


def _compared(every: Iterable[Sample], server: Server, home: Path, version: str) -> Iterable[str]:
    runs = number(version)
    for sample in every:
        since = number(sample.feature.since)
        assert runs is not None and since is not None
        refused = _given(sample, server, home)
        if since <= runs and refused:
            yield f"{sample.what} should be known since {sample.feature.since}, but {version} refuses it: {refused}"
        if since > runs and not refused:
            yield f"{sample.what} should be known since {sample.feature.since}, but {version} takes it"


def _given(sample: Sample, server: Server, home: Path) -> str:
    """Why the server refuses a sample; "" where it takes it."""
    if isinstance(server, Prometheus):
        (home / "rules.yml").write_text(sample.text, encoding="utf-8")
    else:
        (home / "sample.tmpl").write_text(sample.template, encoding="utf-8")
        (home / "config.yml").write_text(f"templates: [sample.tmpl]\n{sample.text}", encoding="utf-8")
    try:
        server.reload()
    except Refused as no:
        return no.words or f"HTTP {no.status}"
    return ""


if __name__ == "__main__":
    count, found = disagreements(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
    print(json.dumps({"samples": count, "disagreements": found}))
