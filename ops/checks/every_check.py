"""The one list of every check, and waiting until all of them pass."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

import dashboards
import routing
import rules
from formats.durations import humanize
from ops.checks import (
    Check,
    active_alerts,
    each_replica,
    error_budget,
    evaluation_time,
    failed,
    heartbeats,
    live_dashboard,
    prerequisites,
    skipped,
)
from ops.checks import live_routing as routing_checks
from ops.checks import live_rules as rule_checks
from ops.checks import metric_presence as metric_checks
from ops.checks.findings import Report
from ops.checks.metric_sources import Sources
from ops.errors import OpsError
from ops.targets import Target
from ops.words import brief
from routing.on_call import with_on_call

PAUSE = 2.0  # seconds between two rounds of checks while waiting
REPEAT_AFTER = 15.0  # seconds between two lines of progress that say the same


def check_until_passed(target: Target, limit: float, say: Callable[[str], None]) -> Report:
    """Run the checks until all pass, for at most `limit` seconds plus the `Grace` of those that failed.

    What is recorded or scraped at an interval may be missing until then without a fault. `say` gets the progress.
    Raises errors of the data packages only.
    """
    first = announced = time.monotonic()
    ends: dict[str, float] = {}
    announced_names: list[str] = []
    while True:
        began = time.monotonic()
        report = run_checks(target)
        now = time.monotonic()
        for check in report.failures:
            late = now + limit + check.grace.seconds if check.grace else first + limit
            ends[check.name] = min(late, ends.get(check.name, late))  # a later round may know a shorter interval
        missing = [check.name for check in report.failures]
        if not missing or began + PAUSE > (end := max(ends[name] for name in missing)):
            return report
        if missing != announced_names or now - announced >= REPEAT_AFTER:
            say(_waiting(report.failures, end - now))
            announced_names, announced = missing, now
        time.sleep(PAUSE)


def _waiting(failures: Sequence[Check], left: float) -> str:
    """The line of progress: what is waited for, how long at most, and why."""
    late = [check.grace for check in failures if check.grace]
    why = f" ({max(late, key=lambda one: one.seconds).why})" if late else ""
    return f"waiting for {brief([check.name for check in failures])}, up to {humanize(left)}{why} …"


@dataclass
class _CheckRun:
    """Collects checks. A check that raises has failed; those that need the same service are skipped."""

    checks: list[Check] = field(default_factory=list)
    unanswered: set[str] = field(default_factory=set)  # the services that did not answer
    incomplete: bool = False

    def check(self, name: str, check: Callable[[], Check | Iterable[Check]], *needs: str) -> None:
        """Run a check, unless a service that it `needs` did not answer; `name`: where it raises or is skipped."""
        missing = [service for service in needs if service in self.unanswered]
        if missing:
            self.checks.append(skipped(name, f"not checked, as {brief(missing)} did not answer"))
            return
        try:
            found = check()
            self.checks += [found] if isinstance(found, Check) else found
        except OpsError as error:
            self.incomplete = True
            self.unanswered.add(name)
            self.checks.append(failed(name, str(error)))

    def check_subject(self, name: str, check: Callable[[], Check]) -> None:
        """Like `check`, for what is itself under test: where it does not answer, the check failed, and no more."""
        try:
            self.checks.append(check())
        except OpsError as error:
            self.checks.append(failed(name, str(error)))


def run_checks(target: Target) -> Report:
    """Every check, in the order of dependence. Raises errors of the data packages only."""
    contract = target.contract
    files = rules.load(stack=target.name, native=contract.native)
    every = {alert.name: alert for file in files for alert in file.alerts}
    ours = with_on_call(routing.load(), target.settings.on_call)
    board = dashboards.load(native=contract.native)
    drawn = dashboards.deployed(board, every.values())
    sources = Sources(target, contract, files)
    run = _CheckRun()
    run.check("prometheus", lambda: prerequisites.prometheus(target))
    run.check("alertmanager", lambda: prerequisites.alertmanager(target))
    for server in (target.settings.prometheus, target.settings.alertmanager):
        run.check(f"pods/{server.named.partition('/')[2]}", partial(prerequisites.pods, target, server))
    run.check("grafana", lambda: prerequisites.grafana(target))
    run.check_subject("metrics-endpoint", lambda: prerequisites.metrics_endpoint(target))
    run.check("scrape-target", lambda: prerequisites.scrape_target(target, sources.scrape()), "prometheus")
    run.check("delivery", lambda: prerequisites.delivery(target), "prometheus")
    run.check("rules", lambda: rule_checks.running(target, files), "prometheus")
    run.check("evaluation", lambda: evaluation_time.keeps_up(target.prometheus, files), "prometheus")
    run.check("rules/replicas", lambda: each_replica.run_rules(target, files), "prometheus")
    run.check("versions/prometheus", lambda: each_replica.versions(target, "prometheus"), "prometheus")
    run.check("routing", lambda: routing_checks.live(target, ours, every.values()), "alertmanager")
    run.check("routing/replicas", lambda: each_replica.run_routing(target, ours), "alertmanager")
    run.check("versions/alertmanager", lambda: each_replica.versions(target, "alertmanager"), "alertmanager")
    run.check("routing/watchdog", lambda: routing_checks.watchdog(target, every.values()), "prometheus", "alertmanager")
    if target.settings.on_call.heartbeat:  # else nobody misses it, also where Alertmanager is dead
        run.check("routing/heartbeat", lambda: heartbeats.posted(target), "prometheus", "alertmanager")
    run.check("queries", lambda: metric_checks.queries(target.prometheus, contract, sources), "prometheus")
    run.check("metrics", lambda: metric_checks.present(target.prometheus, contract, sources), "prometheus")
    run.check("buckets", lambda: metric_checks.buckets(target.prometheus, contract, every, sources), "prometheus")
    if error_budget.is_recorded(files):
        run.check("error-budget", lambda: error_budget.recorded(target.prometheus, sources), "prometheus")
    run.check("dashboard", lambda: live_dashboard.present(target, drawn), "grafana")
    run.check("panels", lambda: live_dashboard.panels(target, board, sources), "prometheus")
    run.check("alerts", lambda: active_alerts.active(target.prometheus, every), "prometheus")
    return Report(target.name, tuple(run.checks), run.incomplete)
