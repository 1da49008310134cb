"""A real Cortex: processes with all of its parts each, and what they store. Its tenants are whoever asks."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from formats.json_types import JsonObject
from ops import build_tools
from ops.clients.alertmanager import Alertmanager
from ops.clients.http import Http
from ops.clients.prometheus import Prometheus
from ops.clients.tenant import Ruler, TenantAlertmanager, tenant_http
from ops.sandbox import ports
from tests.support.waiting import PATIENCE, until


@dataclass(frozen=True)
class Cortex:
    """Where its first replica is, and its APIs as a tenant's."""

    url: str
    processes: tuple[subprocess.Popen[bytes], ...]

    def ruler(self, tenant: str) -> Ruler:
        return Ruler(tenant_http(self.url, {"id": tenant}, name="Cortex"), "cortex")

    def config(self, tenant: str) -> TenantAlertmanager:
        return TenantAlertmanager(tenant_http(self.url, {"id": tenant}, name="Cortex"))

    def prometheus(self, tenant: str) -> Prometheus:
        return Prometheus(tenant_http(f"{self.url}/prometheus", {"id": tenant}, name="Cortex"))

    def alertmanager(self, tenant: str) -> Alertmanager:
        return Alertmanager(tenant_http(f"{self.url}/alertmanager", {"id": tenant}, name="Cortex"))

    def rules(self, tenant: str) -> set[str]:
        """The names of the rules that run for a tenant."""
        return {rule.name for group in self.prometheus(tenant).rules() for rule in group.rules}

    def receivers(self, tenant: str) -> set[str]:
        """The names of the receivers that run for a tenant."""
        return set(self.alertmanager(tenant).receivers())


def required() -> Path:
    """The program; skips where it is not built."""
    program = build_tools.find("cortex")
    if program is None:
        pytest.skip("no cortex here: `make e2e` builds it")
    return program


@contextmanager
def cortex(folder: Path, replicas: int = 1) -> Iterator[Cortex]:
    """One that is ready; stopped at exit. AssertionError with its own words where one ends before that.

    Several replicas share the store, and the tenants' rules and Alertmanagers; they find each other by gossip.
    """
    names = [f"{kind}-{number}" for number in range(replicas) for kind in ("http", "grpc", "gossip")]
    program, chosen, processes = required(), ports.choose(names, {}), list[subprocess.Popen[bytes]]()
    try:
        for number in range(replicas):
            own = folder / f"replica-{number}"
            own.mkdir()
            file = own / "cortex.yml"
            file.write_text(yaml.safe_dump(_config(folder, own, number, chosen, shared=replicas > 1)), "utf-8")
            with (own / "cortex.log").open("wb") as words:
                command = [str(program), f"-config.file={file}"]
                processes.append(subprocess.Popen(command, cwd=own, stdout=words, stderr=words))
        urls = [f"http://{ports.HOST}:{chosen[f'http-{number}']}" for number in range(replicas)]
        for number, url in enumerate(urls):
            _wait(url, processes[number], folder / f"replica-{number}" / "cortex.log")
        yield Cortex(urls[0], tuple(processes))
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(PATIENCE / 4)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(PATIENCE)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    def said() -> str:
        return log.read_text("utf-8", errors="replace")[-3000:]

    with Http(url, name="Cortex") as http:

        def ready() -> bool:
            assert process.poll() is None, said()
            return http.get("/ready").is_success

        until(ready, lambda: f"Cortex did not get ready: {said()}")


def _config(folder: Path, own: Path, number: int, chosen: Mapping[str, int], *, shared: bool) -> JsonObject:
    """Every part in each process, and a look at what is stored each second. `own`: the folder of this replica."""
    http, grpc = chosen[f"http-{number}"], chosen[f"grpc-{number}"]
    memory: JsonObject = {"kvstore": {"store": "inmemory"}}
    place: JsonObject = {"instance_id": str(number), "instance_addr": ports.HOST}
    # Of one that was killed the others know within seconds.
    beat = {"heartbeat_period": "1s", "heartbeat_timeout": "5s"}
    ring: JsonObject = {**memory, **place}
    kept = {"store": "memberlist" if shared else "inmemory"}
    divided: JsonObject = {**place, **beat, "kvstore": kept, "instance_port": grpc}
    gossip: JsonObject = {
        "bind_addr": [ports.HOST],
        "bind_port": chosen[f"gossip-{number}"],
        "advertise_addr": ports.HOST,
        "advertise_port": chosen[f"gossip-{number}"],
        "node_name": str(number),
        "join_members": [f"{ports.HOST}:{port}" for name, port in chosen.items() if name.startswith("gossip")],
    }

    def store(name: str) -> JsonObject:
        return {"backend": "filesystem", "filesystem": {"dir": str(folder / name)}}

    return {
        "target": "all",
        "auth_enabled": True,
        "server": {
            "http_listen_address": ports.HOST,
            "http_listen_port": http,
            "grpc_listen_address": ports.HOST,
            "grpc_listen_port": grpc,
        },
        **({"memberlist": gossip} if shared else {}),
        "distributor": {"ring": ring},
        "ingester": {
            "lifecycler": {
                **{"address": ports.HOST, "id": str(number), "min_ready_duration": "0s", "final_sleep": "0s"},
                "ring": {**memory, "replication_factor": 1},
            }
        },
        "frontend_worker": {"match_max_concurrent": True},
        "blocks_storage": {
            **store("blocks"),
            "tsdb": {"dir": str(own / "tsdb")},
            "bucket_store": {"sync_dir": str(own / "tsdb-sync")},
        },
        "compactor": {"data_dir": str(own / "compactor"), "sharding_ring": ring},
        "store_gateway": {"sharding_ring": ring},
        "ruler": {
            **{"enable_api": True, "poll_interval": "1s", "enable_sharding": shared, "ring": divided},
            "rule_path": str(own / "rules-read"),
            "alertmanager_url": f"http://{ports.HOST}:{http}/alertmanager",
        },
        "ruler_storage": store("rules"),
        "alertmanager": {
            **{"enable_api": True, "poll_interval": "1s", "data_dir": str(own / "alertmanager-data")},
            "external_url": f"http://{ports.HOST}:{http}/alertmanager",
            "sharding_enabled": shared,
            "sharding_ring": {**divided, "replication_factor": 3},
            "cluster": {"listen_address": ""},
        },
        "alertmanager_storage": store("alertmanagers"),
    }
