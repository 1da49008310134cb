"""The processes of a node and of its control plane, with their configuration; all in a network of their own."""

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import yaml

from ops import build_tools
from ops.sandbox.cluster import Cluster
from ops.sandbox.parts import Part, environment
from tests.support.node import node_needs
from tests.support.node.node_images import PAUSE

PORTS = {"etcd": 2379, "etcd-peer": 2380, "kubernetes": 6443}
# The node's name is its address, so that the API server needs no DNS to reach kubelet.
NODE = "10.77.0.1"
PODS = "10.88.0.0/24"
SOCKET = "/run/containerd/containerd.sock"
_KUBELET, _PROXY, _MANAGER, _SCHEDULER = 10250, 10256, 10257, 10259

BRIDGE = {
    "cniVersion": "1.0.0",
    "name": "pods",
    "plugins": [
        {
            **{"type": "bridge", "bridge": "cni0", "isGateway": True, "hairpinMode": True},
            "ipam": {
                "type": "host-local",
                "dataDir": "/run/cni-ipam",
                "ranges": [[{"subnet": PODS}]],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        }
    ],
}
KUBELET = {
    "apiVersion": "kubelet.config.k8s.io/v1beta1",
    "kind": "KubeletConfiguration",
    "failCgroupV1": False,
    "cgroupDriver": "cgroupfs",
    "enforceNodeAllocatable": ["none"],
    "containerRuntimeEndpoint": f"unix://{SOCKET}",
    "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
    "authorization": {"mode": "AlwaysAllow"},  # its network has no way out
    # The disk is the machine's, and may be nearly full.
    "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
    "imageGCHighThresholdPercent": 100,
    "imageGCLowThresholdPercent": 99,
    "failSwapOn": False,
    "oomScoreAdj": 0,  # a lower one takes CAP_SYS_RESOURCE
    "makeIPTablesUtilChains": False,
    "resolvConf": "",
    "healthzPort": 0,
}


def write_configuration(home: Path) -> None:
    """Write what the processes read: kubeconfigs, and a file each."""
    Cluster(home).prepare(PORTS)
    config = home / "config"
    (config / "cni").mkdir(parents=True)
    (config / "cni" / "10-pods.conflist").write_text(json.dumps(BRIDGE), "utf-8")
    kubelet = {**KUBELET, "podLogsDir": str(home / "pod-logs")}
    (config / "kubelet.yml").write_text(yaml.safe_dump(kubelet), "utf-8")
    proxy = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": {"kubeconfig": str(Cluster(home).kubeconfig)},
        "hostnameOverride": NODE,
        "clusterCIDR": PODS,
        # Zeros: it leaves the machine's own settings alone.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }
    (config / "proxy.yml").write_text(yaml.safe_dump(proxy), "utf-8")
    (config / "containerd.toml").write_text(_containerd(home), "utf-8")


def _containerd(home: Path) -> str:
    cri = "plugins.'io.containerd.cri.v1"
    return f"""\
version = 3
root = "{home}/containerd"
state = "/run/containerd"
oom_score = 0
disabled_plugins = ["io.containerd.grpc.v1.tracing", "io.containerd.nri.v1.nri"]
[grpc]
  address = "{SOCKET}"
[{cri}.images']
  snapshotter = "overlayfs"
  [{cri}.images'.pinned_images]
    sandbox = "{PAUSE}"
[{cri}.runtime']
  restrict_oom_score_adj = true
  [{cri}.runtime'.cni]
    bin_dirs = ["{node_needs.cni_folder()}"]
    conf_dir = "{home}/config/cni"
  [{cri}.runtime'.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [{cri}.runtime'.containerd.runtimes.runc.options]
      BinaryName = "{shutil.which("runc")}"
      SystemdCgroup = false
"""


def control_plane(home: Path) -> list[Part]:
    """etcd and the API server, which the rest needs, and containerd."""
    containerd = Part(
        "containerd",
        (str(build_tools.path("containerd")), "--config", str(home / "config" / "containerd.toml")),
        _environment(),
        (),
        lambda: ctr("version") == "",
        60.0,
    )
    return [*Cluster(home).parts(PORTS, print).values(), containerd]


def node(home: Path) -> list[Part]:
    """What makes pods, chooses their node, runs them there, and what leads Services to them."""
    cluster = Cluster(home)
    kubeconfig = f"--kubeconfig={cluster.kubeconfig}"

    def started() -> bool:
        found = cluster.get(f"/api/v1/nodes/{NODE}") or {}
        states = {one["type"]: one["status"] for one in (found.get("status") or {}).get("conditions") or ()}
        return states.get("Ready") == "True"

    manager = (
        kubeconfig,
        "--leader-elect=false",
        f"--service-account-private-key-file={cluster.folder / 'service-accounts.key'}",
        "--use-service-account-credentials=false",
        "--allocate-node-cidrs=false",
        "--profiling=false",
    )
    kubelet = (
        f"--config={home / 'config' / 'kubelet.yml'}",
        kubeconfig,
        *(f"--root-dir={home / 'kubelet'}", f"--node-ip={NODE}", f"--hostname-override={NODE}"),
    )
    return [
        _part("kube-controller-manager", manager, _MANAGER),
        _part("kube-scheduler", (kubeconfig, "--leader-elect=false", "--profiling=false"), _SCHEDULER),
        _part("kubelet", kubelet, _KUBELET, started),
        _part("kube-proxy", (f"--config={home / 'config' / 'proxy.yml'}",), _PROXY),
    ]


def ctr(*command: str) -> str:
    """Run a command of containerd's client; why it fails, "" where it does not."""
    done = subprocess.run(
        [str(build_tools.path("ctr")), "--address", SOCKET, *command], capture_output=True, text=True, check=False
    )
    return (done.stderr.strip() or f"ctr ended with {done.returncode}") if done.returncode else ""


def _part(name: str, arguments: tuple[str, ...], port: int, ready: Callable[[], bool] = lambda: True) -> Part:
    return Part(name, (str(build_tools.path(name)), *arguments), _environment(), (port,), ready, 60.0)


def _environment() -> Mapping[str, str]:
    """With containerd's shim first on PATH."""
    inherited = environment()
    shim = build_tools.path("containerd-shim-runc-v2").parent
    return {**inherited, "PATH": f"{shim}:{inherited.get('PATH', '')}"}
