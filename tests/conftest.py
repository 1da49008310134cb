"""What every test may use, and which tests share a worker."""

import os
import signal
from collections import Counter

import pytest
from hypothesis import HealthCheck, settings

from tests import leftovers
from tests.e2e.needs import could_be_had

os.environ.pop("COLUMNS", None)  # tables as wide as for a pipe, in whatever terminal the tests run

settings.register_profile("without a clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("without a clock")

pytest_plugins = ("tests.sandbox_fixture",)

ENGINE_GROUP = "engine"


def pytest_configure() -> None:
    leftovers.end_with_this_process()  # of a worker of pytest-xdist, too
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell has it for what it runs in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)  # else what a test interrupts would not notice


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the end-to-end tests, and say which tests belong together (pytest-xdist's `--dist loadgroup`).

    A file's tests share its servers. The core of the end-to-end tests, run among others, shares one cluster.
    """
    file = item.nodeid.partition("::")[0]
    if file.startswith("tests/e2e/"):
        item.add_marker(pytest.mark.e2e)
    item.add_marker(pytest.mark.xdist_group(ENGINE_GROUP if _core_among_others(item) else file))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The core of the end-to-end tests begins first, as it takes longest."""
    items.sort(key=lambda item: not _core_among_others(item))


def _core_among_others(item: pytest.Item) -> bool:
    return "core" in item.config.option.markexpr and item.get_closest_marker("core") is not None


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
