"""The servers of many versions, each built from its own Go module into the machine's cache.

A module's folder is copied, what it lacks is added, and the server is built there, with the module's own go.mod and
go.sum: they pin all that it needs, and its own checksum stands in tools/compat.yml.
"""

import hashlib
import json
import platform
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import yaml

from formats.versions import number
from ops import build_tools
from ops.build_tools import ToolError, build
from ops.build_tools.build import cache, copy_module, dotted, pinned
from ops.build_tools.catalog import MODULES

PINS = MODULES / "compat.yml"
TAGS = "remove_all_sd,enable_kubernetes_sd,enable_dns_sd"  # no service discovery of clouds, as in tools/

# Before these tags there was one file with every service discovery.
_FEW_DISCOVERIES = """\
package plugins

import (
	_ "github.com/prometheus/prometheus/discovery/dns"
	_ "github.com/prometheus/prometheus/discovery/kubernetes"
)
"""
_NO_PAGE = "<!doctype html><title>Alertmanager</title>\n"  # its web pages are not part of its module


@dataclass(frozen=True)
class Server:
    """A version of a server: its Go module, the module's version and checksum."""

    name: str
    version: str
    module: str
    module_version: str
    sum: str

    @property
    def files(self) -> Mapping[str, str]:
        """What is written into the copy of the module: path → text."""
        if self.name == "prometheus" and (number(self.version) or (0, 0)) < (3, 6):
            return {"plugins/plugins.go": _FEW_DISCOVERIES}
        if self.name == "alertmanager" and (number(self.version) or (0, 0)) >= (0, 32):
            return {f"ui/app/dist/{pages}/index.html": _NO_PAGE for pages in ("elm", "mantine")}
        return {}

    @property
    def folder(self) -> Path:
        """Where it is built: named by all that decides what is built."""
        parts = (platform.system(), platform.machine(), self.module, self.sum, TAGS, sorted(self.files.items()))
        recipe = hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
        return cache() / f"{self.name}-{self.version}-{recipe}"


def servers() -> list[Server]:
    """Every server that is pinned, in the order of tools/compat.yml."""
    found = []
    for name, pins in yaml.safe_load(PINS.read_text("utf-8")).items():
        for version, pin in pins["versions"].items():
            found.append(Server(name, str(version), pins["module"], *pin.split()))
    return found


def usual() -> dict[str, str]:
    """Server → the version that is pinned in tools/ for everything else."""
    return {name: dotted(pinned(build_tools.get(name))) for name in ("prometheus", "alertmanager")}


def path(server: Server, say: Callable[[str], None]) -> Path:
    """The program; it is built where it is not in the cache. Raises ToolError."""
    program = server.folder / "bin" / server.name
    if program.is_file():
        return program
    title = f"{server.name} {server.version}"
    go = build.go_command(f"{title} is not built yet", "install it")
    with build.alone(f"{server.name}-{server.version}", f"{title}: somebody else on this machine builds it", say):
        if not program.is_file():
            say(f"{title}: building from source with Go, up to 6 minutes once")
            started = monotonic()
            _build(go, server)
            say(f"{title}: built in {monotonic() - started:.0f} s")
    return program


def _build(go: str, server: Server) -> None:
    with tempfile.TemporaryDirectory(prefix=f".{server.name}-", dir=cache()) as scratch:
        copy = Path(scratch, "module")
        copy_module(_downloaded(go, server), copy, lambda _: server.files)
        fresh = Path(scratch, "done")
        flags = f"-s -w -X github.com/prometheus/common/version.Version={server.version}"
        command = [go, "build", "-trimpath", "-buildvcs=false", "-tags", TAGS, "-ldflags", flags]
        _run(server, [*command, "-o", str(fresh / "bin" / server.name), f"./cmd/{server.name}"], copy)
        fresh.replace(server.folder)


def _downloaded(go: str, server: Server) -> Path:
    """The module's folder in Go's cache; raises ToolError where it is not the one that is pinned."""
    done = _run(server, [go, "mod", "download", "-json", f"{server.module}@{server.module_version}"], cache())
    found = json.loads(done)
    if found["Sum"] != server.sum:
        raise ToolError(
            f"{server.module}@{server.module_version} has the checksum {found['Sum']} and not {server.sum}, which is "
            f"pinned in tools/{PINS.name}: it is another one than was tried."
        )
    return Path(found["Dir"])


def _run(server: Server, command: list[str], folder: Path) -> str:
    return build.run_go(command, folder, f"{server.name} {server.version} could not be built")
