"""What must be secret is: in the stack file, and in the temporary folder. And a CLI that is too old is refused."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

import rules
from components import settings
from ops.sandbox.cluster import Cluster
from tests.e2e.rig import Rig
from tests.support.limits import other
from tests.support.waiting import PATIENCE, until

# An `up` through the Engine, as a verb has it, in a process that can be interrupted.
UP = """
import sys
from pathlib import Path
from ops.stack.engine import StackAccess, Engine
try:
    Engine(StackAccess(sys.argv[1], config_file=Path(sys.argv[2])), Path(sys.argv[3])).up()
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder of all that this test starts."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)  # asks TMPDIR anew
    return tmp_path


def copies(rig: Rig, folder: Path) -> list[Path]:
    """The files below `folder` that have the token of the kubeconfig."""
    kubeconfig = yaml.safe_load(Cluster(rig.sandbox.home).kubeconfig.read_text("utf-8"))
    token = kubeconfig["users"][0]["user"]["token"].encode()
    found = []
    for path in folder.rglob("*"):
        try:
            found += [path] if path.is_file() and token in path.read_bytes() else []
        except FileNotFoundError:
            continue  # a command that still runs has removed it
    return found


def test_no_copy_of_the_kubeconfig_is_left(rig: Rig, temporary: Path) -> None:
    """By a preview, an `up`, one that is refused, one that is interrupted, and `destroy`, all through the Engine."""
    seen: list[Path] = []

    def say(_line: str) -> None:
        seen.extend(copies(rig, temporary))

    rig.engine.up(say)
    assert seen, "the provider leaves no copy any more: the folder of each command's own may be for nothing"
    assert copies(rig, temporary) == []
    rig.preview(refresh=True)
    assert copies(rig, temporary) == []

    alert = rules.alerts()["APIP95LatencyHigh"]
    resume = rig.pause("prometheus")
    try:
        rig.edit(f"rules/{alert.file.name}", alert.limit.text, other(alert))
        access = rig.engine.access
        arguments = [access.stack, str(access.config_file), str(rig.program)]
        process = subprocess.Popen(
            [sys.executable, "-c", UP, *arguments],
            cwd=rig.program,
            env={**rig.env, "PYTHONPATH": str(rig.program)},
            stdout=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )
        until(lambda: copies(rig, temporary))
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C in a terminal does
        said, _ = process.communicate(timeout=PATIENCE)
    finally:
        resume()
    assert said == "interrupted\n"
    assert copies(rig, temporary) == []

    theirs = rig.text("alertmanager-config", "alertmanager.yml")
    rig.write("alertmanager-config", {"alertmanager.yml": "route: ["})
    rig.refused(rig.up)
    assert copies(rig, temporary) == []
    rig.write("alertmanager-config", {"alertmanager.yml": theirs})
    rig.destroy()
    assert copies(rig, temporary) == []


def test_a_person_who_names_the_kubeconfig_in_the_environment_leaves_no_copy_either(rig: Rig, temporary: Path) -> None:
    def previewed(env: Mapping[str, str]) -> None:
        access = rig.engine.access
        command = ["pulumi", "preview", "--non-interactive", "--stack", access.stack]
        subprocess.run(
            [*command, "--config-file", str(access.config_file)],
            cwd=rig.program,
            env={**rig.env, **env},
            capture_output=True,
            timeout=60,
            check=True,
        )

    rig.configure(kubeconfig="")
    previewed({"KUBECONFIG": str(Cluster(rig.sandbox.home).kubeconfig)})
    assert copies(rig, temporary) == []
    rig.configure()
    previewed({})
    assert copies(rig, temporary), "the setting may be used like the environment: say so in docs/operating.md"


@pytest.mark.parametrize("key", settings.SECRETS)
def test_a_secret_in_plain_text_is_refused_without_its_value(rig: Rig, key: str) -> None:
    file = rig.engine.access.config_file
    assert file is not None
    written = yaml.safe_load(file.read_text("utf-8"))
    written["config"][f"{settings.project()}:{key}"] = "hunter2"
    file.write_text(yaml.safe_dump(written), encoding="utf-8")
    for act in (rig.preview, rig.up):
        words = rig.refused(act)
        assert f"{key} is in plain text; run `pulumi config set --secret {key}`" in words
        assert "hunter2" not in words + "".join(rig.said)
    assert rig.objects() == rig.before


def test_a_secret_of_the_stack_is_encrypted_in_its_file(rig: Rig) -> None:
    rig.configure(smtpPassword="hunter2", smtpPasswordFile="/etc/api-monitoring/password")
    file = rig.engine.access.config_file
    assert file is not None
    text = file.read_text("utf-8")
    assert "hunter2" not in text and "secure: v1:" in text
    rig.preview()
    assert "hunter2" not in "".join(rig.said)


def test_a_cli_that_is_too_old_is_refused(rig: Rig) -> None:
    """By the CLI itself, and by the program where the CLI does not read that line of Pulumi.yaml."""
    rig.edit("Pulumi.yaml", settings.required_cli(), ">=99.0.0")
    for act in (rig.preview, rig.up, rig.destroy):
        assert 'does not satisfy the version range ">=99.0.0"; install a newer one' in rig.refused(act)
    rig.edit("Pulumi.yaml", ">=99.0.0", settings.required_cli())
    rig.edit("components/program.py", "settings.required_cli()", '">=99.0.0"')
    for act in (rig.preview, rig.up):
        words = rig.refused(act)
        assert 'does not satisfy the version range ">=99.0.0"; install a newer one' in words
    assert rig.objects() == rig.before
