"""The first deployment: the lines of docs/operating.md, run as they stand there, in an empty home."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from ops.build_tools import pulumi
from ops.sandbox import pulumi_stack
from ops.sandbox.cluster import Cluster
from ops.targets import stack_values
from tests.e2e.rig import Rig
from tests.support import requires
from tests.support.checkout import ROOT
from tests.support.tree_copy import Copy, copy
from tests.support.waiting import PATIENCE

__all__ = ["copy"]  # a fixture

OF_OTHERS = ("PULUMI_", "KUBECONFIG", "GRAFANA_AUTH", "SANDBOX_HOME", "OPS_TARGET")
PAGE = (ROOT / "docs" / "operating.md").read_text("utf-8")


def lines() -> list[str]:
    """The commands under "The first deployment", up to the first other text."""
    section = PAGE.partition("## The first deployment\n")[2]
    found = re.match(r"\n((?:    .*\n)+)", section)
    assert found
    return [line.strip() for line in found[1].splitlines()]


def differing(rig: Rig) -> list[str]:
    """What a person with the sandbox's stack sets, as its names and addresses are not the guide's."""
    state = rig.sandbox.state
    assert state is not None
    here = pulumi_stack.settings(rig.sandbox.home, state)
    guide = stack_values("prod")
    return [
        f"pulumi config set --plaintext {key} '{value}'"
        for key, value in here.items()
        if guide.get(key) != value and key != "kubeconfig"
    ] + ["pulumi config set alertmanagerOtherRoutes skip"]


def test_the_lines_of_the_page(rig: Rig, copy: Copy, tmp_path: Path) -> None:
    requires.an_engine()
    home = tmp_path / "home"
    (home / ".kube").mkdir(parents=True)
    shutil.copy(Cluster(rig.sandbox.home).kubeconfig, home / ".kube" / "config")
    (home / "api-monitoring-passphrase").write_text("correct horse", "utf-8")
    (copy.folder / ".venv").symlink_to(ROOT / ".venv")  # made by `make setup-production`, which is tried elsewhere
    commands = [line for line in lines() if not line.startswith("make setup-production")]
    assert len(commands) == len(lines()) - 1
    at = next(number for number, line in enumerate(commands) if line.startswith("pulumi preview"))
    script = "\n".join(["set -e", *commands[:at], *differing(rig), *commands[at:]])
    engine = pulumi.find()
    assert engine is not None
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OF_OTHERS)}
    own = {"HOME": str(home), "PULUMI_HOME": str(home / ".pulumi"), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    own["PULUMI_SKIP_CONFIRMATIONS"] = "true"  # without a terminal `pulumi up` cannot ask
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=copy.folder,
        env=inherited | engine.environment | own,
        input="token\n",  # typed at the prompt
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE,
        check=False,
    )
    said = done.stdout + done.stderr
    deployed, ended, verified = done.stdout.partition("Prometheus runs what was written")
    assert ended, said[-4000:]
    assert "+ 13 to create" in deployed
    assert commands[-1].startswith("bin/ops verify"), "the page ends with a look at what runs"
    # A sandbox has neither pods nor this Grafana; what runs in the two servers is in order.
    assert done.returncode in (1, 2), said[-4000:]
    assert "✓ rules" in verified and "✓ routing" in verified and "✗ rules" not in verified, verified
    assert "✗ routing" not in verified
    assert list((home / "api-monitoring-state").rglob("prod.json*"))
    stack_file = (copy.folder / "Pulumi.prod.yaml").read_text("utf-8")
    assert "secure:" in stack_file and "token" not in stack_file.replace("grafanaAuth", "")
