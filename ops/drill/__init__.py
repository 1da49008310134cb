"""The drill: send a test alert, wait for its mail, resolve it, and wait for the resolved mail."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from formats.durations import humanize
from ops import interruption
from ops.checks import Check, failed, passed, skipped
from ops.clients.alertmanager import Alertmanager
from ops.drill.drill_alert import NAME, Drill, prepare
from ops.drill.mail_proofs import MARGIN, CounterProof, MailProof
from ops.errors import Findings, OpsError
from ops.replay import alert_path
from ops.targets import Target
from ops.words import brief

__all__ = ["NAME", "Drill", "prepare", "prove"]


def prove(
    target: Target, drill: Drill, path: alert_path.AlertPath, timeout: float | None, say: Callable[[str], None]
) -> list[Check]:
    """Send the alert and wait for both mails; one check for each step. The alert is resolved in any case.

    `timeout`: seconds for each mail; None: what the route needs. Raises what the clients raise, and Findings where
    another alert inhibits it.
    """
    if path.silenced_by:
        return [
            failed("route", f"a silence matches it ({path.silenced_by[0]}); expire the silence, or choose other labels")
        ]
    if path.muted_now:
        return [
            failed(
                "route",
                f"its route is muted now ({path.muted_now}); try TestAPIAlert, or a critical alert",
            )
        ]
    if not path.recipients:
        return [
            failed(
                "route", f"receiver {brief(path.receivers)} sends no mail; choose the labels of an alert that is mailed"
            )
        ]
    checks = [passed("route", f"{' › '.join(path.matches[0].path)} to {brief(path.receivers)}")]
    # Where an alert of the same group fires already, the mail comes after group_interval instead of group_wait.
    first = timeout or max(path.first_mail, path.next_mail) + MARGIN
    after = timeout or path.next_mail + MARGIN
    # To each replica, as Prometheus does: each waits for the others, and the first one sends the mail.
    of_tenant = target.alertmanager.of_tenant
    found = target.replicas("alertmanager", write=True).each
    replicas = [Alertmanager(replica.http, of_tenant=of_tenant) for replica in found]
    # Dated back by the route's group_wait, which Alertmanager then regards as over: the mail goes at once.
    drill = replace(drill, starts=drill.starts - timedelta(seconds=path.first_mail))
    proof = MailProof(target, drill, path) if target.mail else CounterProof(target, path, replicas)
    started = time.monotonic()
    interruption.changed(f"the test alert (drill {drill.mark}) is resolved, and its mails may still come")
    try:
        problems = _post(replicas, drill.posted(datetime.now(UTC) + timedelta(seconds=first + 60)))
        checks += [failed("replicas", f"{problem}; the others got the alert") for problem in problems]
        say(f"sent {drill.name} (drill {drill.mark}); waiting up to {first:.0f} s for the mail …")
        if path.same_group:
            say(f"  {brief(path.same_group)} is in its group already: the mail comes within {humanize(path.next_mail)}")
        checks += proof.firing(first, say)
        _refuse_inhibited(target, drill)
    finally:
        _post(replicas, drill.posted(datetime.now(UTC)))
    if any(check.status == "fail" for check in checks):
        return [*checks, skipped("resolved-mail", "not waited for, as the first mail did not arrive as expected")]
    say(f"resolved it; waiting up to {after:.0f} s for the resolved mail …")
    checks += proof.resolved(after, say)
    say(f"done after {time.monotonic() - started:.0f} s")
    return checks


def _post(replicas: Sequence[Alertmanager], alert: Mapping[str, object]) -> list[OpsError]:
    """Send an alert to each replica. Returns what went wrong at some; raises it where no replica took the alert."""
    problems = []
    for alertmanager in replicas:
        try:
            alertmanager.post_alerts([alert])
        except OpsError as problem:
            problems.append(problem)
    if len(problems) == len(replicas):
        raise problems[0]
    return problems


def _refuse_inhibited(target: Target, drill: Drill) -> None:
    """Raise Findings where another firing alert inhibits the drill's alert."""
    for notice in target.alertmanager.alerts([f'drill="{drill.mark}"']):
        if notice.inhibited_by:
            raise Findings(
                f"{drill.name} is inhibited by an alert that fires now; "
                f"see `bin/ops verify --target {target.name}` for which, or choose another severity"
            )
