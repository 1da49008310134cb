"""`bin/ops`: one command that works from a fresh clone, from any folder, and in whatever language the terminal is."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.checkout import ROOT

OPS = ROOT / "bin" / "ops"


def run(program: Path, *words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program, *words],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.parametrize("way", ["by its path", "by a link", "where a folder is called ops too"])
def test_it_runs_from_any_folder(tmp_path: Path, way: str) -> None:
    program = OPS
    if way == "by a link":
        program = tmp_path / "link"
        program.symlink_to(OPS)
    if way == "where a folder is called ops too":
        (tmp_path / "ops").mkdir()
        (tmp_path / "ops" / "__init__.py").write_text("raise SystemExit('not ours')\n")
    done = run(program, "--help", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "backtest" in done.stdout


def test_paths_are_those_of_the_folder_where_one_stands(tmp_path: Path) -> None:
    done = run(OPS, "render", "--target", "prod", "--out", "here", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "here" / "manifests").is_dir()


def test_without_packages_it_sets_them_up_first(tmp_path: Path) -> None:
    """In a fresh clone. `make` is a stand-in here; what the real one does is tested elsewhere."""
    clone = tmp_path / "clone"
    (clone / "bin").mkdir(parents=True)
    shutil.copy(OPS, clone / "bin" / "ops")
    make = tmp_path / "path" / "make"
    make.parent.mkdir()
    venv = clone / ".venv"
    make.write_text(f"#!/bin/sh\necho make $*\nmkdir -p {venv}\nln -s {ROOT / '.venv'}/bin {venv}/bin\n")
    make.chmod(0o755)
    done = run(clone / "bin" / "ops", "--help", cwd=tmp_path, PATH=f"{make.parent}:{os.environ['PATH']}")
    assert done.stderr.splitlines()[0] == f"make -s -C {clone} setup-production"
