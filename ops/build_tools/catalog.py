"""The tools, with the pinned Go module of each, and the files that its module lacks."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "tools"

Version = tuple[int, ...]


@dataclass(frozen=True)
class AddedFiles:
    """Files that a module lacks, as its release generates them: they are added to a copy of the module.

    `files` takes the copy's folder and returns path → text, paths below that folder.
    """

    module: str
    files: Callable[[Path], Mapping[str, str]]


@dataclass(frozen=True)
class CompanionFile:
    """A script of a module, which the go.mod in `folder` below `tools/` requires; `path` is the one in the module."""

    folder: str
    module: str
    path: str

    @property
    def pins(self) -> Path:
        """The module whose go.mod pins the versions."""
        return MODULES / self.folder


@dataclass(frozen=True)
class Tool:
    """One program of one pinned Go module.

    `folder`: below `tools/`, with its go.mod and go.sum. `minimum`: the oldest version on PATH that is used.
    `seconds`: how long a build usually takes on two processors, with an empty build cache.
    `version_variable`: what the linker sets to the version, after `version_prefix`.
    `version`: what it prints, where that is not the version in go.mod.
    `beside`: scripts that have to be in the program's folder.
    `assets`: an environment variable that names a folder where the tool may be; it comes before PATH.
    `only_built`: one on PATH is not used.
    """

    name: str
    folder: str
    package: str
    minimum: Version
    seconds: int
    tags: str = ""
    version_variable: str = ""
    version_prefix: str = ""
    version: str = ""
    added_files: AddedFiles | None = None
    companions: tuple[CompanionFile, ...] = ()
    assets: str = ""
    version_command: str = "--version"
    only_built: bool = False

    @property
    def module(self) -> Path:
        """The Go module that the tool is built in."""
        return MODULES / self.folder


def _provider_files(copy: Path) -> dict[str, str]:
    """The two files that the Kubernetes provider embeds: its release makes them of these, with its version."""
    folder = "cmd/pulumi-resource-kubernetes"
    schema = json.loads((copy / folder / "schema.json").read_text("utf-8"))
    mapping = json.loads((copy / folder / "terraform-mapping.json").read_text("utf-8"))
    schema["version"] = PROVIDER_VERSION
    compact = {"schema-embed.json": schema, "terraform-mapping-embed.json": mapping}
    return {f"{folder}/{name}": json.dumps(data, separators=(",", ":")) for name, data in compact.items()}


def _alertmanager_files(_: Path) -> dict[str, str]:
    """Its two sets of web pages, which its release builds; not needed here."""
    page = "<!doctype html><title>Alertmanager</title>\n"
    return {f"ui/app/dist/{pages}/index.html": page for pages in ("elm", "mantine")}


# Service discoveries for clouds are left out: nothing here uses them, and they are a sixth of what is compiled.
# Kubernetes and DNS are built in: a prometheus.yml often has them, and promtool must read it.
_DISCOVERIES = "remove_all_sd,enable_kubernetes_sd,enable_dns_sd"
_ALERTMANAGER = "github.com/prometheus/alertmanager"
_COMMON_VERSION = "github.com/prometheus/common/version.Version"
_PULUMI_SDK = "github.com/pulumi/pulumi/sdk/v3"
_PROVIDER = "github.com/pulumi/pulumi-kubernetes/provider/v4"
PULUMI_VERSION = (ROOT / ".pulumi.version").read_text("utf-8").strip()  # the workflows read it too
PROVIDER_VERSION = "4.25.0"  # the release that the module's commit became; the commit itself has no tag
_KUBERNETES_VERSION = "k8s.io/component-base/version.gitVersion"
_KUBEBUILDER = "KUBEBUILDER_ASSETS"  # where controller-runtime's tests look for the same two programs

# Program → seconds of its build, with kube-apiserver built before.
_NODE_SECONDS = {"kubelet": 200, "kube-controller-manager": 65, "kube-proxy": 15, "kube-scheduler": 15}
_CONTAINERD_SECONDS = {"containerd": 150, "containerd-shim-runc-v2": 5, "ctr": 10}

TOOLS = {
    tool.name: tool
    for tool in (
        Tool(
            name="alertmanager",
            folder="alertmanager",
            package=f"{_ALERTMANAGER}/cmd/alertmanager",
            minimum=(0, 28, 0),
            seconds=45,
            version_variable=_COMMON_VERSION,
            added_files=AddedFiles(_ALERTMANAGER, _alertmanager_files),
        ),
        Tool(
            name="amtool",
            folder="alertmanager",
            package=f"{_ALERTMANAGER}/cmd/amtool",
            minimum=(0, 28, 0),
            seconds=15,
            version_variable=_COMMON_VERSION,
        ),
        # From 3.9 promtool's unit tests start at a chosen weekday (`start_timestamp`), and Prometheus finds backfilled
        # blocks without a minute's wait (`--storage.tsdb.block-reload-interval`).
        Tool(
            name="promtool",
            folder="prometheus",
            package="github.com/prometheus/prometheus/cmd/promtool",
            minimum=(3, 9, 0),
            seconds=150,
            tags=_DISCOVERIES,
            version_variable=_COMMON_VERSION,
        ),
        Tool(
            name="prometheus",
            folder="prometheus",
            package="github.com/prometheus/prometheus/cmd/prometheus",
            minimum=(3, 9, 0),
            seconds=110,
            tags=_DISCOVERIES,
            version_variable=_COMMON_VERSION,
        ),
        # The Kubernetes API of the sandbox. Versions are those that the tests were run on, or older.
        Tool(
            name="etcd",
            folder="etcd",
            package="go.etcd.io/etcd/server/v3",
            minimum=(3, 4, 23),
            seconds=40,
            assets=_KUBEBUILDER,
        ),
        Tool(
            name="kube-apiserver",
            folder="kubernetes",
            package="k8s.io/kubernetes/cmd/kube-apiserver",
            minimum=(1, 33, 0),
            seconds=330,
            version_variable=_KUBERNETES_VERSION,
            version_prefix="v",
            assets=_KUBEBUILDER,
        ),
        # The Pulumi engine, for a machine without an installed one.
        Tool(
            name="pulumi",
            folder="pulumi",
            package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
            minimum=(3, 219, 0),  # as requiredPulumiVersion in Pulumi.yaml
            seconds=200,
            version_variable=f"{_PULUMI_SDK}/go/common/version.Version",
            version_prefix="v",
            version=PULUMI_VERSION,
            # It runs dynamic resources.
            companions=(CompanionFile("pulumi", _PULUMI_SDK, "python/dist/pulumi-resource-pulumi-python"),),
            version_command="version",
            only_built=True,
        ),
        # The last Python language host that is a package of the SDK's module. Later ones are separate modules, which
        # cannot be downloaded. It finds Python on PATH.
        Tool(
            name="pulumi-language-python",
            folder="pulumi-language-python",
            package=f"{_PULUMI_SDK}/python/cmd/pulumi-language-python",
            minimum=(3, 79, 0),
            seconds=20,
            # It runs programs, and has to be that of the SDK in use.
            companions=(CompanionFile("pulumi", _PULUMI_SDK, "python/cmd/pulumi-language-python-exec"),),
            only_built=True,
        ),
        Tool(
            name="pulumi-resource-kubernetes",
            folder="pulumi-kubernetes",
            package=f"{_PROVIDER}/cmd/pulumi-resource-kubernetes",
            minimum=(4, 25, 0),
            seconds=400,
            version_variable=f"{_PROVIDER}/pkg/version.Version",
            version=PROVIDER_VERSION,
            added_files=AddedFiles(_PROVIDER, _provider_files),
            only_built=True,
        ),
        # Only for tests of the operator modes. Its CRDs are those of its module, so no older version is used.
        Tool(
            name="prometheus-operator",
            folder="operator",
            package="github.com/prometheus-operator/prometheus-operator/cmd/operator",
            minimum=(0, 85, 0),
            seconds=150,
            version_variable=_COMMON_VERSION,
        ),
        # Only for tests of rulesMode ruler and alertmanagerMode tenant. Without these tags it panics at each rule that
        # is written to it.
        Tool(
            name="cortex",
            folder="cortex",
            package="github.com/cortexproject/cortex/cmd/cortex",
            minimum=(1, 19, 0),
            seconds=420,
            tags="netgo slicelabels",
            version_variable="main.Version",
        ),
        # Only for `make e2e-node`: a node, and what makes and schedules its pods. In a module of their own, so that
        # what they need never has kube-apiserver built anew.
        *(
            Tool(
                name=name,
                folder="node",
                package=f"k8s.io/kubernetes/cmd/{name}",
                minimum=(1, 37, 0),
                seconds=seconds,
                version_variable=_KUBERNETES_VERSION,
                version_prefix="v",
                only_built=True,
            )
            for name, seconds in _NODE_SECONDS.items()
        ),
        # Also only for `make e2e-node`. Without these tags it compiles file systems that the node does not use.
        *(
            Tool(
                name=name,
                folder="containerd",
                package=f"github.com/containerd/containerd/v2/cmd/{name}",
                minimum=(2, 0, 0),
                seconds=seconds,
                tags="no_btrfs no_zfs no_devmapper no_aufs",
                version_variable="github.com/containerd/containerd/v2/version.Version",
                only_built=True,
            )
            for name, seconds in _CONTAINERD_SECONDS.items()
        ),
        # For `make lint`. An older one does not know the newest keys of workflows and versions of actions.
        Tool(
            name="actionlint",
            folder="actionlint",
            package="github.com/rhysd/actionlint/cmd/actionlint",
            minimum=(1, 7, 12),
            seconds=10,
            version_variable="github.com/rhysd/actionlint.version",
        ),
    )
}

# What a sandbox without an engine needs; what one with an engine needs too.
SERVERS = ("prometheus", "promtool", "alertmanager", "amtool")
CLUSTER = ("kube-apiserver", "etcd")
ENGINE = ("pulumi-resource-kubernetes", "pulumi", "pulumi-language-python")
E2E = ("prometheus-operator", "cortex")
NODE = (*_NODE_SECONDS, *_CONTAINERD_SECONDS)
