"""What every test may use, and which tests share a worker."""

import os
import signal
from collections import Counter

import pytest
from hypothesis import HealthCheck, settings

from tests.support import leftovers
from tests.support.requires import could_be_had

os.environ.pop("COLUMNS", None)  # tables as wide as for a pipe, in whatever terminal the tests run

settings.register_profile("without a clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("without a clock")

pytest_plugins = ("tests.support.sandbox_fixture", "tests.support.tree_copy")


def pytest_configure() -> None:
    leftovers.end_with_this_process()  # of a worker of pytest-xdist, too
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell has it for what it runs in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)  # else what a test interrupts would not notice


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the end-to-end tests."""
    if item.nodeid.startswith(("tests/e2e/", "tests/node/")):
        item.add_marker(pytest.mark.e2e)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Among all tests the core of the end-to-end tests begins first, as it takes longest."""
    if "core" in config.option.markexpr:
        items.sort(key=lambda item: item.get_closest_marker("core") is None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many of the end-to-end tests ran, and of each reason to skip how many tests it concerns."""
    if count := _ran_on_an_engine(terminalreporter):
        terminalreporter.write_line(f"{count} of these on a real Pulumi engine and Kubernetes API server")
    reasons = Counter(report.longrepr[2] for report in terminalreporter.stats.get("skipped", ()))
    for reason, count in reasons.items():
        terminalreporter.write_line(f"{count} skipped: {reason.removeprefix('Skipped: ')}")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """E2E=required, as in CI: fail where an engine could be had and no end-to-end test ran."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("E2E") != "required" or exitstatus or reporter is None:  # a worker of pytest-xdist has none
        return
    if not _ran_on_an_engine(reporter) and could_be_had():
        reporter.write_line("An engine could be had here, and no end-to-end test ran: `make tools` builds one.")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _ran_on_an_engine(reporter: pytest.TerminalReporter) -> int:
    return sum(report.nodeid.startswith("tests/e2e/") for report in reporter.stats.get("passed", ()))
