"""What an end-to-end test requires of the machine, and what is done where that is missing."""

import shutil

import pytest

from ops import build_tools
from ops.build_tools import pulumi

GRAFANA_PLUGIN = "pulumi-resource-grafana"


def could_be_had() -> bool:
    """Whether this machine could have an engine: Go builds one, unless a person has installed one."""
    return bool(shutil.which("go") or shutil.which("pulumi"))


def an_engine() -> None:
    """Skip where no engine can be had; fail where one could be, and was not built."""
    missing = [name for name in (*pulumi.missing(), *build_tools.CLUSTER) if not build_tools.find(name)]
    if missing and could_be_had():
        pytest.fail(f"{', '.join(missing)} not built yet: `make tools` builds it", pytrace=False)
    if missing:
        pytest.skip("no engine here: it takes a `pulumi` of one's own, or Go to build one")


def grafanas_provider() -> None:
    """Skip where the engine has no provider of Grafana: neither on PATH, nor fetched by a person's own engine."""
    if not (shutil.which(GRAFANA_PLUGIN) or any(pulumi.plugins().glob("resource-grafana-v*"))):
        pytest.skip("no Grafana provider here: Pulumi's own plugin, which cannot be built from Go modules")
