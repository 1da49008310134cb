"""What a real node takes of the machine: root, namespaces, some programs, and what Go builds.

python -m tests.support.node.node_needs     builds that, where the rest is there; says what is missing elsewhere
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from ops import build_tools
from ops.build_tools import CLUSTER, NODE, SERVERS

CGROUPS = Path("/sys/fs/cgroup")
NAMESPACES = ("--mount", "--net", "--pid", "--fork", "--kill-child", "--uts", "--ipc", "--cgroup", "--mount-proc")
_PROGRAMS = ("runc", "nft", "busybox", "ip", "mount", "unshare")
_PLUGINS = ("bridge", "host-local", "loopback")
_PACKAGES = "apt-get install runc containernetworking-plugins nftables busybox-static"


def cni_folder() -> Path | None:
    """The folder of the CNI plugins: one of $CNI_PATH, or where packages have them; None where none has all."""
    folders = [*filter(None, os.environ.get("CNI_PATH", "").split(os.pathsep)), "/usr/lib/cni", "/opt/cni/bin"]
    return next((Path(one) for one in folders if all(Path(one, name).is_file() for name in _PLUGINS)), None)


def missing_of_machine() -> str:
    """Why this machine can have no node, as a sentence; "" where it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "a real node takes root on Linux"
    lacking = [name for name in _PROGRAMS if shutil.which(name) is None]
    lacking += [] if cni_folder() else ["the CNI plugins"]
    if lacking:
        return f"a real node takes {', '.join(lacking)}, not found here ({_PACKAGES})"
    if b"/ld-linux" in Path(shutil.which("busybox") or "").read_bytes()[:4096]:
        return f"a real node takes a busybox that needs no library in its images ({_PACKAGES})"
    if not (CGROUPS / "memory").is_dir():
        return "a real node takes cgroup v1, and this machine has none: for v2 it was not written yet"
    if "\toverlay\n" not in Path("/proc/filesystems").read_text("utf-8"):
        return "a real node takes overlayfs, which this kernel does not have loaded (modprobe overlay)"
    tried = subprocess.run(["unshare", *NAMESPACES, "true"], capture_output=True, text=True, check=False)
    return f"a real node takes namespaces of its own: {tried.stderr.strip()}" if tried.returncode else ""


def missing() -> str:
    """The same, also for what is not built yet."""
    if why := missing_of_machine():
        return why
    unbuilt = [name for name in (*CLUSTER, *SERVERS, *NODE) if not build_tools.find(name)]
    return f"a real node takes {', '.join(unbuilt)}, not built yet: `make e2e-node` builds it" if unbuilt else ""
