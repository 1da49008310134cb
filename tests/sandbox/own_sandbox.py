"""What the tests of a sandbox of their own share: the command line, and rules that answer at once."""

import os
import subprocess
import sys
from pathlib import Path

import rules
from ops.replay.recordings import expand
from tests.support.checkout import ROOT
from tests.support.waiting import PATIENCE


def ops(*arguments: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ops", *arguments],
        cwd=ROOT,
        env={**os.environ, "SANDBOX_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def in_full(expr: str) -> str:
    """`expr` with what it reads of recordings computed instead, as those are recorded once a minute only."""
    return expand(expr, rules.recordings())
