"""The first day with it, on the real engine: a checkout, its sandbox, a change, and plain `pulumi` on it."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import requires
from tests.support.checkout import ROOT
from tests.support.waiting import PATIENCE

Ops = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of this checkout as a clone has them, with its packages."""
    requires.an_engine()
    folder = tmp_path_factory.mktemp("first") / "checkout"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


@pytest.fixture(scope="module")
def ops(checkout: Path) -> Iterator[Ops]:
    """`bin/ops` of that checkout; its sandbox is down afterwards."""
    environment = {name: value for name, value in os.environ.items() if name not in ("SANDBOX_HOME", "OPS_TARGET")}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [checkout / "bin" / "ops", *words],
            cwd=checkout,
            env=environment,
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
            check=False,
        )

    try:
        yield run
    finally:
        run("sandbox", "down")


def test_a_running_sandbox_gets_what_the_checkout_says_now(checkout: Path, ops: Ops) -> None:
    up = ops("sandbox", "up", "--history", "0", "--no-verify")
    assert up.returncode == 0, up.stderr
    file = next(file for file in checkout.glob("rules/*.yml") if "for: 2m" in file.read_text("utf-8"))
    text = file.read_text("utf-8")
    file.write_text(text.replace("for: 2m", "for: 4m", 1), "utf-8")
    differs = ops("verify", "--target", "sandbox")
    assert differs.returncode == 1
    assert "runs with `for: 120s`, here 240s" in differs.stdout

    again = ops("sandbox", "up", "--no-verify")
    assert again.returncode == 0, again.stderr
    assert "the sandbox is running already; deploying to it what this checkout says" in again.stderr
    assert " updated, proved live in " in again.stderr
    assert "✗ rules/" not in ops("verify", "--target", "sandbox").stdout


def test_plain_pulumi_acts_on_it_in_a_shell(checkout: Path, ops: Ops) -> None:
    up = ops("sandbox", "up", "--no-verify")
    assert up.returncode == 0, up.stderr
    preview = ops("sandbox", "shell", "pulumi", "preview", "--diff")
    assert preview.returncode == 0, preview.stderr
    assert "13 unchanged" in preview.stdout
    history = ops("sandbox", "shell", "--", "pulumi", "stack", "history")
    assert "make sandbox" in history.stdout
    verb = ops("sandbox", "shell", "sh", "-c", "bin/ops verify --format json")
    assert '"target": "sandbox"' in verb.stdout
    assert not (checkout / "Pulumi.sandbox.yaml").exists(), "a stack file of the sandbox would be committed"
    exported = ops("sandbox", "shell", "--export").stdout
    assert "export PULUMI_OPTION_STACK=sandbox" in exported.splitlines()
    lost = ops("sandbox", "shell", "no-such-program")
    assert lost.returncode == 2
    assert lost.stderr == "no-such-program cannot be run: No such file or directory\n"
