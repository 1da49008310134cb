"""The guide's success criteria: met or not, and why."""

import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime

import rules
from formats.durations import humanize
from ops import evidence, targets
from ops.checks import Check, failed, passed, skipped
from ops.errors import OpsError
from ops.repo import files, tracking
from ops.targets import Target
from ops.window import MINUTE
from ops.words import brief, count_noun

GROUP = "api_performance"
QUIET_PERIOD = 6 * 3600.0  # seconds without a false alarm


def judge(target: Target, checks: Sequence[Check]) -> list[Check]:
    """One check for each criterion, from the checks of `verify`, our records, and the past in Prometheus.

    Raises errors of the data packages only.
    """
    alerts = rules.alerts(stack=target.name)
    ours = [name for name, alert in alerts.items() if alert.group == GROUP]
    told = [name for name in ours if not alerts[name].is_shadow]
    always = [name for name, alert in alerts.items() if alert.is_watchdog]
    return [
        _all(f"All alert rules are loaded in Prometheus ({len(ours)} in {GROUP})", checks, "rules"),
        _all("Alertmanager shows the updated routing", checks, "routing"),
        _all("The Grafana dashboard is accessible and shows data", checks, "dashboard", "panel", "panels"),
        _judged_safely("The test alert was received by mail", lambda name: _mail(target, name)),
        _judged_safely(
            "No false-positive alerts in the first 6 hours", lambda name: _no_false_positive(target, name, told, always)
        ),
        _judged_safely("Baseline metrics are documented", lambda name: _baseline(target, name)),
    ]


def _judged_safely(name: str, judged: Callable[[str], Check]) -> Check:
    try:
        return judged(name)
    except OpsError as error:
        return failed(name, str(error))


def _all(name: str, checks: Sequence[Check], *prefixes: str) -> Check:
    """Met when every check passed whose name begins with one of `prefixes`."""
    about = [check for check in checks if check.name.partition("/")[0] in prefixes]
    wrong = [f"{check.name}: {check.detail}" for check in about if check.status == "fail"]
    if wrong:
        return failed(name, brief(wrong, 1))
    left_out = [f"{check.name}: {check.detail}" for check in about if check.status == "skip"]
    good = [check for check in about if check.status == "pass"]
    if not good:
        return skipped(name, brief(left_out, 1) or "there is no such check")
    rest = f"; left out: {brief(left_out, 2)}" if left_out else ""
    first = f": {good[0].detail}" if len(good) == 1 else ""
    return passed(name, f"{count_noun(len(good), 'check')} passed{first}{rest}")


def _mail(target: Target, name: str) -> Check:
    record = evidence.read(target.name).get("test-alert")
    if record is None or not record["delivered"]:
        return failed(name, f"not tested from this machine yet; run `bin/ops test-alert --target {target.name}`")
    return passed(name, f"{record['evidence']} on {_day(str(record['at']))}")


def _no_false_positive(target: Target, name: str, ours: Collection[str], always: Collection[str]) -> Check:
    """No alert fired in 6 hours. The watchdog, which always fires, shows since when the rules run."""
    window = f"[{QUIET_PERIOD:.0f}s"
    names = "|".join(ours)
    fired = target.prometheus.query(
        f'count by (alertname) (count_over_time(ALERTS{{alertstate="firing",alertname=~"{names}"}}{window}]))'
    )
    if fired:
        which = brief(sorted(sample.labels["alertname"] for sample in fired))
        return failed(
            name,
            f"{which} fired in the last 6 hours; "
            f"if that was a false alarm, run `bin/ops tune ALERT --target {target.name}`",
        )
    seen = target.prometheus.query(
        f'min(min_over_time(timestamp(ALERTS{{alertstate="firing",alertname=~"{"|".join(always)}"}}){window}:1m]))'
    )
    ran = time.time() - seen[0].value if seen else 0.0
    if ran < QUIET_PERIOD - 6 * MINUTE:
        since = f"for {humanize(ran // MINUTE * MINUTE)} only" if ran >= MINUTE else "for less than a minute"
        return failed(name, f"none so far, but the rules run {since}; look again in {humanize(QUIET_PERIOD - ran)}")
    return passed(name, f"none of {count_noun(len(ours), 'alert')} fired in the last 6 hours")


def _baseline(target: Target, name: str) -> Check:
    document = tracking.place(None, tracking.DOCUMENT, targets.documents(target.name))
    where = files.shown(document.path)
    _, text = document.read("restore it")
    body = tracking.record(text, target.name, where=where)
    if not body:
        command = f"bin/ops baseline --target {target.name}"
        return failed(name, f"{where} has none of {target.name}; run `{command}` after a day of traffic")
    return passed(name, f"in {where}: {body.splitlines()[0].rstrip('.')}")


def _day(moment: str) -> str:
    try:
        return datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    except ValueError:
        return moment
