"""The result of checks, for people and for programs."""

import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.markup import escape

from ops.checks import Check, Status
from ops.options import console

_SIGNS: dict[Status, tuple[str, str]] = {"fail": ("✗", "red"), "skip": ("–", "yellow"), "pass": ("✓", "green")}
# What is said of a topic together: the first part of a check's name → topic. A name that is not here is its own topic.
_TOPICS = {
    **dict.fromkeys(("prometheus", "alertmanager", "grafana", "pods", "versions"), "servers"),
    **dict.fromkeys(("metrics-endpoint", "scrape-target", "metrics", "metric", "buckets", "error-budget"), "metrics"),
    **dict.fromkeys(("query", "queries"), "queries"),
    **dict.fromkeys(("dashboard", "panel", "panels"), "dashboard"),
    **dict.fromkeys(("delivery", "routing"), "routing"),
    **dict.fromkeys(("alert", "alerts"), "alerts"),
}
_NARROW = 100  # columns, below which a name and what is said of it stand in lines of their own


@dataclass(frozen=True)
class Report:
    """The checks of a target. `incomplete`: something could not be checked."""

    target: str
    checks: tuple[Check, ...]
    incomplete: bool = False

    def count(self, status: str) -> int:
        """How many checks have this status."""
        return sum(check.status == status for check in self.checks)

    @property
    def failures(self) -> list[Check]:
        """The checks that failed."""
        return [check for check in self.checks if check.status == "fail"]

    @property
    def exit_code(self) -> int:
        """0: nothing failed. 1: something failed. 2: something could not be checked."""
        return 2 if self.incomplete else 1 if self.failures else 0

    def as_json(self) -> dict[str, object]:
        """The report for programs."""
        return {
            "target": self.target,
            "checks": [{"name": check.name, "status": check.status, "detail": check.detail} for check in self.checks],
            "passed": self.count("pass"),
            "failed": self.count("fail"),
            "skipped": self.count("skip"),
        }


def show(report: Report, *, every: bool = True) -> None:
    """Print a report for people: a line a check, or what is wrong first and a line for each topic that is in order."""
    lines = list(report.checks) if every else list(_by_topic(report.checks))
    width = max((len(check.name) for check in lines if every or check.status != "fail"), default=0)
    for check in lines:
        _print(check, width)
    colour = "red" if report.failures else "green"
    counts = f"{report.count('pass')} passed, {report.count('fail')} failed, {report.count('skip')} skipped"
    more = "" if every else " (--all: each of them)"
    console().print(f"[bold {colour}]{report.target}: {counts}[/]{more}")


def _by_topic(checks: Sequence[Check]) -> Iterator[Check]:
    """What failed, then of each topic what was not looked at, and what is in order, each in one line."""
    yield from (check for check in checks if check.status == "fail")
    for status in ("skip", "pass"):
        topics: dict[str, list[Check]] = {}
        for check in checks:
            if check.status == status:
                first = check.name.partition("/")[0]
                topics.setdefault(_TOPICS.get(first, first), []).append(check)
        for topic, found in topics.items():
            yield Check(topic if len(found) > 1 else found[0].name, status, _together(found))


def _together(found: Sequence[Check]) -> str:
    """What several checks of one status and topic have found, in a sentence."""
    if len(found) == 1:
        return found[0].detail
    if found[0].status == "pass":
        return f"{len(found)} checks in order"
    return f"{len(found)} not looked at: {'; '.join(dict.fromkeys(check.detail for check in found))}"


def _print(check: Check, width: int) -> None:
    """One check; in a narrow terminal what failed has its name in a line of its own."""
    out, (sign, colour) = console(), _SIGNS[check.status]
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    above = 0 < columns < _NARROW and check.status == "fail"
    indent = 4 if above else width + 4
    room = columns - indent
    lines = textwrap.wrap(check.detail, room, break_long_words=False, break_on_hyphens=False) if room >= 30 else []
    first, *rest = lines or [check.detail]
    if above:
        out.print(f"[{colour}]{sign}[/] {escape(check.name)}")
        rest = [first, *rest]
    else:
        out.print(f"[{colour}]{sign}[/] {escape(check.name.ljust(width))}  {escape(first)}")
    for line in rest:
        out.print(" " * indent + escape(line))
