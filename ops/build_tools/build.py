"""Builds a tool from its pinned Go module into this machine's cache, once for all checkouts.

The cache is `$XDG_CACHE_HOME/api-monitoring/tools` (`~/.cache/…` where that is not set). Each build has a folder named
by its recipe, a hash of all that decides what is built: a clone with the same files uses it, and other pins do not
overwrite it.
"""

import fcntl
import hashlib
import inspect
import os
import platform
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import IO

from ops.build_tools.catalog import AddedFiles, Tool, Version
from ops.errors import OpsError

Progress = Callable[[str], None]

UNUSED = 30 * 86400.0  # seconds after which an unused build is deleted


class ToolError(OpsError):
    """A tool is neither on PATH nor can it be built."""


class Stopped(ToolError):
    """A build was stopped, as another one failed or it was interrupted."""


def cache() -> Path:
    """The folder of all builds on this machine; it may not exist."""
    usual = Path.home() / ".cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or usual) / "api-monitoring" / "tools"


def pinned(tool: Tool) -> Version:
    """The version that the tool's go.mod pins, as its releases are numbered: module v0.311.3 is Prometheus 3.11.3."""
    text = (tool.module / "go.mod").read_text(encoding="utf-8")
    found = [
        (module, version)
        for module, version in re.findall(r"^\s*(?:require\s+)?(\S+) v(\d+\.\d+\.\d+)\S*", text, re.MULTILINE)
        if f"{tool.package}/".startswith(f"{module}/")
    ]
    if not found:
        raise ToolError(f"{tool.module / 'go.mod'} requires no module that holds {tool.package}; add one")
    _, version = max(found, key=lambda pair: len(pair[0]))
    major, minor, patch = (int(part) for part in version.split("."))
    return (minor // 100, minor % 100, patch) if major == 0 and minor >= 100 else (major, minor, patch)


def dotted(version: Version) -> str:
    """`(3, 5, 0)` as `3.5.0`."""
    return ".".join(str(part) for part in version)


def version_of(tool: Tool) -> str:
    """The version that a build prints."""
    return tool.version or dotted(pinned(tool))


def recipe(tool: Tool) -> str:
    """A hash of all that decides what is built. Raises ToolError where a file of the module is missing."""
    machine = (platform.system(), platform.machine())
    made = inspect.getsource(tool.added_files.files) if tool.added_files else ""
    beside = tuple(astuple(script) for script in tool.companions)  # values alone: a name in our code changes no build
    parts = (machine, tool.package, tool.tags, tool.version_variable, tool.version, beside, made)
    digest = hashlib.sha256(repr(parts).encode())
    folders = dict.fromkeys((tool.module, *(script.pins for script in tool.companions)))
    for file in (folder / name for folder in folders for name in ("go.mod", "go.sum")):
        if not file.is_file():
            raise ToolError(f"{tool.name} cannot be built, as {file} is missing: bring it back with `git checkout`")
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def built(tool: Tool) -> Path | None:
    """The program that was built by this recipe; None where it was not."""
    program = _folder(tool) / "bin" / tool.name
    return program if program.is_file() else None


def toolchain(tool: Tool) -> str:
    """The `go` on PATH. Raises ToolError where there is none."""
    return go_command(f"{tool.name} {dotted(tool.minimum)} or newer is not on PATH", "install one of the two")


def go_command(missing: str, remedy: str) -> str:
    """The `go` on PATH. Raises ToolError where there is none; `missing` and `remedy` are parts of its message."""
    if go := shutil.which("go"):
        return go
    raise ToolError(f"{missing}, and there is no Go toolchain to build it: {remedy} (Go: https://go.dev/doc/install)")


def build(tool: Tool, progress: Progress, stop: threading.Event) -> Path:
    """Build a tool, or wait for another process that builds it; its folder appears when it is complete.

    Raises ToolError where there is no Go toolchain or the build fails, Stopped when `stop` is set meanwhile.
    """
    go = toolchain(tool)
    busy = f"{tool.name}: another process on this machine builds from tools/{tool.folder}"
    with alone(tool.folder, busy, progress, stop):
        if done := built(tool):
            return done
        folder = _folder(tool)
        _remove_unused(tool)
        with tempfile.TemporaryDirectory(prefix=f".{tool.name}-", dir=cache()) as scratch:
            fresh = Path(scratch, "done")
            (fresh / "bin").mkdir(parents=True)
            for script in tool.companions:
                copied = fresh / "bin" / Path(script.path).name
                shutil.copyfile(_module_folder(go, tool, script.pins, script.module) / script.path, copied)
                copied.chmod(0o755)
            command = [go, "build", "-trimpath", "-buildvcs=false", "-o", str(fresh / "bin" / tool.name)]
            command += ["-ldflags", f"-s -w {_version_flag(tool)}"]
            command += ["-tags", tool.tags] if tool.tags else []
            command += _add_files(go, tool, tool.added_files, Path(scratch)) if tool.added_files else []
            _run([*command, tool.package], tool, stop)
            shutil.rmtree(folder, ignore_errors=True)
            fresh.replace(folder)
    return folder / "bin" / tool.name


def _folder(tool: Tool) -> Path:
    return cache() / f"{tool.name}-{version_of(tool)}-{recipe(tool)}"


def _version_flag(tool: Tool) -> str:
    said = f"{tool.version_prefix}{version_of(tool)}"
    return f"-X {tool.version_variable}={said}" if tool.version_variable else ""


@contextmanager
def alone(name: str, busy: str, progress: Progress, stop: threading.Event | None = None) -> Iterator[None]:
    """Hold the lock of that name: one build at a time on this machine. A second one reports `busy` and waits.

    Raises Stopped when `stop` is set meanwhile.
    """
    stop = stop or threading.Event()
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / f".{name}.lock").open("w") as lock:
        if not _locked(lock):
            progress(f"{busy}; waiting for it")
            while not _locked(lock):
                if stop.wait(0.2):
                    raise Stopped(f"{name}: its build was stopped")
        yield


def _locked(lock: IO[str]) -> bool:
    """Take the lock if nobody has it; whether that was so."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _remove_unused(tool: Tool) -> None:
    """Delete builds of the same tool by other recipes that were not used for a month."""
    for folder in cache().glob(f"{tool.name}-*"):
        program = folder / "bin" / tool.name
        if program.is_file() and time.time() - max(program.stat().st_atime, program.stat().st_mtime) > UNUSED:
            shutil.rmtree(folder, ignore_errors=True)


def _module_folder(go: str, tool: Tool, pins: Path, module: str) -> Path:
    """The folder of a module in Go's cache; downloaded where it is missing, at the version in `pins`/go.mod."""
    run_go([go, "mod", "download", module], pins, _not_built(tool))
    return Path(run_go([go, "list", "-m", "-f", "{{.Dir}}", module], pins, _not_built(tool)).strip())


def run_go(command: list[str], folder: Path, complaint: str) -> str:
    """What a `go` command prints. Raises ToolError, `complaint` with the last line of its errors, where it fails."""
    done = subprocess.run(command, cwd=folder, env=_environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise _failed(complaint, done.stderr)
    return done.stdout


def _add_files(go: str, tool: Tool, added_files: AddedFiles, scratch: Path) -> list[str]:
    """Copy the module with the missing files added; returns the arguments with which Go uses the copy."""
    copy = scratch / "module"
    copy_module(_module_folder(go, tool, tool.module, added_files.module), copy, added_files.files)
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(tool.module / name, scratch / name)
    with (scratch / "go.mod").open("a", encoding="utf-8") as pins:
        pins.write(f"\nreplace {added_files.module} => {copy}\n")
    return [f"-modfile={scratch / 'go.mod'}"]


def copy_module(source: Path, copy: Path, files: Callable[[Path], Mapping[str, str]]) -> None:
    """Copy a module's folder out of Go's cache, which is read-only, and add `files(copy)`: path in it → text."""
    shutil.copytree(source, copy)
    for path in (copy, *copy.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)
    for name, text in files(copy).items():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text(text, encoding="utf-8")


def _environment() -> dict[str, str]:
    return os.environ | {"CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": "-mod=readonly"}  # no C compiler needed


def _run(command: list[str], tool: Tool, stop: threading.Event) -> None:
    """Run a build, or until `stop` is set. Its output goes to a log in the cache, which is kept where it fails."""
    log = cache() / f"{tool.name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=tool.module, env=_environment(), stdout=output, stderr=output)
        try:
            while process.poll() is None and not stop.wait(0.2):
                pass
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    # An interrupt reaches the build too, and it may end before the one who sets `stop` has got to it.
    if stop.is_set() or (process.returncode and stop.wait(1.0)):
        log.unlink(missing_ok=True)
        raise Stopped(f"{tool.name}: its build was stopped")
    if process.returncode != 0:
        raise _failed(_not_built(tool), log.read_text(encoding="utf-8", errors="replace"), f" (all of it in {log})")
    log.unlink()


def _not_built(tool: Tool) -> str:
    return f"{tool.name} could not be built from tools/{tool.folder}"


def _failed(complaint: str, output: str, where: str = "") -> ToolError:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    last = lines[-1] if lines else "Go gave no reason"
    return ToolError(f"{complaint}: {last}{where}")
