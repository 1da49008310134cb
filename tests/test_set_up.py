"""`make setup`: a list is installed once, anew when it changed, and after an interruption."""

import ast
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.checkout import ROOT


class Checkout:
    """The Makefile with lists of two packages of our own, one for production and one for development."""

    def __init__(self, folder: Path) -> None:
        self.root, self.bin = folder / "checkout", folder / "bin"
        self.time = 0  # of the lists' files, long ago: what `make` marks now is newer
        self.bin.mkdir()
        self.root.mkdir()
        shutil.copy(ROOT / "Makefile", self.root)
        self.write("requirements", self.wheel("here", "1"))
        self.write("requirements-dev", self.wheel("besides", "1"))
        self.write("requirements-uv", "# none: what PATH has")

    def write(self, name: str, *lines: str) -> None:
        """Write a list; the marks of earlier set-ups are older than it, and newer than every other list."""
        path = self.root / f"{name}.txt"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        self.time += 10
        os.utime(path, (self.time, self.time))
        for mark in (self.root / ".venv").glob(".[ip]*"):
            os.utime(mark, (self.time - 5, self.time - 5))

    def wheel(self, name: str, version: str) -> str:
        """Build a wheel with one module that knows its version; the line that asks for it."""
        path = self.root / f"{name}-{version}-py3-none-any.whl"
        info = f"{name}-{version}.dist-info"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{name}.py", f"VERSION = {version!r}\n")
            archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            archive.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
        return f"{name} @ {path.as_uri()} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"

    def program(self, name: str, script: str) -> Path:
        """Put a shell script before every other program of that name on PATH."""
        place = self.bin / name
        place.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        place.chmod(0o755)
        return place

    def make(self, target: str) -> subprocess.CompletedProcess[str]:
        """Run one target, offline and in a process group of its own."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "PIP_", "UV_"))},
            "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
            "LC_ALL": "C",
            "PIP_NO_INDEX": "1",
            "UV_OFFLINE": "1",
            "UV_CACHE_DIR": str(self.root.parent / "uv"),
        }
        return subprocess.run(
            ["make", target, f"PYTHON={sys.executable}"],
            cwd=self.root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )

    def installed(self) -> dict[str, str]:
        """Module → version, of our own packages, as .venv's interpreter imports them."""
        script = (
            "import importlib.util as u\n"
            "print({n: __import__(n).VERSION for n in ('here', 'besides', 'later') if u.find_spec(n)})"
        )
        done = subprocess.run(
            [self.root / ".venv/bin/python", "-c", script], capture_output=True, text=True, check=True
        )
        return dict(ast.literal_eval(done.stdout))


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_set_up_installs_a_list_once_and_anew_when_it_changed(checkout: Checkout) -> None:
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        pytest.skip("there is no uv here: `make setup` could not bring one")
    (checkout.bin / "uv").symlink_to(uv)
    done = checkout.make("setup-production")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"Setting up \.venv from requirements\.txt: about .*\n", done.stdout)
    assert checkout.installed() == {"here": "1"}

    rm = checkout.program("rm", f'case "$1" in -rf) kill -KILL 0 ;; *) exec {shutil.which("rm")} "$@" ;; esac')
    assert checkout.make("setup").returncode == -signal.SIGKILL
    assert not (checkout.root / ".venv" / ".production").exists(), "a .venv of which some is deleted counts as whole"
    rm.unlink()

    done = checkout.make("setup")
    assert re.fullmatch(r"Setting up \.venv from requirements\.txt requirements-dev\.txt: about .*\n", done.stdout)
    assert checkout.installed() == {"here": "1", "besides": "1"}
    for target in ("setup", "setup-production"):  # all is there already, and is kept
        assert checkout.make(target).stdout.startswith("make: Nothing to be done"), target
    pip = subprocess.run([checkout.root / ".venv/bin/python", "-m", "pip", "--version"], check=False)
    assert pip.returncode == 0, "Pulumi's toolchain asks .venv's pip for the packages"

    checkout.write("requirements-dev", checkout.wheel("besides", "2"), checkout.wheel("later", "1"))
    assert checkout.make("setup").returncode == 0
    assert checkout.installed() == {"here": "1", "besides": "2", "later": "1"}


def test_an_interrupted_set_up_is_repaired_by_pip_where_uv_fails(checkout: Checkout) -> None:
    """It begins with a .venv that is a link to another checkout's, which stays as it is."""
    other = checkout.root.parent / "other"
    other.mkdir()
    (other / ".installed").touch()
    (checkout.root / ".venv").symlink_to(other)
    checkout.write("requirements", checkout.wheel("here", "2"))

    checkout.program("uv", "echo halfway >.venv/halfway && kill -KILL 0")
    assert checkout.make("setup").returncode == -signal.SIGKILL
    assert (checkout.root / ".venv" / "halfway").exists()

    checkout.program("uv", "exit 1")
    done = checkout.make("setup")
    assert (done.returncode, done.stderr) == (0, "")
    first, second = done.stdout.splitlines()
    assert first.startswith("Setting up .venv from ")
    assert second.startswith("Without uv")
    assert checkout.installed() == {"here": "2", "besides": "1"}
    assert not (checkout.root / ".venv" / "halfway").exists()
    assert [path.name for path in other.iterdir()] == [".installed"]
