"""Which of our alerts are pending or firing, and the first step of the runbook."""

import re
import time
from collections.abc import Collection, Mapping
from pathlib import Path

from formats.durations import humanize
from ops.checks import Check, failed, passed, skipped
from ops.clients.prometheus import ActiveAlert, Prometheus
from ops.window import parse_moment, stamp
from ops.words import agree, brief
from rules import Alert

# Evaluations after which a restarted Prometheus has restored the state of alerts with a `for`.
RESTORED = 2
RUNBOOKS = Path(__file__).resolve().parent.parent.parent / "docs" / "runbooks"


def active(prometheus: Prometheus, alerts: Mapping[str, Alert], runbooks: Path = RUNBOOKS) -> list[Check]:
    """A check for each pending or firing alert, with its runbook's first step; one check where there is none."""
    ours = {name for name, alert in alerts.items() if not alert.is_watchdog}
    found = [alert for alert in prometheus.alerts() if alert.name in ours]
    if not found:
        return [_no_active_alert(prometheus, ours)]
    checks, uptime = [], _uptime(prometheus)
    waits = {rule.name: rule.duration for group in prometheus.rules() for rule in group.rules}
    for name in sorted({alert.name for alert in found}):
        of_it = [alert for alert in found if alert.name == name]
        firing = [alert for alert in of_it if alert.state == "firing"]
        chosen = firing or of_it
        began = min(parse_moment(alert.active_at) for alert in chosen)  # when its expression became true
        told, fires = _values(chosen, alerts[name]), began + waits.get(name, alerts[name].for_)
        if firing:
            state = f"firing since {stamp(fires)} UTC ({told})"
        else:
            state = f"pending since {stamp(began)} UTC, fires at {stamp(fires)} ({told})"
        detail = f"{state}; first: {first_step(name, runbooks)}"
        if alerts[name].is_shadow:
            checks.append(skipped(f"alert/{name}", f"{state}; a shadow, of which nobody is told"))
            continue
        settled = RESTORED * alerts[name].interval
        if firing:
            checks.append(failed(f"alert/{name}", detail))
        elif alerts[name].for_ and uptime is not None and uptime < settled:
            why = f"Prometheus has just started, and it may have been firing before; check again in {humanize(settled)}"
            checks.append(skipped(f"alert/{name}", f"{detail}; {why}"))
        else:
            checks.append(skipped(f"alert/{name}", detail))
    return checks


def _no_active_alert(prometheus: Prometheus, ours: Collection[str]) -> Check:
    """The check where no alert is active; skipped while some alerts have not been evaluated yet."""
    early = {
        rule.name: group.interval
        for group in prometheus.rules()
        for rule in group.rules
        if not rule.recording and rule.name in ours and rule.health == "unknown"
    }
    if not early:
        return passed("alerts", f"none of {len(ours)} is pending or firing")
    return skipped(
        "alerts",
        f"none of {len(ours)} is pending or firing so far, but {len(early)} of them "
        f"{agree(len(early), 'has', 'have')} not been evaluated yet; "
        f"check again in {humanize(max(early.values()))}",
    )


def _uptime(prometheus: Prometheus) -> float | None:
    """For how many seconds Prometheus has run; None where it has no such metric."""
    started = prometheus.metric("process_start_time_seconds")
    return None if started is None else time.time() - started


def _values(active: list[ActiveAlert], alert: Alert) -> str:
    """The values, worst first, each with the labels that tell its series from the others."""
    worst = sorted(active, key=lambda one: one.value, reverse=not alert.limit.fires_below)
    shown = []
    for one in worst:
        own = ", ".join(value for key, value in sorted(one.labels.items()) if key not in alert.label_set)
        shown.append(f"{one.value:.4g} on {own}" if own and len(active) > 1 else f"{one.value:.4g}")
    return f"{brief(shown)}, limit {alert.limit.text}"


def first_step(name: str, runbooks: Path = RUNBOOKS) -> str:
    """The first step under "Diagnosis" in an alert's runbook, on one line."""
    path = runbooks / f"{name}.md"
    if not path.is_file():
        return f"write its runbook, docs/runbooks/{name}.md does not exist"
    section = re.search(r"^##+ *Diagnosis *$(.*?)(?=^##? |\Z)", path.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    if section is None:
        return f"read docs/runbooks/{name}.md"
    step = re.search(r"^\s*(?:1\.|[-*])\s+(.+?)(?=\n\s*\n|\n\s*(?:\d+\.|[-*])\s|\n\s*```|\Z)", section[1], re.M | re.S)
    text = step[1] if step else section[1].strip().split("\n\n")[0]
    return " ".join(text.split()).rstrip(":.") + f" (docs/runbooks/{name}.md)"
