"""The last links of a mail's path: the relay, tested from here, and Alertmanager's recent notifications."""

import ssl
import time
from collections.abc import Mapping
from pathlib import Path

from formats.durations import humanize
from formats.json_types import JsonValue
from ops.checks import live_routing
from ops.clients.mailbox import SmtpProbe
from ops.clients.metrics_page import Exposition
from ops.clients.prometheus import Prometheus
from ops.diagnosis.case import Case
from ops.diagnosis.chain import (
    Step,
    broken,
    log_command,
    not_applicable,
    ok,
    verb_command,
)
from ops.errors import OpsError
from ops.sandbox import state
from ops.targets import Target
from ops.words import count_noun
from routing import tree

RECENT = 900.0  # seconds in which a failure counts
STEP = 5.0


def relay(case: Case) -> Step:
    """The mail relay accepts connection, TLS and login, as far as that can be tested without sending a mail."""
    target = case.target
    config = target.alertmanager.status().config
    by_name = tree.receivers(config)
    arrived = live_routing.labels_there(target, case.alerts)
    mails = [
        mail
        for alert in case.alerts
        for match in live_routing.matches(config, arrived[alert.name])
        for mail in (by_name.get(match.receiver) or {}).get("email_configs") or ()
    ]
    if not mails:
        return not_applicable("no mail on this path")
    general = config.get("global") or {}
    for host in dict.fromkeys(_smtp(mail, general, "smarthost") for mail in mails):
        mail = next(one for one in mails if _smtp(one, general, "smarthost") == host)
        step = _try_relay(target, str(host), mail, general)
        if step.status != "pass":
            return step
    return step


def recent_notifications(case: Case) -> Step:
    """Alertmanager's last notifications of these alerts' kinds (mails, webhooks …) were sent, each kind by itself."""
    target = case.target
    own = target.alertmanager.metrics()
    said = []
    for kind in _kinds(case):
        found = _recent(target, own, kind)
        if found.status == "fail":
            return found
        said.append(found.detail)
    return ok("; ".join(said)) if said else not_applicable("nobody is told by any of these receivers")


def _kinds(case: Case) -> list[str]:
    """How the receivers of these alerts tell somebody, as Alertmanager counts it: `email`, `webhook`, …."""
    config = case.target.alertmanager.status().config
    by_name = tree.receivers(config)
    arrived = live_routing.labels_there(case.target, case.alerts)
    kinds = (
        key.removesuffix("_configs")
        for alert in case.alerts
        for match in live_routing.matches(config, arrived[alert.name])
        for key, entries in (by_name.get(match.receiver) or {}).items()
        if key.endswith("_configs") and entries
    )
    return list(dict.fromkeys(kinds))


def _recent(target: Target, own: Exposition, kind: str) -> Step:
    """The last notifications of one kind. A heartbeat that is taken must not hide mails that are refused."""
    total = own.total("alertmanager_notifications_total", integration=kind) or 0.0
    failures = {
        one.labels.get("reason", "unknown"): one.value
        for one in own.samples("alertmanager_notifications_failed_total", integration=kind)
        if one.value
    }
    attempts = own.total("alertmanager_notification_requests_failed_total", integration=kind) or 0.0
    of_kind = f'{{integration="{kind}"}}'
    lost = last_rise(target.prometheus, f"sum(alertmanager_notification_requests_failed_total{of_kind})")
    went = last_rise(
        target.prometheus,
        f"sum(alertmanager_notification_requests_total{of_kind}) "
        f"- sum(alertmanager_notification_requests_failed_total{of_kind})",
    )
    why = ", ".join(f"{count:.0f} × {kind}: {reason}" for reason, count in failures.items())
    said = f"{count_noun(round(total), 'notification')} by {kind} since its start, {sum(failures.values()):.0f} failed"
    said += f" ({why})" if why else ""
    scraped = bool(target.prometheus.query("group(alertmanager_notification_requests_total)"))
    lately = lost is not None and (went is None or lost > went)
    if lately or (not scraped and attempts and sum(failures.values()) >= total):
        when = f"{humanize(time.time() - lost)} ago" if lost is not None else "the last time"
        return broken(
            f"Alertmanager failed to send a notification {when}, and has sent none since "
            f"({said}, {count_noun(round(attempts), 'refused attempt')}); "
            "its log has the relay's answer (`Notify for alerts failed`, `Notify attempt failed`)",
            _log_file(target),
        )
    return ok(said)


def last_rise(prometheus: Prometheus, query: str) -> float | None:
    """When a counter last rose in the last 15 minutes (seconds since the epoch); None where it did not."""
    now = time.time()
    last = None
    for series in prometheus.query_range(query, now - RECENT, now, STEP):
        for (_, before), (at, value) in zip(series.points, series.points[1:], strict=False):
            if value > before:
                last = max(at, last or at)
    return last


def _try_relay(target: Target, host: str, mail: Mapping[str, JsonValue], general: Mapping[str, JsonValue]) -> Step:
    """Test connection and TLS; in the sandbox, whose password can be read, the login too."""
    require_tls = _smtp(mail, general, "require_tls") is not False
    forced = _smtp(mail, general, "force_implicit_tls")
    implicit_tls = forced if isinstance(forced, bool) else None
    user = _smtp(mail, general, "auth_username")
    if not target.is_sandbox:
        try:
            seen = SmtpProbe(host, timeout=5.0).check(require_tls=require_tls, implicit_tls=implicit_tls)
        except (OpsError, ValueError) as error:
            return not_applicable(
                f"from this machine, {error}; Alertmanager may reach it by another route, see the next link"
            )
        return not_applicable(f"{host} answers from here with {seen.tls or 'no TLS'}; for the login see the next link")
    next = verb_command(target, "test-alert")
    file = _smtp(mail, general, "auth_password_file")
    password = None
    if file:
        try:
            password = Path(str(file)).read_text("utf-8").strip()
        except OSError as error:
            return broken(
                f"Alertmanager cannot read the relay's password ({file}: {error.strerror}); "
                "write the password to that file",
                next,
            )
    authority = state.running().smtp_ca_file
    context = ssl.create_default_context(cafile=authority) if authority else None
    try:
        seen = SmtpProbe(host, timeout=5.0).check(
            username=str(user) if user else None,
            password=password,
            require_tls=require_tls,
            implicit_tls=implicit_tls,
            context=context,
        )
    except OpsError as error:
        return broken(str(error), next)
    return ok(
        f"{host} accepts a connection with {seen.tls or 'no TLS'}"
        + (f" and the login of {user}" if seen.authenticated else "")
    )


def _smtp(mail: Mapping[str, JsonValue], general: Mapping[str, JsonValue], key: str) -> JsonValue:
    """A setting of a receiver's mail, or the inherited one of `global`."""
    return mail[key] if mail.get(key) not in (None, "") else general.get(f"smtp_{key}")


def _log_file(target: Target) -> str:
    if not target.is_sandbox:
        return f"{log_command(target, target.settings.alertmanager)} | grep -i notify"
    return f"grep -i notify {state.running().processes['alertmanager']['log']} | tail -5"
