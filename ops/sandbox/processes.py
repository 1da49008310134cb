"""Children that outlive us: each in a session of its own, found again by a record on disk, stopped without remains.

A record (`run/NAME.json`) holds the process id and the moment when that process started, so that a pid which the system
has given to somebody else meanwhile is never signalled. It is written before anything is waited for: whatever happens
later, `stop` finds every child.
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

# A line of a log that says why a program gave up, as Prometheus, Alertmanager, etcd and Python write them.
_TELLING = re.compile(r"level=(error|fatal)|\"level\":\"(error|fatal)\"|\bFATAL\b|panic:|^\w*(Error|Exception)\b", re.I)


@dataclass(frozen=True)
class Child:
    """A process of ours. `started` is the mark that `_identity` gave it (compared, never read)."""

    name: str
    pid: int
    started: str
    log: str

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return self.started != "" and _identity(self.pid) == self.started


def start(
    run: Path,
    name: str,
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Child:
    """Start `command` in a session of its own; its words go to `run`/NAME.log, the record to `run`/NAME.json."""
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
    process.returncode = 0  # never waited for through this object: `_identity` reaps it, whoever asks
    child = Child(name, process.pid, _identity(process.pid), str(log))
    fresh = run / f".{name}.new"
    fresh.write_text(json.dumps(asdict(child)), encoding="utf-8")
    fresh.replace(run / f"{name}.json")  # whole, whoever reads it just now
    return child


def recorded(run: Path) -> dict[str, Child]:
    """Every child on record below `run`, alive or not, by name."""
    children = {}
    for file in sorted(run.glob("*.json")):
        try:
            children[file.stem] = Child(**json.loads(file.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise SandboxError(f"{file} is not a record of a process ({error}); delete the folder {run}") from error
    return children


def wait_ready(child: Child, ready: Callable[[], bool], *, seconds: float, ports: Collection[int] = ()) -> None:
    """Wait until `ready()`, and it is the child itself that listens on `ports`.

    Another program may have taken a port meanwhile, and answer there as ready. If the child dies or is late, raises
    PortTaken or SandboxError with its log's name and most telling line.
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
    """Stop the children on record (all, or those named), with their own children; returns the names that were alive.

    `keep_record`: leave them on record, as children that have ended.

    SIGTERM to all first, SIGKILL to those that have not gone after `grace` seconds. Only what is ours is signalled.
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
    """The line of the child's log that tells most: its last error, else simply its last line."""
    try:
        with Path(child.log).open("rb") as log:
            log.seek(max(0, os.fstat(log.fileno()).st_size - 20_000))
            lines = log.read().decode("utf-8", "replace").splitlines()
    except OSError as error:
        return f"its log cannot be read ({error.strerror})"
    lines = [line.strip() for line in lines if line.strip()]
    if not lines:
        return "it said nothing"
    telling = next((line for line in reversed(lines) if _TELLING.search(line)), lines[-1])
    return telling if len(telling) <= 400 else f"{telling[:400]}…"


def _signal(child: Child, number: signal.Signals) -> None:
    """Signal the child's whole group; it leads one, as it was started in a session of its own."""
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        return
    except PermissionError:  # macOS says so of a group whose only member is a zombie
        return


def _wait_ended(children: Sequence[Child], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while any(child.alive for child in children):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _listens(child: Child) -> set[int]:
    """The ports on which the child takes connections."""
    try:
        found = psutil.Process(child.pid).net_connections("tcp")
    except psutil.Error:
        return set()
    return {one.laddr.port for one in found if one.status == psutil.CONN_LISTEN}


def _identity(pid: int) -> str:
    """A mark of this very process; empty if there is no such process, or it is a zombie. Reaps ours.

    psutil's identity: the pid, and when it began by a clock that nobody can set, as that of `create_time()` can be. The
    hash of these two numbers is the same in every run of Python.
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
