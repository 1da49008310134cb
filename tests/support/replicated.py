"""Replicas of real servers: three Alertmanagers that are a cluster, and two Prometheus, on the sandbox's files."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ops.clients.alertmanager import Alertmanager
from ops.clients.prometheus import Prometheus
from ops.sandbox import ports
from ops.sandbox.mounts import Mounts
from tests.support import real_servers
from tests.support.waiting import until


@dataclass(frozen=True)
class Replicated:
    """Three Alertmanagers and two Prometheus. `last`: the file that the last of each reads."""

    prometheus: list[Prometheus]
    alertmanager: list[Alertmanager]
    last: dict[str, Path]

    @property
    def settings(self) -> dict[str, str]:
        """The settings that list them."""
        return {
            "prometheusUrl": ", ".join(one.url for one in self.prometheus),
            "alertmanagerUrl": ", ".join(one.url for one in self.alertmanager),
        }


@contextmanager
def replicated(home: Path, folder: Path) -> Iterator[Replicated]:
    """`home`: that of the sandbox. `folder`: for the files of the replicas."""
    folder.mkdir(exist_ok=True)
    mounts = Mounts(home)
    files = {"prometheus": mounts.prometheus_config, "alertmanager": mounts.alertmanager_config}
    last = {server: folder / f"{server}.yml" for server in files}
    for server, link in last.items():
        link.symlink_to(files[server])
    peers = [f"{ports.HOST}:{port}" for port in ports.choose(["first", "second", "third"], {}).values()]
    with ExitStack() as running:

        def start(server: str, number: int, count: int, *flags: str, **more: str) -> object:
            own = folder / f"{server}-{number}"
            own.mkdir(parents=True)
            file = last[server] if number == count - 1 else files[server]
            return running.enter_context(getattr(real_servers, server)(own, file, *flags, **more))

        alertmanagers = [
            start("alertmanager", number, 3, *(f"--cluster.peer={peer}" for peer in peers[:number]), cluster=address)
            for number, address in enumerate(peers)
        ]
        prometheus = [start("prometheus", number, 2, "--web.enable-lifecycle") for number in range(2)]
        servers = Replicated(prometheus, alertmanagers, last)  # type: ignore[arg-type]
        until(lambda: all(one.status().peers == 3 for one in servers.alertmanager))
        yield servers
