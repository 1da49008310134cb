"""A real Cortex: one process with all of its parts, and what it stores in a folder. Its tenants are whoever asks."""

import subprocess
from collections.abc import Iterator
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
    """Where it is, and its APIs as a tenant's."""

    url: str

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
def cortex(folder: Path) -> Iterator[Cortex]:
    """One that is ready; stopped at exit. AssertionError with its own words where it ends before that."""
    program, chosen = required(), ports.choose(["http", "grpc"], {})
    file, log = folder / "cortex.yml", folder / "cortex.log"
    file.write_text(yaml.safe_dump(_config(folder, **chosen)), "utf-8")
    with log.open("wb") as words:
        process = subprocess.Popen([str(program), f"-config.file={file}"], cwd=folder, stdout=words, stderr=words)
    url = f"http://{ports.HOST}:{chosen['http']}"
    try:
        with Http(url, name="Cortex") as http:

            def ready() -> bool:
                assert process.poll() is None, log.read_text("utf-8", errors="replace")[-4000:]
                return http.get("/ready").is_success

            until(ready, lambda: f"Cortex did not get ready: {log.read_text('utf-8', errors='replace')[-2000:]}")
        yield Cortex(url)
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE / 4)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(PATIENCE)


def _config(folder: Path, http: int, grpc: int) -> JsonObject:
    """Everything in one process, rings in its memory, and a look at what is stored each second."""
    ring: JsonObject = {"kvstore": {"store": "inmemory"}, "instance_addr": ports.HOST}

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
        "distributor": {"ring": ring},
        "ingester": {
            "lifecycler": {
                "address": ports.HOST,
                "min_ready_duration": "0s",
                "final_sleep": "0s",
                "ring": {"kvstore": {"store": "inmemory"}, "replication_factor": 1},
            }
        },
        "frontend_worker": {"match_max_concurrent": True},
        "blocks_storage": {
            **store("blocks"),
            "tsdb": {"dir": str(folder / "tsdb")},
            "bucket_store": {"sync_dir": str(folder / "tsdb-sync")},
        },
        "compactor": {"data_dir": str(folder / "compactor"), "sharding_ring": ring},
        "store_gateway": {"sharding_ring": ring},
        "ruler": {
            "enable_api": True,
            "poll_interval": "1s",
            "rule_path": str(folder / "rules-read"),
            "alertmanager_url": f"http://{ports.HOST}:{http}/alertmanager",
            "ring": ring,
        },
        "ruler_storage": store("rules"),
        "alertmanager": {
            "enable_api": True,
            "poll_interval": "1s",
            "data_dir": str(folder / "alertmanager-data"),
            "external_url": f"http://{ports.HOST}:{http}/alertmanager",
            "sharding_ring": ring,
            "cluster": {"listen_address": ""},
        },
        "alertmanager_storage": store("alertmanagers"),
    }
