"""The drill: send a test alert, wait for its mail, resolve it, and wait for the resolved mail."""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import rules
from formats.durations import humanize
from ops.checks import Check, failed, passed, skipped
from ops.clients.mailbox import Mail
from ops.errors import Findings, Misconfigured
from ops.replay import alert_path
from ops.targets import Target
from ops.words import brief, no_such_alert

NAME = "TestAPIAlert"
LABELS = {"alertname": NAME, "severity": "warning", "component": "api"}
SIGNAL = {"signal": "drill"}
MARGIN = 30.0  # seconds on top of the route's own waiting, for Alertmanager, the network and the relay
SETTLE_TIME = 10.0  # seconds for which an alert is left firing at most, once a mail was counted
PAUSE = 0.3  # seconds between two checks
_ATTEMPTS, _REFUSALS = "alertmanager_notification_requests_total", "alertmanager_notification_requests_failed_total"
PROGRESS_INTERVAL = 10.0  # seconds between two lines of progress
LOOKS = 5  # at the counters before a mail is waited for: each may reach another replica


@dataclass(frozen=True)
class Drill:
    """The alert that is sent. `mark` is unique and stands in an annotation and a label, so that its mails are found.

    `instead_of`: labels that the rule has with another value.
    """

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    mark: str
    starts: datetime
    instead_of: Mapping[str, str] = field(default_factory=dict)

    def posted(self, ends: datetime) -> dict[str, object]:
        """The alert as Alertmanager's API takes it; it fires until `ends`."""
        return {
            "labels": dict(self.labels),
            "annotations": dict(self.annotations),
            "startsAt": self.starts.isoformat(),
            "endsAt": ends.isoformat(),
        }


def prepare(alert: str, given: list[str]) -> Drill:
    """The alert to send; `given`: further labels, each k=v. Raises Misconfigured for an unknown alert or a bad label.

    One of rules/ gets a `signal` of its own, so that it mutes no real warning while it fires.
    """
    mark = secrets.token_hex(4)
    known = rules.alerts()
    if alert == NAME:
        labels = dict(LABELS)
    elif alert in known:
        labels = known[alert].label_set | SIGNAL
    elif given:
        labels = {"alertname": alert}
    else:
        raise Misconfigured(f"{no_such_alert(alert, known)}; or give the labels of one by --label")
    for pair in given:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise Misconfigured(f"--label {pair} is not k=v; write for example --label component=api")
        labels[key] = value
    written = known[alert].label_set if alert in known and alert != NAME else {}
    return Drill(
        labels={**labels, "drill": mark},
        annotations={
            "summary": f"Test of {labels['alertname']}: nothing is wrong",
            "description": f"This is a test alert to verify email routing (drill {mark}).",
        },
        mark=mark,
        starts=datetime.now(UTC),
        instead_of={key: written[key] for key in SIGNAL if key in written and written[key] != labels[key]},
    )


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
    alertmanager = target.alertmanager
    # Dated back by the route's group_wait, which Alertmanager then regards as over: the mail goes at once.
    drill = replace(drill, starts=drill.starts - timedelta(seconds=path.first_mail))
    proof = _MailProof(target, drill, path) if target.mail else _CounterProof(target, path)
    started = time.monotonic()
    alertmanager.post_alerts([drill.posted(datetime.now(UTC) + timedelta(seconds=first + 60))])
    say(f"sent {drill.labels['alertname']} (drill {drill.mark}); waiting up to {first:.0f} s for the mail …")
    if path.same_group:
        say(f"  {brief(path.same_group)} is in its group already: the mail comes within {humanize(path.next_mail)}")
    try:
        checks += proof.firing(first, say)
        _refuse_inhibited(target, drill)
    finally:
        alertmanager.post_alerts([drill.posted(datetime.now(UTC))])
    if any(check.status == "fail" for check in checks):
        return [*checks, skipped("resolved-mail", "not waited for, as the first mail did not arrive as expected")]
    say(f"resolved it; waiting up to {after:.0f} s for the resolved mail …")
    checks += proof.resolved(after, say)
    say(f"done after {time.monotonic() - started:.0f} s")
    return checks


def _refuse_inhibited(target: Target, drill: Drill) -> None:
    """Raise Findings where another firing alert inhibits the drill's alert."""
    for notice in target.alertmanager.alerts([f'drill="{drill.mark}"']):
        if notice.inhibited_by:
            raise Findings(
                f"{drill.labels['alertname']} is inhibited by an alert that fires now; "
                f"see `bin/ops verify --target {target.name}` for which, or choose another severity"
            )


def _wait_for(limit: float, look: Callable[[], Mail | str | None], say: Callable[[str], None]) -> Mail | str | None:
    """The first result of `look` that is not None, within `limit` seconds; None after that."""
    started = reported = time.monotonic()
    while True:
        if found := look():
            return found
        now = time.monotonic()
        if now - started > limit:
            return None
        if now - reported > PROGRESS_INTERVAL:
            say(f"  … {now - started:.0f} of {limit:.0f} s")
            reported = now
        time.sleep(PAUSE)


class _MailProof:
    """Proof by the mails themselves, where a mail sink can be read: in the sandbox."""

    def __init__(self, target: Target, drill: Drill, path: alert_path.AlertPath) -> None:
        self._target, self._drill, self._path = target, drill, path
        self._fired: Mail | None = None

    def firing(self, limit: float, say: Callable[[str], None]) -> list[Check]:
        found = _wait_for(limit, lambda: self._mail(resolved=False), say)
        if not isinstance(found, Mail):
            hint = _too_early(self._path, limit) or _delivery_hint(self._target)
            return [failed("mail", f"no mail within {limit:.0f} s; {hint}")]
        self._fired = found
        return [passed("mail", f"received {found.subject!r}"), *self._mail_checks(found, self._path.mails[0].subject)]

    def resolved(self, limit: float, say: Callable[[str], None]) -> list[Check]:
        found = _wait_for(limit, lambda: self._mail(resolved=True), say)
        name = "resolved-mail"
        if not isinstance(found, Mail):
            hint = _too_early(self._path, limit) or f"is send_resolved true for {self._path.receivers[0]}?"
            return [failed(name, f"no mail within {limit:.0f} s; {hint}")]
        return [passed(name, f"received {found.subject!r}")]

    def _mail(self, *, resolved: bool) -> Mail | None:
        """The drill's first mail; with `resolved`, its first mail with another subject than that."""
        assert self._target.mail is not None
        ours = [mail for mail in self._target.mail.messages() if mail.mentions(self._drill.mark)]
        if not resolved:
            return ours[0] if ours else None
        return next((mail for mail in ours if self._fired and mail.subject != self._fired.subject), None)

    def _mail_checks(self, mail: Mail, wanted: str | None) -> list[Check]:
        name, said = self._drill.labels["alertname"], self._drill.annotations
        if {*mail.recipients} == {*self._path.recipients}:
            to = passed("recipients", brief(mail.recipients))
        else:
            to = failed(
                "recipients",
                f"it went to {brief(mail.recipients)} instead of {brief(self._path.recipients)}; "
                "check the relay's configuration",
            )
        if (wanted is not None and mail.subject != wanted) or name not in mail.subject:
            subject = failed(
                "subject", f"it is {mail.subject!r} instead of {wanted or name!r}; correct routing/alertmanager.yml"
            )
        else:
            subject = passed("subject", mail.subject)
        lacking = [key for key, text in said.items() if text not in mail.text and text not in mail.html]
        if lacking:
            content = failed(
                "content", f"the alert's {brief(lacking)} is missing in the mail; correct routing/alertmanager.yml"
            )
        else:
            content = passed("content", "it contains the summary and the description")
        return [to, subject, content]


class _CounterProof:
    """The proof where nobody reads the mailbox: Alertmanager's own count of mails that the relay took, or refused.

    Each replica behind a Service counts for itself, and begins again when it is restarted: only counts of the same
    process are compared, and one that is seen for the first time proves nothing.
    """

    def __init__(self, target: Target, path: alert_path.AlertPath) -> None:
        self._target, self._path = target, path
        # (taken, refused) of each process, by the moment at which it was started: before the proof, and when last seen.
        self._before: dict[float, tuple[float, float]] = {}
        self._last: dict[float, tuple[float, float]] = {}
        self._counted: set[float] = set()
        self._look_at_each()

    def firing(self, limit: float, say: Callable[[str], None]) -> list[Check]:
        # Another alert's mail may have been counted. Resolved before its own first mail, ours would never be sent.
        settled = time.monotonic() + min(self._path.next_mail, SETTLE_TIME) + 1
        check = self._wait("mail", limit, say)
        time.sleep(max(0.0, settled - time.monotonic()))
        self._look_at_each()
        return [check]

    def resolved(self, limit: float, say: Callable[[str], None]) -> list[Check]:
        return [self._wait("resolved-mail", limit, say)]

    def _wait(self, name: str, limit: float, say: Callable[[str], None]) -> Check:
        self._before, self._counted = dict(self._last), set()
        found = _wait_for(limit, self._taken, say)
        if found is not None:
            return passed(
                name,
                f"the relay took {found} mail(s) for {brief(self._path.recipients)} from Alertmanager; "
                "check the mailbox yourself",
            )
        if any(self._more(process)[1] > 0 for process in self._last):
            return failed(name, f"the relay refused it; {_delivery_hint(self._target)}")
        hint = _too_early(self._path, limit) or _delivery_hint(self._target)
        return failed(name, f"Alertmanager sent no mail within {limit:.0f} s; {hint}")

    def _taken(self) -> str | None:
        """How many mails a process has sent, once two looks at it say so: one that is refused counts as sent first."""
        process = self._look()
        taken, _ = self._more(process)
        if taken <= 0 or process not in self._counted:
            (self._counted.add if taken > 0 else self._counted.discard)(process)
            return None
        return f"{taken:.0f}"

    def _more(self, process: float) -> tuple[float, float]:
        """(taken, refused) mails of a process since the proof began, or since it was first seen."""
        now, before = self._last[process], self._before[process]
        return now[0] - before[0], now[1] - before[1]

    def _look_at_each(self) -> None:
        """At every replica, if each look reaches the next one."""
        for _ in range(LOOKS):
            self._look()

    def _look(self) -> float:
        """Counts mails so far; of this receiver alone where Alertmanager counts them by receiver. Returns the process.

        Requests are counted, as a notification that is being retried counts neither as sent nor as failed.
        """
        page = self._target.alertmanager.metrics()
        counts = []
        for series in _ATTEMPTS, _REFUSALS:
            every = list(page.samples(series, integration="email"))
            ours = [one for one in every if one.labels.get("receiver_name") in self._path.receivers]
            counts.append(sum(one.value for one in ours or every))
        process = page.total("process_start_time_seconds") or 0.0
        self._last[process] = counts[0] - counts[1], counts[1]
        self._before.setdefault(process, self._last[process])
        return process


def _too_early(path: alert_path.AlertPath, limit: float) -> str:
    """That news of a group may take longer than `limit` seconds; "" where it does not."""
    if limit >= path.next_mail:
        return ""
    one = f"{brief(path.same_group)} is in its group already, so" if path.same_group else "if another was just mailed,"
    return (
        f"{one} the next mail comes within {humanize(path.next_mail)} (group_interval): "
        f"repeat it with --timeout {path.next_mail + MARGIN:.0f}"
    )


def _delivery_hint(target: Target) -> str:
    """The next step after a mail that did not arrive, by Alertmanager's counters."""
    command = f"`bin/ops diagnose alerts --target {target.name}`"
    if refused := target.alertmanager.metrics().total(_REFUSALS, integration="email"):
        return f"Alertmanager counts {refused:.0f} refusals by the relay; run {command}, which tries the relay"
    return f"run {command}, which names the first broken link"
