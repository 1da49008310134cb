"""`verify`: is everything that the repository says live, and does it work?"""

import shutil
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated

import typer
from rich.markup import escape

import dashboards
import metrics
import routing
import rules
from ops import targets
from ops.checks import Check, alerts, brief, criteria, dashboard, failed, prerequisites, skipped
from ops.checks import metrics as metric_checks
from ops.checks import routing as routing_checks
from ops.checks import rules as rule_checks
from ops.checks.sources import Sources
from ops.errors import OpsError
from ops.options import PROD, Format, FormatOption, TargetOption, console, emit, progress
from ops.targets import Target
from ops.window import told as span
from routing.on_call import with_on_call

PAUSE = 2.0  # seconds between two looks while waiting
SPEAK = 15.0  # seconds between two lines of progress that say the same
_SIGNS = {"pass": ("✓", "green"), "fail": ("✗", "red"), "skip": ("–", "yellow")}


@dataclass(frozen=True)
class Report:
    """What was found at a target. `blind`: something could not be looked at."""

    target: str
    checks: tuple[Check, ...]
    blind: bool = False

    def count(self, status: str) -> int:
        """How many checks have this status."""
        return sum(check.status == status for check in self.checks)

    @property
    def failures(self) -> list[Check]:
        """The checks that are not in order."""
        return [check for check in self.checks if check.status == "fail"]

    @property
    def exit_code(self) -> int:
        """0: in order. 1: something is not. 2: something could not be looked at."""
        return 2 if self.blind else 1 if self.failures else 0

    def as_json(self) -> dict[str, object]:
        """The shape that programs read."""
        return {
            "target": self.target,
            "checks": [{"name": check.name, "status": check.status, "detail": check.detail} for check in self.checks],
            "passed": self.count("pass"),
            "failed": self.count("fail"),
            "skipped": self.count("skip"),
        }


def verify(
    target: TargetOption = PROD,
    format: FormatOption = Format.text,
    wait: Annotated[
        float,
        typer.Option(
            "--wait",
            help="Look again until all is in order, for at most so many seconds; what is recorded or scraped at an "
            "interval is waited for by that interval in addition.",
            min=0,
        ),
    ] = 0,
    success_criteria: Annotated[
        bool, typer.Option("--success-criteria", help="Print the guide's success criteria, met or not, with evidence.")
    ] = False,
) -> None:
    """Check that rules, routing and dashboard are live as in the repository, and that their data flows."""
    aim = targets.load(target)
    report = awaited(aim, wait, progress) if wait else look(aim)
    if success_criteria:
        report = Report(target, tuple(criteria.judge(aim, report.checks)), report.blind)
    if format is Format.json:
        emit(report.as_json())
    else:
        show(report)
    raise typer.Exit(report.exit_code)


def awaited(target: Target, limit: float, say: Callable[[str], None]) -> Report:
    """Look until all is in order, for at most `limit` seconds, and as much longer as what is missing may be early.

    What a rule group records, or a scrape brings, comes at an interval of its own (`Due`), which is no fault.
    `say` is told what is waited for, and how long still.
    """
    first = spoken = time.monotonic()
    ends: dict[str, float] = {}
    told: list[str] = []
    while True:
        began = time.monotonic()
        report = look(target)
        now = time.monotonic()
        for check in report.failures:
            late = now + limit + check.due.seconds if check.due else first + limit
            ends[check.name] = min(late, ends.get(check.name, late))  # at first it may know no interval yet
        missing = [check.name for check in report.failures]
        if not missing or began + PAUSE > (end := max(ends[name] for name in missing)):
            return report
        if missing != told or now - spoken >= SPEAK:
            say(_waiting(report.failures, end - now))
            told, spoken = missing, now
        time.sleep(PAUSE)


def _waiting(failures: Sequence[Check], left: float) -> str:
    """What is waited for, for how many seconds at most, and why so long."""
    late = [check.due for check in failures if check.due]
    why = f" ({max(late, key=lambda one: one.seconds).why})" if late else ""
    return f"waiting for {brief([check.name for check in failures])}, up to {span(left)}{why} …"


@dataclass
class _Look:
    """Collects checks; what cannot be looked at becomes a failed one, what needs it a skipped one."""

    checks: list[Check] = field(default_factory=list)
    away: set[str] = field(default_factory=set)  # the services that did not answer
    blind: bool = False

    def at(self, name: str, check: Callable[[], Check | Iterable[Check]], *needs: str) -> None:
        """Run one check, or several, under `name`, unless a service that it `needs` is away."""
        missing = [service for service in needs if service in self.away]
        if missing:
            self.checks.append(skipped(name, f"not looked at: {brief(missing)} did not answer"))
            return
        try:
            found = check()
            self.checks += [found] if isinstance(found, Check) else found
        except OpsError as error:
            self.blind = True
            self.away.add(name)
            self.checks.append(failed(name, str(error)))

    def finding(self, name: str, check: Callable[[], Check]) -> None:
        """Like `at`, for what is itself under test: that it does not answer is a finding."""
        try:
            self.checks.append(check())
        except OpsError as error:
            self.checks.append(failed(name, str(error)))


def look(target: Target) -> Report:
    """Every check, in the order in which a person would look. Raises errors of the data packages only."""
    files = rules.load()
    every = {
        rule.name: rule
        for file in files
        for group in file.groups
        for rule in group.rules
        if isinstance(rule, rules.Alert)
    }
    ours = with_on_call(routing.load(), target.settings.on_call)
    contract, board = metrics.load(), dashboards.load()
    drawn = dashboards.draw_limits(board.model, every.values())
    sources = Sources(target, contract, files)
    seen = _Look()
    seen.at("prometheus", lambda: prerequisites.prometheus(target))
    seen.at("alertmanager", lambda: prerequisites.alertmanager(target))
    for server in (target.settings.prometheus, target.settings.alertmanager):
        seen.at(f"pods/{server.deployment}", partial(prerequisites.pods, target, server))
    seen.at("grafana", lambda: prerequisites.grafana(target))
    seen.finding("metrics-endpoint", lambda: prerequisites.metrics_endpoint(target))
    seen.at("scrape-target", lambda: prerequisites.scrape_target(target, sources.scrape()), "prometheus")
    seen.at("delivery", lambda: prerequisites.delivery(target), "prometheus")
    seen.at("rules", lambda: rule_checks.running(target, files), "prometheus")
    seen.at("routing", lambda: routing_checks.live(target, ours, every.values()), "alertmanager")
    seen.at("routing/watchdog", lambda: routing_checks.watchdog(target, every.values()), "prometheus", "alertmanager")
    seen.at("queries", lambda: metric_checks.queries(target.prometheus, sources), "prometheus")
    seen.at("metrics", lambda: metric_checks.present(target.prometheus, contract, sources), "prometheus")
    seen.at("buckets", lambda: metric_checks.buckets(target.prometheus, contract, every, sources), "prometheus")
    seen.at("dashboard", lambda: dashboard.present(target, drawn), "grafana")
    seen.at("panels", lambda: dashboard.panels(target, board, sources), "prometheus")
    seen.at("alerts", lambda: alerts.active(target.prometheus, every), "prometheus")
    return Report(target.name, tuple(seen.checks), seen.blind)


def show(report: Report) -> None:
    """Print a report for people: one line a check, the failed ones again in the last line's count."""
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
    """`text` in lines that fit beside the names, where there is a terminal; else in one."""
    room = shutil.get_terminal_size().columns - indent
    if not sys.stdout.isatty() or room < 30:
        return [text]
    return textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]
