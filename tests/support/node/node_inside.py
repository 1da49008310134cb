"""PID 1 of a node, in namespaces of its own: python -m tests.support.node.node_inside HOME

Whatever it mounts, and every interface, goes with its namespaces. It makes HOME/ready when the node is, and ends when
it is killed, or with the reason why there is no node.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from ops.errors import OpsError
from ops.sandbox import processes
from ops.sandbox.parts import Part
from tests.support.node import node_parts
from tests.support.node.node_needs import CGROUPS

# What kubelet would write into the machine's own settings: for it these are plain files.
_SETTINGS = {"vm/overcommit_memory": "1", "kernel/panic": "10", "kernel/panic_on_oops": "1"}
_CONTROLLERS = ("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids")


def main(home: Path) -> None:
    """Set all up, start all, and wait for orphans without end."""
    try:
        _own_files(home)
        _own_network()
        _own_settings(home)
        _start(home, node_parts.control_plane(home))
        _import_images(home)
        _start(home, node_parts.node(home))
    except (OpsError, OSError) as error:
        sys.exit(str(error))
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error}: {error.stderr}")
    (home / "ready").touch()
    while True:
        try:
            os.wait()
        except ChildProcessError:
            signal.pause()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


def _own_files(home: Path) -> None:
    """No mount of ours reaches the machine; where programs write by default is empty, and in memory."""
    _run("mount", "--make-rprivate", "/")
    for folder in ("/run", "/var/lib", "/var/log"):
        _run("mount", "-t", "tmpfs", "tmpfs", folder)
    _run("mount", "-t", "tmpfs", "tmpfs", str(CGROUPS))
    for name in _CONTROLLERS:
        (CGROUPS / name).mkdir()
        _run("mount", "-t", "cgroup", "-o", name, "cgroup", str(CGROUPS / name))
    (CGROUPS / "systemd").mkdir()
    _run("mount", "-t", "cgroup", "-o", "none,name=systemd", "cgroup", str(CGROUPS / "systemd"))
    for folder in ("kubelet", "containerd", "pod-logs", "volume"):
        (home / folder).mkdir()


def _own_network() -> None:
    """Loopback, and an address that pods reach; both ends of the pair are in here, so it leads nowhere."""
    for command in (
        "link set lo up",
        "link add eth0 type veth peer name eth0-end",
        "link set eth0-end up",
        f"addr add {node_parts.NODE}/24 dev eth0",
        "link set eth0 up",
        "route add default dev eth0",
    ):
        _run("ip", *command.split())
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1", "utf-8")


def _own_settings(home: Path) -> None:
    """/proc/sys is for reading, but for the network's, which is our own, and for what kubelet insists on writing."""
    settings = Path("/proc/sys")
    network = home / "network-settings"
    network.mkdir()
    _run("mount", "--bind", str(settings / "net"), str(network))
    _run("mount", "--bind", str(settings), str(settings))
    _run("mount", "-o", "remount,bind,ro", str(settings))
    _run("mount", "--bind", str(network), str(settings / "net"))
    for name, value in _SETTINGS.items():
        file = home / name.replace("/", "-")
        file.write_text(f"{value}\n", "utf-8")
        _run("mount", "--bind", str(file), str(settings / name))


def _start(home: Path, parts: list[Part]) -> None:
    """Start them one after the other, each when the one before it is ready. Raises SandboxError."""
    for part in parts:
        child = processes.start(home / "run", part.name, part.command, environment=part.environment, folder=home)
        processes.wait_ready(child, part.ready, seconds=part.seconds, ports=part.ports)


def _import_images(home: Path) -> None:
    for file in sorted((home / "images").glob("*.tar")):
        label = ("--label", "io.cri-containerd.pinned=pinned")
        if why := node_parts.ctr("--namespace", "k8s.io", "images", "import", *label, str(file)):
            raise OpsError(f"image {file.name} was not imported: {why}")
        file.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
