"""Real servers by themselves, each on a free port of loopback, for as long as a test needs them."""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from ops import build_tools
from ops.clients.alertmanager import Alertmanager
from ops.clients.http import Http
from ops.clients.prometheus import Prometheus
from ops.clients.server import Server
from ops.sandbox import ports
from tests.support.waiting import PATIENCE, until

Client = TypeVar("Client", bound=Server)
Reach = Callable[[str], Http]


def over_http(address: str) -> Http:
    """Without TLS and credentials."""
    return Http(f"http://{address}", name="the server")


@contextmanager
def prometheus(
    folder: Path,
    config: str | Path,
    *flags: str,
    data: Path | None = None,
    program: Path | None = None,
    reach: Reach = over_http,
) -> Iterator[Prometheus]:
    """A Prometheus with this configuration (text or path), ready; its files are in `folder`, what it stores in `data`.

    `reach`: how it is reached at its address, HOST:PORT.
    """
    own = (f"--storage.tsdb.path={data or folder / 'data'}", "--storage.tsdb.retention.time=10y")
    with _running(Prometheus, folder, config, [*own, *flags], program, reach) as server:
        yield server


@contextmanager
def agent(folder: Path, config: str) -> Iterator[Prometheus]:
    """A Prometheus in agent mode, ready; its files are in `folder`."""
    with _running(
        Prometheus, folder, config, ["--agent", f"--storage.agent.path={folder / 'data'}"], None, over_http
    ) as server:
        yield server


@contextmanager
def alertmanager(
    folder: Path,
    config: str | Path,
    *flags: str,
    program: Path | None = None,
    reach: Reach = over_http,
    cluster: str = "",
) -> Iterator[Alertmanager]:
    """An Alertmanager with this configuration (text or path), ready; its files are in `folder`.

    `cluster`: where it listens for its peers; "" for none.
    """
    own = (f"--storage.path={folder / 'data'}", f"--cluster.listen-address={cluster}")
    with _running(Alertmanager, folder, config, [*own, *flags], program, reach) as server:
        yield server


@contextmanager
def _running(
    client: type[Client], folder: Path, config: str | Path, flags: Sequence[str], program: Path | None, reach: Reach
) -> Iterator[Client]:
    """The server on this configuration: `program`, or the one that `make tools` brings. Stopped at exit.

    AssertionError with its own words where it ends before it is ready.
    """
    title = client.__name__
    name = title.lower()
    file, log = folder / f"{name}.yml", folder / f"{name}.log"
    if isinstance(config, Path):
        file = config
    else:
        file.write_text(config, "utf-8")
    address = f"{ports.HOST}:{ports.choose([name], {})[name]}"
    command = [str(program or build_tools.path(name)), f"--config.file={file}", f"--web.listen-address={address}"]
    with log.open("wb") as words:
        process = subprocess.Popen([*command, *flags], cwd=folder, stdout=words, stderr=words)
    try:
        with reach(address) as http:
            server = client(http)

            def ready() -> bool:
                assert process.poll() is None, log.read_text("utf-8", errors="replace")
                return server.ready()

            until(ready, f"{title} did not get ready")
            yield server
    finally:
        process.terminate()
        process.wait(PATIENCE)
