"""However a node ends, nothing is left of it: no process, no cgroup, no mount, no interface, no file."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.checkout import ROOT
from tests.support.node import node_needs
from tests.support.waiting import until

# A node without images starts in seconds; it says where it is, and stays until it is told to end.
HELD = """
from tests.support.node import real_node
with real_node.running({}) as node:
    print(node.home, flush=True)
    input()
    raise SystemExit(RUN)
"""


def left(home: Path, supervisor: int) -> list[str]:
    """What there still is of the node that a supervisor kept in `home`."""
    found = [f"process {one.pid}" for one in psutil.process_iter() if str(home) in " ".join(_command(one))]
    found += [f"cgroup {one}" for one in node_needs.CGROUPS.rglob(f"node-{supervisor}")]
    found += [line for line in Path("/proc/self/mounts").read_text("utf-8").splitlines() if str(home) in line]
    return found + [f"folder {home}"] * home.exists()


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.mark.parametrize("end", ["an end", "a failure", "SIGTERM", "SIGINT", "SIGKILL"])
def test_nothing_is_left(end: str) -> None:
    if why := node_needs.missing():
        pytest.skip(why)
    interfaces = set(psutil.net_if_addrs())
    code = HELD.replace("RUN", "1" if end == "a failure" else "0")
    holder = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdin is not None and holder.stdout is not None
    home = Path(holder.stdout.readline().strip())
    assert home.is_dir(), "no node came up"
    (supervisor,) = psutil.Process(holder.pid).children()
    assert left(home, supervisor.pid)
    if end.startswith("SIG"):
        holder.send_signal(signal.Signals[end])
    else:
        holder.stdin.write("\n")
        holder.stdin.flush()
    holder.wait()
    until(lambda: not left(home, supervisor.pid), lambda: f"left: {left(home, supervisor.pid)}")
    assert set(psutil.net_if_addrs()) == interfaces
