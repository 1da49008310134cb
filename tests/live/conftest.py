"""What every test of the dynamic resources needs."""

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def tracebacks() -> Iterator[None]:
    """A provider switches tracebacks off in its own process, which this is not."""
    yield
    if hasattr(sys, "tracebacklimit"):
        del sys.tracebacklimit
