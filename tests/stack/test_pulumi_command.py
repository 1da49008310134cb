"""A command of the engine's has a temporary folder of its own, and nothing of it stays, however the command ends."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from pulumi.automation.errors import CommandError

from ops.build_tools.pulumi import Engine
from ops.stack.command import Pulumi
from tests.support.checkout import ROOT
from tests.support.waiting import until

# In the place of `pulumi`: like the Kubernetes provider it writes a token into the temporary folder and leaves it.
# "slow" goes on until `$GO` is there, also when it is interrupted, and then writes once more.
PULUMI = """#!/bin/sh
for word; do :; done
[ "$word" = version ] && { echo 3.274.1; exit; }
copy=$(mktemp) && echo token > "$copy" && echo "$copy" > "$SEEN" || exit 9
if [ "$word" = slow ]; then
    trap : INT
    while [ ! -e "$GO" ]; do sleep 0.02; done
    echo token > "$(mktemp)" && echo late >> "$SEEN"
fi
[ "$word" != fails ]
"""
# A verb that runs it, and says whether it was interrupted.
VERB = """
import os
from pathlib import Path
from ops.build_tools.pulumi import Engine
from ops.stack.command import Pulumi
from tests.support.waiting import until
try:
    Pulumi(Engine(Path(os.environ["PULUMI_ROOT"]), ())).run(["slow"], ".", {})
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a `pulumi` is installed; `seen` in it names what that has left, and `tmp` is the temporary folder."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "tmp").mkdir()
    (tmp_path / "bin" / "pulumi").write_text(PULUMI, encoding="utf-8")
    (tmp_path / "bin" / "pulumi").chmod(0o755)
    for name, value in {"TMPDIR": "tmp", "SEEN": "seen", "GO": "go"}.items():
        monkeypatch.setenv(name, str(tmp_path / value))
    monkeypatch.setattr(tempfile, "tempdir", None)  # asks TMPDIR anew
    return tmp_path


def test_a_built_engine_is_not_asked_for_its_version(root: Path) -> None:
    """It would write a log into ~/.pulumi, which is a person's own."""
    (root / "bin" / "pulumi").write_text(f"#!/bin/sh\ntouch '{root}/asked'\necho 3.274.1\n", encoding="utf-8")
    found = Pulumi(Engine(root, ()))
    assert str(found.version) == (ROOT / ".pulumi.version").read_text("utf-8").strip()
    assert not (root / "asked").exists()


def left(root: Path) -> list[Path]:
    """What stands in the temporary folder after a command which had its copy below it, in a folder of its own."""
    copy = Path((root / "seen").read_text("utf-8").splitlines()[0])
    assert copy.is_relative_to(root / "tmp") and copy.parent != root / "tmp"
    return list((root / "tmp").iterdir())


def test_nothing_is_left_by_a_command_that_succeeds(root: Path) -> None:
    assert Pulumi(Engine(root, ())).run(["works"], str(root), {}).code == 0
    assert left(root) == []


def test_nothing_is_left_by_a_command_that_fails(root: Path) -> None:
    with pytest.raises(CommandError):
        Pulumi(Engine(root, ())).run(["fails"], str(root), {})
    assert left(root) == []


@pytest.mark.parametrize(
    ("number", "everybody"), [(signal.SIGINT, True), (signal.SIGINT, False), (signal.SIGTERM, False)]
)
def test_an_interrupted_command_keeps_its_folder_to_its_end_and_leaves_nothing(
    root: Path, number: signal.Signals, everybody: bool
) -> None:
    """By Ctrl-C in a terminal, which all processes get, or by a signal to the verb alone."""
    verb = subprocess.Popen(
        [sys.executable, "-c", VERB],
        cwd=ROOT,
        env={**os.environ, "PULUMI_ROOT": str(root)},
        stdout=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    try:
        until(lambda: (root / "seen").exists() and (root / "seen").read_text("utf-8"))
        (os.killpg if everybody else os.kill)(verb.pid, number)
        with pytest.raises(subprocess.TimeoutExpired):
            verb.wait(0.5)  # it is the engine's end that is waited for
        (root / "go").touch()
        said, _ = verb.communicate(timeout=20)
    finally:
        if verb.poll() is None:
            os.killpg(verb.pid, signal.SIGKILL)
    assert said == "interrupted\n"
    assert (root / "seen").read_text("utf-8").endswith("late\n"), "its folder was gone before it had ended"
    assert left(root) == []
