"""Whatever ends a test process, what it has started ends too: also where no fixture was given the time for it.

A process of our own watches each test process (pytest itself, and each worker of pytest-xdist), by a pipe that closes
with it. What was started by then, and by that in turn, is known by a mark in its environment. Without /proc, as on
macOS, only fixtures end things.
"""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

MARK = "STARTED_BY_TEST_PROCESS"
GRACE = 20.0  # seconds from SIGTERM to SIGKILL: a worker takes down its sandbox meanwhile
PROC = Path("/proc")


def end_with_this_process() -> None:
    """From now on what this process starts ends with it, whatever ends it; a SIGTERM has the fixtures finish first."""
    signal.signal(signal.SIGTERM, _finish)
    if not PROC.is_dir():
        return
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


def marked(mark: str) -> list[int]:
    """The processes that have `NAME=value` in their environment."""
    found = []
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):  # gone meanwhile, or another user's
                if mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
    return found


def end(mark: str) -> None:
    """End all that have the mark, politely first; what one of them starts meanwhile, too."""
    deadline = time.monotonic() + GRACE
    asked: set[int] = set()
    while left := marked(mark):
        late = time.monotonic() > deadline
        for pid in left:
            if late or pid not in asked:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL if late else signal.SIGTERM)
        asked.update(left)
        time.sleep(0.1)


if __name__ == "__main__":
    sys.stdin.buffer.read()  # until there is nobody any more who could write
    end(sys.argv[1])
