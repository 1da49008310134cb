"""What every test may use."""

import os

from hypothesis import HealthCheck, settings

from tests import leftovers

os.environ.setdefault("SANDBOX_ENGINE", "off")  # a second each, not ten; tests/e2e has the engine
os.environ.pop("COLUMNS", None)  # tables as wide as for a pipe, in whatever terminal the tests run

settings.register_profile("without a clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("without a clock")

pytest_plugins = ("tests.sandbox_fixture",)


def pytest_configure() -> None:
    leftovers.end_with_this_process()  # of a worker of pytest-xdist, too
