"""Tests in a network of their own, where the API server may proxy to an address of this very host."""

import subprocess
import sys

import pytest

from tests.support.checkout import ROOT
from tests.support.waiting import PATIENCE


def passes(file: str, tests: int) -> None:
    """All `tests` of a file pass there. Skips where no such network is to be had."""
    own = ["unshare", "--net", "--map-root-user", "sh", "-c"]
    set_up = "ip link set lo up && ip addr add 192.0.2.1/32 dev lo && ip route add default dev lo"
    try:
        tried = subprocess.run([*own, set_up], capture_output=True, text=True, timeout=PATIENCE, check=False)
    except FileNotFoundError as missing:
        pytest.skip(f"no network of its own to be had here: {missing}")
    if tried.returncode:
        pytest.skip(f"no network of its own to be had here: {tried.stderr.strip()}")
    there = f"{sys.executable} -m pytest -v -m e2e -p no:cacheprovider {file}"
    inside = f"{set_up} && exec {there}"
    done = subprocess.run([*own, inside], cwd=ROOT, capture_output=True, text=True, timeout=6 * PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{tests} passed" in done.stdout, done.stdout
