"""The result of checks, for people and for programs."""

import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich.markup import escape

from ops.checks import Check
from ops.options import console

_SIGNS = {"pass": ("✓", "green"), "fail": ("✗", "red"), "skip": ("–", "yellow")}


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


def show(report: Report) -> None:
    """Print a report for people: a line for each check, then the counts."""
    out = console()
    width = max((len(check.name) for check in report.checks), default=0)
    for check in report.checks:
        sign, colour = _SIGNS[check.status]
        first, *rest = _lines(check.detail, width + 4)
        out.print(f"[{colour}]{sign}[/] {escape(check.name.ljust(width))}  {escape(first)}")
        for line in rest:
            out.print(" " * (width + 4) + escape(line))
    counts = Counter(check.status for check in report.checks)
    colour = "red" if report.failures else "green"
    out.print(
        f"[bold {colour}]{report.target}: {counts['pass']} passed, {counts['fail']} failed, {counts['skip']} skipped[/]"
    )


def _lines(text: str, indent: int) -> Sequence[str]:
    """`text` in lines that fit beside the names; one line where there is no terminal."""
    room = shutil.get_terminal_size().columns - indent
    if not sys.stdout.isatty() or room < 30:
        return [text]
    return textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]
