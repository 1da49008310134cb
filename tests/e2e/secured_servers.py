"""A Prometheus and an Alertmanager that read the files of the sandbox's, and are reached in another way."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from ops.clients.http import Http
from ops.sandbox import ports
from tests.e2e.rig import Rig
from tests.support.secured import Secured
from tests.support.waiting import PATIENCE, until


@contextmanager
def beside(rig: Rig, name: str, folder: Path, secured: Secured, *flags: str, prefix: str = "") -> Iterator[Http]:
    """One more process of the sandbox's server `name`, with these flags too; its HTTP, as USER with a certificate."""
    assert rig.sandbox.state is not None
    port = ports.choose([name], {})[name]
    command = _on(psutil.Process(int(rig.sandbox.state.processes[name]["pid"])).cmdline(), port, folder / name)
    log = folder / f"{name}.log"
    with log.open("wb") as words:
        process = subprocess.Popen([*command, *flags], stdout=words, stderr=words)
    url, headers = f"https://{ports.HOST}:{port}{prefix}", {"Authorization": secured.authorization}
    try:
        with Http(url, name=name, headers=headers, verify=secured.trusting()) as http:

            def ready() -> bool:
                assert process.poll() is None, log.read_text("utf-8", errors="replace")
                return http.get("/-/ready").is_success

            until(ready, f"{name} did not get ready")
            yield http
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _on(command: Sequence[str], port: int, data: Path) -> list[str]:
    """The command of another server, for this port and this folder for what it stores."""
    own = {
        "--web.listen-address": f"{ports.HOST}:{port}",
        "--storage.tsdb.path": str(data),
        "--storage.path": str(data),
    }
    kept = [word for word in command if not word.startswith("--web.external-url=")]
    return [f"{flag}={own[flag]}" if (flag := word.partition("=")[0]) in own else word for word in kept]
