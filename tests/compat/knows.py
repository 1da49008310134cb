"""Holds the tables of rules.rule_needs and routing.routing_needs to a real server: it takes each sample, or not.

python -m tests.compat.knows prometheus PROGRAM VERSION
"""

import json
import sys
import tempfile
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from formats.versions import number
from ops.clients.prometheus import Prometheus
from ops.clients.server import Server
from ops.errors import Refused
from tests.compat import samples
from tests.compat.samples import Sample
from tests.support import real_servers

# Every flag behind which a feature of the table may stand; a version that does not know one only says so.
_FLAGS = (
    *("promql-experimental-functions", "promql-duration-expr", "promql-extended-range-selectors"),
    *("promql-binop-fill-modifiers", "utf8-names", "use-start-timestamps", "native-histograms"),
)


def disagreements(kind: str, program: Path, version: str) -> tuple[int, list[str]]:
    """How many samples were given to a server, and a sentence for each that it should not have taken, or refused."""
    every = list(samples.for_prometheus() if kind == "prometheus" else samples.for_alertmanager())
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with _prometheus(home, program) if kind == "prometheus" else _alertmanager(home, program) as server:
            return len(every), [*_compared(every, server, home, version)]


def _prometheus(home: Path, program: Path) -> AbstractContextManager[Server]:
    own = ("--web.enable-lifecycle", f"--enable-feature={','.join(_FLAGS)}")
    return real_servers.prometheus(home, "rule_files: [rules.yml]\n", *own, program=program)


def _alertmanager(home: Path, program: Path) -> AbstractContextManager[Server]:
    return real_servers.alertmanager(home, "route:\n  receiver: one\nreceivers:\n  - name: one\n", program=program)


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
        (home / "alertmanager.yml").write_text(f"templates: [sample.tmpl]\n{sample.text}", encoding="utf-8")
    try:
        server.reload()
    except Refused as no:
        return no.words or f"HTTP {no.status}"
    return ""


if __name__ == "__main__":
    count, found = disagreements(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
    print(json.dumps({"samples": count, "disagreements": found}))
