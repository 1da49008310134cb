"""Whatever ends a test process, what it has started ends too: also where no fixture was given the time for it.

A process of our own watches each test process (pytest itself, and each worker of pytest-xdist), by a pipe that closes
with it. What was started by then, and by that in turn, is known by a mark in its environment.
"""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from types import FrameType

import psutil

MARK = "STARTED_BY_TEST_PROCESS"
GRACE = 20.0  # seconds from SIGTERM to SIGKILL: a worker takes down its sandbox meanwhile


def end_with_this_process() -> None:
    """From now on what this process starts ends with it, whatever ends it; a SIGTERM has the fixtures finish first."""
    signal.signal(signal.SIGTERM, _finish)
    mark = f"{MARK}={os.getpid()}-{secrets.token_hex(8)}"
    closed_with_us, _open_as_long_as_we_are = os.pipe()
    subprocess.Popen(
        [sys.executable, __file__, mark],
        stdin=closed_with_us,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if name != MARK},
        start_new_session=True,  # a Ctrl-C is not for it
    ).returncode = 0  # it is never waited for
    os.close(closed_with_us)
    os.environ[MARK] = mark.partition("=")[2]


def _finish(_number: int, _frame: FrameType | None) -> None:
    """As a Ctrl-C would; a second SIGTERM does not disturb what that brings about."""
    signal.signal(signal.SIGTERM, lambda *_: None)
    raise KeyboardInterrupt("SIGTERM")


def marked(mark: str) -> list[psutil.Process]:
    """The processes that have `NAME=value` in their environment."""
    name, _, value = mark.partition("=")
    every = psutil.process_iter(["environ"])  # None: it has ended, or is another user's
    return [process for process in every if (process.info["environ"] or {}).get(name) == value]


def running(pid: int) -> bool:
    """Whether a process runs; one that has ended and is not yet waited for does not."""
    try:
        return psutil.Process(pid).status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.NoSuchProcess:
        return False


def end(mark: str) -> None:
    """End all that have the mark, politely first; what one of them starts meanwhile, too."""
    deadline = time.monotonic() + GRACE
    asked: set[psutil.Process] = set()
    while left := marked(mark):
        late = time.monotonic() > deadline
        for process in left:
            with contextlib.suppress(psutil.Error):
                if late:
                    process.kill()
                elif process not in asked:
                    process.terminate()
        asked.update(left)
        time.sleep(0.1)


if __name__ == "__main__":
    sys.stdin.buffer.read()  # until there is nobody any more who could write
    end(sys.argv[1])
