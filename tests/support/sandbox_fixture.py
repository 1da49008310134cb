"""The sandbox that the whole test session shares, brought up when the first test asks for it."""

from collections.abc import Iterator

import pytest

from ops import targets
from ops.sandbox.lifecycle import Sandbox


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A running sandbox, deployed to, with two hours of past. Leave it as you found it."""
    started = Sandbox(tmp_path_factory.mktemp("sandbox") / "home")
    try:
        started.up(print)
        yield started
    finally:
        started.down()


@pytest.fixture
def target(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> targets.Target:
    """That sandbox, as verbs see it."""
    monkeypatch.setenv("SANDBOX_HOME", str(sandbox.home))
    return targets.load("sandbox")
