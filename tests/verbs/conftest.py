"""The shared sandbox, in order."""

import pytest

from ops import targets
from ops.checks import every_check
from tests.support.waiting import PATIENCE


@pytest.fixture
def green(target: targets.Target) -> targets.Target:
    """The sandbox in order, as each test expects and leaves it."""
    report = every_check.check_until_passed(target, PATIENCE, lambda _: None)
    assert not report.failures
    return target
