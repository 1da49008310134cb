"""The one list of every check, and waiting until all of them pass."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

import dashboards
import metrics
import routing
import rules
from formats.durations import spoken
from ops.checks import Check, active_alerts, failed, live_dashboard, prerequisites, skipped
from ops.checks import live_routing as routing_checks
from ops.checks import live_rules as rule_checks
from ops.checks import metric_presence as metric_checks
from ops.checks.findings import Report
from ops.checks.metric_sources import Sources
from ops.errors import OpsError
from ops.targets import Target
from ops.words import brief
from routing.on_call import with_on_call

PAUSE = 2.0  # seconds between two looks while waiting


SPEAK = 15.0  # seconds between two lines of progress that say the same


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
    return f"waiting for {brief([check.name for check in failures])}, up to {spoken(left)}{why} …"


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
    drawn = dashboards.deployed(board, every.values())
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
    seen.at("dashboard", lambda: live_dashboard.present(target, drawn), "grafana")
    seen.at("panels", lambda: live_dashboard.panels(target, board, sources), "prometheus")
    seen.at("alerts", lambda: active_alerts.active(target.prometheus, every), "prometheus")
    return Report(target.name, tuple(seen.checks), seen.blind)
