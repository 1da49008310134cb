"""Processes that run on after this program ends: each in a session of its own, with a record on disk.

A record (`run/NAME.json`) has the process id and an identity of the process, so that another process with the same pid
is never signalled. It is written right after the start, so that `stop` finds every child.
"""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from ops.sandbox.sandbox_errors import PortTaken, SandboxError

GRACE = 8.0  # seconds between SIGTERM and SIGKILL

_ENDED = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)  # and not yet waited for by its parent

# A line of a log that says why a program ended, as Prometheus, Alertmanager, etcd and Python write them.
_TELLING = re.compile(r"level=(error|fatal)|\"level\":\"(error|fatal)\"|\bFATAL\b|panic:|^\w*(Error|Exception)\b", re.I)


@dataclass(frozen=True)
class Child:
    """A process of ours. `started`: its identity by `_identity`."""

    name: str
    pid: int
    started: str
    log: str

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.started != "" and _identity(self.pid) == self.started


def start(
    run: Path,
    name: str,
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Child:
    """Start `command` in a session of its own; its output goes to `run`/NAME.log, the record to `run`/NAME.json.

    Raises SandboxError where it cannot be started.
    """
    run.mkdir(parents=True, exist_ok=True)
    log = run / f"{name}.log"
    with log.open("wb") as words:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=subprocess.STDOUT,
                env=dict(environment) if environment is not None else None,
                cwd=folder,
                start_new_session=True,
            )
        except OSError as error:
            raise SandboxError(f"{name} could not be started: {command[0]}: {error.strerror}") from error
    process.returncode = 0  # stops Popen from warning: `_identity` waits for the process
    child = Child(name, process.pid, _identity(process.pid), str(log))
    fresh = run / f".{name}.new"
    fresh.write_text(json.dumps(asdict(child)), encoding="utf-8")
    fresh.replace(run / f"{name}.json")  # at once, as others may read it
    return child


def recorded(run: Path) -> dict[str, Child]:
    """Every child with a record in `run`, by name, running or not. Raises SandboxError for a damaged record."""
    children = {}
    for file in sorted(run.glob("*.json")):
        try:
            children[file.stem] = Child(**json.loads(file.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise SandboxError(f"{file} is damaged ({error}); delete the folder {run}") from error
    return children


def wait_ready(child: Child, ready: Callable[[], bool], *, seconds: float, ports: Collection[int] = ()) -> None:
    """Wait until `ready()` and until the child itself listens on `ports`: another program may have taken one.

    Raises PortTaken or SandboxError, with a line of its log, where it ends or is not ready within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not (ready() and {*ports} <= _listens(child)):
        if not child.alive:
            said = telling_line(child)
            error = PortTaken if "address already in use" in said.lower() else SandboxError
            raise error(f"{child.name} ended right after its start: {said} (all of it in {child.log})")
        if time.monotonic() > deadline:
            said = telling_line(child)
            raise SandboxError(f"{child.name} is not ready after {seconds:.0f} s: {said} (all of it in {child.log})")
        time.sleep(0.05)


def stop(
    run: Path, names: Sequence[str] | None = None, *, grace: float = GRACE, keep_record: bool = False
) -> list[str]:
    """Stop the children (all, or those named) and their own children; returns the names of those that were running.

    They get SIGTERM, and SIGKILL after `grace` seconds. `keep_record`: do not delete their records. Raises SandboxError
    where one does not end.
    """
    children = [child for name, child in recorded(run).items() if names is None or name in names]
    alive = [child for child in children if child.alive]
    for child in alive:
        _signal(child, signal.SIGTERM)
    if not _wait_ended(alive, grace):
        for child in alive:
            if child.alive:
                _signal(child, signal.SIGKILL)
        if not _wait_ended(alive, GRACE):
            left = ", ".join(f"{child.name} (pid {child.pid})" for child in alive if child.alive)
            raise SandboxError(f"{left} did not end, not even by SIGKILL; look at it with `ps -o pid,stat,wchan,cmd`")
    for child in () if keep_record else children:
        (run / f"{child.name}.json").unlink(missing_ok=True)
    return [child.name for child in alive]


def telling_line(child: Child) -> str:
    """The last error in the child's log, else its last line."""
    try:
        with Path(child.log).open("rb") as log:
            log.seek(max(0, os.fstat(log.fileno()).st_size - 20_000))
            lines = log.read().decode("utf-8", "replace").splitlines()
    except OSError as error:
        return f"its log cannot be read ({error.strerror})"
    lines = [line.strip() for line in lines if line.strip()]
    if not lines:
        return "its log is empty"
    telling = next((line for line in reversed(lines) if _TELLING.search(line)), lines[-1])
    return telling if len(telling) <= 400 else f"{telling[:400]}…"


def _signal(child: Child, number: signal.Signals) -> None:
    """Signal the child's process group, which has its own children too."""
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        return
    except PermissionError:  # macOS, for a group whose only member is a zombie
        return


def _wait_ended(children: Sequence[Child], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while any(child.alive for child in children):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _listens(child: Child) -> set[int]:
    """The TCP ports on which the child listens."""
    try:
        found = psutil.Process(child.pid).net_connections("tcp")
    except psutil.Error:
        return set()
    return {one.laddr.port for one in found if one.status == psutil.CONN_LISTEN}


def _identity(pid: int) -> str:
    """An identity of this process; empty where there is none, or a zombie. It waits for ended children of ours.

    It is psutil's: the pid and the start by a clock that cannot be set, other than that of `create_time()`. The hash of
    these two numbers is the same in every run of Python.
    """
    try:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return ""
    except ChildProcessError:
        pass  # not a child of this process: started by another run of the program
    try:
        process = psutil.Process(pid)
        return "" if process.status() in _ENDED else str(hash(process))
    except psutil.NoSuchProcess:
        return ""
