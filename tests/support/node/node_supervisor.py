"""Keeps a node for as long as its standard input is open: python -m tests.support.node.node_supervisor HOME

It makes cgroups below its own and starts the node in them. All of it, HOME too, is taken down when the input ends
(whoever holds its other end has ended, however that came about), at SIGTERM, or when the node ends.
"""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.node.node_needs import CGROUPS, NAMESPACES

PATIENCE = 60.0  # seconds, until the kernel has let go of the cgroups of what was killed


def main(home: Path) -> None:
    """Run the node in `home`, until it is to end."""
    signal.signal(signal.SIGTERM, _end)
    with contextlib.suppress(SystemExit), _cgroups() as groups:
        command = ["unshare", *NAMESPACES, sys.executable, "-m", "tests.support.node.node_inside", str(home)]
        node = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=lambda: _enter(groups))
        try:
            while node.poll() is None and not select.select([sys.stdin], [], [], 0.2)[0]:
                pass
        finally:
            node.kill()  # and with it PID 1 of its namespace, so every process of the node
            node.wait()
    shutil.rmtree(home, ignore_errors=True)


def _end(_number: int, _frame: object) -> None:
    raise SystemExit


@contextmanager
def _cgroups() -> Iterator[list[Path]]:
    """A cgroup of our own in each hierarchy; all are gone afterwards."""
    groups = []
    for line in Path("/proc/self/cgroup").read_text("utf-8").splitlines():
        _, controllers, path = line.split(":", 2)
        hierarchy = CGROUPS / (controllers.removeprefix("name=") or "unified")
        groups.append(hierarchy / path.strip("/") / f"node-{os.getpid()}")
    groups = [group for group in groups if group.parent.is_dir()]
    try:
        for group in groups:
            group.mkdir()
            for name in ("cpuset.cpus", "cpuset.mems"):  # empty in a new one, which then takes no process
                if (group / name).exists():
                    (group / name).write_text((group.parent / name).read_text("utf-8"), "utf-8")
        yield groups
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # this has to be done to its end
        deadline = time.monotonic() + PATIENCE
        while left := [group for group in groups if group.exists() and not _removed(group)]:
            if time.monotonic() > deadline:
                sys.stderr.write(f"cgroups are left: {', '.join(map(str, left))}\n")
                break
            time.sleep(0.1)


def _enter(groups: list[Path]) -> None:
    for group in groups:
        (group / "cgroup.procs").write_text("0", "utf-8")


def _removed(group: Path) -> bool:
    """Remove a cgroup with those below it; whether nothing is in the way any more."""
    try:
        for folder, _, _ in os.walk(group, topdown=False):
            Path(folder).rmdir()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main(Path(sys.argv[1]))
