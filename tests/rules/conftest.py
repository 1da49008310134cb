"""The promtool that every test of the rules may use."""

from pathlib import Path

import pytest

from ops import build_tools


@pytest.fixture(scope="session")
def promtool() -> Path:
    return build_tools.path("promtool")
