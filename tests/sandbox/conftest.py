"""A sandbox of a test file's own."""

from collections.abc import Iterator

import pytest

from ops.sandbox.lifecycle import Sandbox
from tests.sandbox.own_sandbox import ops


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox of this module's own, without a past, so that what goes wrong in it troubles nobody else."""
    box = Sandbox(tmp_path_factory.mktemp("own") / "home")
    try:
        done = ops("sandbox", "up", "--no-engine", "--no-verify", "--history", "0", home=box.home)
        assert done.returncode == 0, done.stderr
        yield box
    finally:
        box.down()
