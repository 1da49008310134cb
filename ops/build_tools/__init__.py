"""The Go programs that the sandbox, the tests and the checks run: installed, or built once.

    path("promtool")             ->  the program: on PATH and new enough, or built before, or built now
    ensure(["etcd", "pulumi"])   ->  the same for several, which are built at the same time
    find("amtool")               ->  the program where it need not be built, else None

`python -m ops.build_tools [NAME …]` provides those named, or all that a sandbox needs, and prints their paths.
"""

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import cache
from pathlib import Path
from time import monotonic

from ops.build_tools import build as _build
from ops.build_tools.build import Progress, ToolError, dotted, pinned
from ops.build_tools.catalog import CLUSTER, E2E, ENGINE, NODE, SERVERS, TOOLS, Tool, Version

__all__ = ["CLUSTER", "E2E", "ENGINE", "NODE", "SERVERS", "TOOLS", "Progress", "Tool", "ToolError"]
__all__ += ["bring", "built", "dotted", "find", "get", "installed", "path", "pinned", "run_version"]

PARALLEL_BUILDS = 2  # builds at a time; compiling uses all processors, but linking and downloading only one
SIDE_BY_SIDE = 0.9  # what two builds at a time take, of what they take one after the other
PROGRESS_INTERVAL = 30.0  # seconds between two lines of progress


def get(name: str) -> Tool:
    """The tool of that name. Raises ToolError where there is none."""
    if name not in TOOLS:
        raise ToolError(f"there is no tool {name!r}; known are {', '.join(sorted(TOOLS))}")
    return TOOLS[name]


def find(name: str) -> Path | None:
    """The absolute path of a tool that is installed or was built; None where it has to be built."""
    return (None if get(name).only_built else installed(name)) or built(name)


def built(name: str) -> Path | None:
    """The program that was built on this machine from the present pins; None where there is none."""
    return _build.built(get(name))


def installed(name: str) -> Path | None:
    """The installed program where it is new enough: in the assets folder, else on PATH. None where there is none."""
    tool = get(name)
    folders = (os.environ.get(tool.assets) if tool.assets else None, os.environ.get("PATH", os.defpath))
    for folder in filter(None, folders):
        program = shutil.which(name, path=folder)
        version = run_version(Path(program), tool.version_command) if program else None
        if program and version is not None and version >= tool.minimum:
            return Path(program).absolute()
    return None


def path(name: str, progress: Progress = lambda line: None) -> Path:
    """The absolute path of a tool that runs; built where needed; `progress` gets lines of progress.

    Raises ToolError if there is no such tool, no Go toolchain to build it with, or the build fails.
    """
    return ensure([name], progress)[name]


def ensure(names: Sequence[str], progress: Progress = lambda line: None) -> dict[str, Path]:
    """The paths of several tools, in the order of `names`; missing ones are built, those that take longest first.

    Raises ToolError as `path` does; after an error or an interrupt all builds are stopped.
    """
    found = {name: find(name) for name in dict.fromkeys(names)}
    missing = sorted((get(name) for name, at in found.items() if at is None), key=lambda tool: -tool.seconds)
    if missing:
        _build.toolchain(missing[0])  # before anything is announced
        _announce(missing, progress)
        found |= _build_all(missing, progress)
    return {name: at for name, at in found.items() if at is not None}


def run_version(program: Path, command: str) -> Version | None:
    """The version that a program prints; None where it does not run or prints none."""
    return _version_of(str(program), program.stat().st_mtime, command)


def _announce(missing: Sequence[Tool], progress: Progress) -> None:
    if len(missing) > 1:
        progress(
            f"{len(missing)} tools have to be built from source with Go, once on this machine (kept in "
            f"{_build.cache()}): {_minutes(sum(tool.seconds for tool in missing) * SIDE_BY_SIDE)} on two processors"
        )


def time_left(missing: Sequence[Tool], under_way: Mapping[str, float]) -> str:
    """How long the builds of `missing` still take, in words; `under_way`: for how many seconds each of them has run."""
    left = [tool.seconds - under_way.get(tool.name, 0.0) for tool in missing]
    if all(seconds <= 0 for seconds in left):
        return "longer than usual on two processors"
    return f"{_minutes(sum(max(seconds, 0.0) for seconds in left) * SIDE_BY_SIDE)} left on two processors"


def _minutes(seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    return f"about {minutes} minute{'s' if minutes > 1 else ''}"


def _build_all(missing: Sequence[Tool], progress: Progress) -> dict[str, Path]:
    """Build several tools at the same time, with progress when one begins and ends, and every 30 s."""
    stop = threading.Event()
    begun: dict[str, float] = {}
    done: dict[str, Path] = {}
    count = len(missing)

    def one(number: int, tool: Tool) -> Path:
        begun[tool.name] = monotonic()
        which = f"{number} of {count}: " if count > 1 else ""
        progress(
            f"{which}{tool.name}: building {_build.version_of(tool)} from source with Go, "
            f"usually {_usual_duration(tool)}"
        )
        program = _build.build(tool, progress, stop)
        progress(f"{which}{tool.name}: built in {monotonic() - begun.pop(tool.name):.0f} s")
        return program

    with ThreadPoolExecutor(PARALLEL_BUILDS) as pool:
        waiting: dict[Future[Path], Tool] = {}
        try:  # an interrupt may come as soon as the first one has begun
            for number, tool in enumerate(missing, 1):
                waiting[pool.submit(one, number, tool)] = tool
            while waiting:
                ended, _ = wait(waiting, timeout=PROGRESS_INTERVAL, return_when=FIRST_COMPLETED)
                for future in ended:
                    done[waiting.pop(future).name] = future.result()
                if not ended:
                    under_way = {name: monotonic() - since for name, since in list(begun.items())}
                    shown = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in under_way.items())
                    left = time_left([tool for tool in missing if tool.name not in done], under_way)
                    progress(f"still building, {len(done)} of {count} done, {left}: {shown}")
        except BaseException:
            stop.set()
            for future in waiting:
                future.cancel()
            raise
    return done


def _usual_duration(tool: Tool) -> str:
    return f"{tool.seconds} s" if tool.seconds < 90 else f"{round(tool.seconds / 60)} minutes"


@cache
def _version_of(program: str, _changed: float, command: str) -> Version | None:
    """`_changed`: the program's mtime, so that the cache is not used for a replaced program."""
    try:
        done = subprocess.run([program, command], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    said = done.stdout + done.stderr
    found = re.search(r"(?:version|Version:|Kubernetes|^)\s*v?(\d+)\.(\d+)\.(\d+)", said, re.MULTILINE)
    return tuple(int(part) for part in found.groups()) if found else None
