"""`rollback --list` reads the stack's history, and does nothing else: no installer, no program, nothing written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checkout import ROOT

# In the place of `pulumi`, and of whatever could install something: writes down how it is called.
RECORDER = """#!/bin/sh
echo "$(basename "$0") $*" >> "$SEEN"
for word; do
    [ "$word" = version ] && { echo v3.274.1; exit; }
    [ "$word" = history ] && { echo "$HISTORY"; exit; }
done
exit 1
"""
INSTALLERS = ("pip", "pip3", "uv", "curl", "wget", "sh", "bash", "go", "make", "npm")
HISTORY = """[{"kind": "update", "startTime": "2026-01-01T10:00:00.000Z", "endTime": "2026-01-01T10:00:09.000Z",
"message": "Raise a limit", "environment": {"git.author": "Ada"}, "result": "succeeded", "resourceChanges": {}}]"""


def listed(folder: Path, programs: tuple[str, ...], history: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """What `rollback --list` answers where these are on PATH and nothing was built, and what it ran of them."""
    tools = folder / "tools"
    tools.mkdir()
    for name in programs:
        (tools / name).write_text(RECORDER.replace("#!/bin/sh", f"#!{os.path.realpath('/bin/sh')}"), "utf-8")
        (tools / name).chmod(0o755)
    for name in "basename", "git":
        (tools / name).symlink_to(next(Path(at) / name for at in os.defpath.split(":") if (Path(at) / name).exists()))
    own = {"HOME": str(folder), "XDG_CACHE_HOME": str(folder), "PULUMI_HOME": str(folder / "pulumi")}
    done = subprocess.run(
        [sys.executable, "-B", "-m", "ops", "rollback", "--list", "--target", "prod"],
        cwd=ROOT,
        env={"PATH": str(tools), "SEEN": str(folder / "seen"), "HISTORY": history, **own},
        capture_output=True,
        text=True,
        check=False,
    )
    seen = folder / "seen"
    return done, seen.read_text("utf-8").splitlines() if seen.exists() else []


@pytest.mark.parametrize(("history", "says"), [("[]", "This stack has no history yet."), (HISTORY, "Raise a limit")])
def test_the_list_is_read_from_the_backend_alone(tmp_path: Path, history: str, says: str) -> None:
    done, ran = listed(tmp_path, ("pulumi", "pulumi-language-python", *INSTALLERS), history)
    assert done.returncode == 0, done.stderr
    assert says in done.stdout
    assert [line for line in ran if " version" not in line] == [
        "pulumi --non-interactive stack history --json --stack prod"
    ]
    assert not (tmp_path / "pulumi").exists()


def test_without_an_engine_it_says_what_to_install_and_installs_nothing(tmp_path: Path) -> None:
    done, ran = listed(tmp_path, INSTALLERS, "[]")
    assert done.returncode == 2
    assert done.stderr.startswith("there is no Pulumi engine ")
    assert done.stderr.count("\n") == 1
    assert ran == []
    assert {path.name for path in tmp_path.iterdir()} <= {"tools"}
