"""The Go tools that the sandbox and the tests run: from PATH where new enough, else built from `tools/*/go.mod`.

    path("promtool")  ->  /usr/bin/promtool          on PATH, and not older than needed
                      ->  .tools/bin/promtool        built before from the very go.mod and go.sum that stand there now
                      ->  .tools/bin/promtool        built now; takes minutes once, and says so

`python -m ops.sandbox.tools [NAME …]` brings all of them, or those named, and prints where they are.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from ops.errors import OpsError

ROOT = Path(__file__).resolve().parents[3]
MODULES = ROOT / "tools"
BUILT = ROOT / ".tools"

Progress = Callable[[str], None]
Version = tuple[int, ...]


class ToolError(OpsError):
    """A tool is neither on PATH nor can it be built."""


@dataclass(frozen=True)
class Tool:
    """One program of one pinned Go module; `minimum` is the oldest version on PATH that serves."""

    name: str
    folder: str
    package: str
    minimum: Version
    minutes: str
    tags: str = ""
    version_variable: str = ""
    defines: tuple[str, ...] = field(default=())

    @property
    def module(self) -> Path:
        return MODULES / self.folder


# Of Prometheus' service discoveries those for clouds stay out: nothing here asks a cloud, and they are a sixth of what
# is compiled. Kubernetes and DNS stay in: a hand-made prometheus.yml often has them, and promtool must read it.
_DISCOVERIES = "remove_all_sd,enable_kubernetes_sd,enable_dns_sd"
_COMMON_VERSION = "github.com/prometheus/common/version.Version"

TOOLS = {
    tool.name: tool
    for tool in (
        Tool(
            name="alertmanager",
            folder="alertmanager",
            package="github.com/prometheus/alertmanager/cmd/alertmanager",
            minimum=(0, 28, 0),
            minutes="1 to 2 minutes",
            version_variable=_COMMON_VERSION,
        ),
        Tool(
            name="amtool",
            folder="alertmanager",
            package="github.com/prometheus/alertmanager/cmd/amtool",
            minimum=(0, 28, 0),
            minutes="half a minute",
            version_variable=_COMMON_VERSION,
        ),
        # From 3.9 promtool's unit tests start at a chosen weekday (`start_timestamp`), and Prometheus finds backfilled
        # blocks without a minute's wait (`--storage.tsdb.block-reload-interval`).
        Tool(
            name="promtool",
            folder="prometheus",
            package="github.com/prometheus/prometheus/cmd/promtool",
            minimum=(3, 9, 0),
            minutes="4 to 8 minutes",
            tags=_DISCOVERIES,
            version_variable=_COMMON_VERSION,
        ),
        Tool(
            name="prometheus",
            folder="prometheus",
            package="github.com/prometheus/prometheus/cmd/prometheus",
            minimum=(3, 9, 0),
            minutes="1 to 8 minutes",
            tags=_DISCOVERIES,
            version_variable=_COMMON_VERSION,
        ),
        # The Kubernetes API of a sandbox with a Pulumi engine. Versions are those that the tests were run on, or older.
        Tool(
            name="etcd",
            folder="etcd",
            package="go.etcd.io/etcd/server/v3",
            minimum=(3, 4, 23),
            minutes="a minute",
        ),
        Tool(
            name="kube-apiserver",
            folder="kubernetes",
            package="k8s.io/kubernetes/cmd/kube-apiserver",
            minimum=(1, 33, 0),
            minutes="6 to 10 minutes",
            defines=("k8s.io/component-base/version.gitVersion=v1.37.2",),  # as in its go.mod
        ),
        # For tests of the operator modes alone. Its CRDs are those of its module: nothing older than what was tested.
        Tool(
            name="prometheus-operator",
            folder="operator",
            package="github.com/prometheus-operator/prometheus-operator/cmd/operator",
            minimum=(0, 85, 0),
            minutes="2 to 4 minutes",
            version_variable=_COMMON_VERSION,
        ),
    )
}

# What `make tools` brings when none is named: what a sandbox without a Pulumi engine needs.
DEFAULT = ("alertmanager", "amtool", "promtool", "prometheus")

# What a sandbox with a Pulumi engine needs besides.
CLUSTER = ("etcd", "kube-apiserver")


def path(name: str, progress: Progress = lambda line: None) -> Path:
    """The absolute path of a tool that runs; builds it if need be, telling `progress` what it does, line by line.

    Raises ToolError if there is no such tool, no Go toolchain to build it with, or the build fails.
    """
    tool = TOOLS.get(name)
    if tool is None:
        raise ToolError(f"there is no tool {name!r}; known are {', '.join(sorted(TOOLS))}.")
    return _on_path(tool) or _built(tool) or _build(tool, progress)


def available(name: str) -> bool:
    """Whether `path(name)` would answer at once."""
    tool = TOOLS.get(name)
    return tool is not None and (_on_path(tool) or _built(tool)) is not None


def pinned(tool: Tool) -> Version:
    """The version that the tool's go.mod pins, as its releases are numbered: module v0.311.3 is Prometheus 3.11.3."""
    text = (tool.module / "go.mod").read_text(encoding="utf-8")
    found = [
        (module, version)
        for module, version in re.findall(r"^\s*(?:require\s+)?(\S+) v(\d+\.\d+\.\d+)\S*", text, re.MULTILINE)
        if f"{tool.package}/".startswith(f"{module}/")
    ]
    if not found:
        raise ToolError(f"{tool.module / 'go.mod'} requires no module that holds {tool.package}; add one.")
    _, version = max(found, key=lambda pair: len(pair[0]))
    major, minor, patch = (int(part) for part in version.split("."))
    return (minor // 100, minor % 100, patch) if major == 0 and minor >= 100 else (major, minor, patch)


def dotted(version: Version) -> str:
    return ".".join(str(part) for part in version)


@cache
def _version_of(program: str, changed: float) -> Version | None:
    """What `program --version` says of itself, or None; `changed` (its mtime) keeps the cache honest."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"(?:version|Version:|Kubernetes v)\s*v?(\d+)\.(\d+)\.(\d+)", done.stdout + done.stderr)
    return tuple(int(part) for part in found.groups()) if found else None


def _on_path(tool: Tool) -> Path | None:
    program = shutil.which(tool.name)
    if program is None:
        return None
    version = _version_of(program, Path(program).stat().st_mtime)
    return Path(program).absolute() if version is not None and version >= tool.minimum else None


def _recipe(tool: Tool) -> str:
    """A hash of all that decides what is built."""
    digest = hashlib.sha256(repr((tool.package, tool.tags, tool.defines)).encode())
    for name in ("go.mod", "go.sum"):
        file = tool.module / name
        if not file.is_file():
            raise ToolError(f"{tool.name} cannot be built, as {file} is missing: bring it back with `git checkout`.")
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _built(tool: Tool) -> Path | None:
    program, stamp = BUILT / "bin" / tool.name, BUILT / "bin" / f".{tool.name}.stamp"
    current = program.is_file() and stamp.is_file() and stamp.read_text(encoding="utf-8") == _recipe(tool)
    return program if current else None


@contextmanager
def _alone(tool: Tool, progress: Progress) -> Iterator[None]:
    """One build of a module at a time, whoever asks; a second one waits, and says so."""
    BUILT.mkdir(exist_ok=True)
    with (BUILT / f".{tool.folder}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(f"{tool.name}: another build from tools/{tool.folder} is under way; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(tool: Tool, progress: Progress) -> Path:
    go = shutil.which("go")
    if go is None:
        raise ToolError(
            f"{tool.name} {dotted(tool.minimum)} or newer is not on PATH, and there is no Go toolchain to build it: "
            f"install one of the two (Go: https://go.dev/doc/install)."
        )
    with _alone(tool, progress):
        done = _built(tool)
        if done is not None:
            return done
        version = dotted(pinned(tool))
        progress(f"{tool.name}: building {version} from source with Go, about {tool.minutes} the first time")
        started = time.monotonic()
        program = BUILT / "bin" / tool.name
        program.parent.mkdir(parents=True, exist_ok=True)
        fresh = program.with_name(f".{tool.name}.new")
        defines = [f"-X {text}" for text in (f"{tool.version_variable}={version}", *tool.defines) if text[0] != "="]
        log = BUILT / f"{tool.name}.build.log"
        command = [go, "build", "-trimpath", "-ldflags", " ".join(["-s", "-w", *defines]), "-o", str(fresh)]
        command += ["-tags", tool.tags] if tool.tags else []
        _watch([*command, tool.package], tool, log, progress)
        fresh.replace(program)
        program.with_name(f".{tool.name}.stamp").write_text(_recipe(tool), encoding="utf-8")
        progress(f"{tool.name}: built in {time.monotonic() - started:.0f} s")
        return program


def _watch(command: list[str], tool: Tool, log: Path, progress: Progress) -> None:
    """Run a build to its end, with a sign of life every half minute; its words go to `log`."""
    environment = os.environ | {"CGO_ENABLED": "0", "GOWORK": "off"}  # no C compiler needed
    started = time.monotonic()
    with log.open("wb") as words:
        build = subprocess.Popen(command, cwd=tool.module, env=environment, stdout=words, stderr=words)
        try:
            while True:
                try:
                    status = build.wait(timeout=30)
                    break
                except subprocess.TimeoutExpired:
                    progress(f"{tool.name}: still building, {time.monotonic() - started:.0f} s so far")
        finally:
            if build.poll() is None:
                build.terminate()
                build.wait()
    if status != 0:
        lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        said = lines[-1].strip() if lines else "it said nothing"
        raise ToolError(f"{tool.name} could not be built from tools/{tool.folder}: {said} (all of it in {log}).")
