"""Two proofs that a drill's mail was sent: the mail itself, or Alertmanager's counters."""

import time
from collections.abc import Callable, Sequence
from itertools import cycle

from formats.durations import humanize
from ops.checks import Check, failed, passed
from ops.clients.alertmanager import Alertmanager
from ops.clients.mailbox import Mail
from ops.drill.drill_alert import Drill
from ops.replay import alert_path
from ops.targets import Target
from ops.words import brief, count_noun

MARGIN = 30.0  # seconds on top of the route's own waiting, for Alertmanager, the network and the relay
SETTLE_TIME = 10.0  # seconds for which an alert is left firing at most, once a mail was counted
PAUSE = 0.3  # seconds between two checks
_ATTEMPTS, _REFUSALS = "alertmanager_notification_requests_total", "alertmanager_notification_requests_failed_total"
PROGRESS_INTERVAL = 10.0  # seconds between two lines of progress
LOOKS = 5  # at the counters before a mail is waited for: each may reach another replica


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


class MailProof:
    """Proof by the mails themselves, where a mail sink can be read: in the sandbox."""

    def __init__(self, target: Target, drill: Drill, path: alert_path.AlertPath) -> None:
        self._target, self._drill, self._path = target, drill, path
        self._fired: Mail | None = None

    def firing(self, limit: float, say: Callable[[str], None]) -> list[Check]:
        """The mail that says that it fires, within `limit` seconds."""
        found = _wait_for(limit, lambda: self._mail(resolved=False), say)
        if not isinstance(found, Mail):
            hint = _too_early(self._path, limit) or _delivery_hint(self._target)
            return [failed("mail", f"no mail within {limit:.0f} s; {hint}")]
        self._fired = found
        return [passed("mail", f"received {found.subject!r}"), *self._mail_checks(found, self._path.mails[0].subject)]

    def resolved(self, limit: float, say: Callable[[str], None]) -> list[Check]:
        """The mail that says that it is resolved, within `limit` seconds."""
        found = _wait_for(limit, lambda: self._mail(resolved=True), say)
        name = "resolved-mail"
        if not isinstance(found, Mail):
            hint = _too_early(self._path, limit) or f"is send_resolved true for {self._path.mails[0].receiver}?"
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
        name, said = self._drill.name, self._drill.annotations
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


class CounterProof:
    """The proof where nobody reads the mailbox: Alertmanager's own count of mails that the relay took, or refused.

    Each of `replicas` counts for itself, and begins again when it is restarted: only counts of the same process are
    compared, and one that is seen for the first time proves nothing. What is given as one may lead to several.
    """

    def __init__(self, target: Target, path: alert_path.AlertPath, replicas: Sequence[Alertmanager]) -> None:
        self._target, self._path = target, path
        self._next, self._looks = cycle(replicas), len(replicas) if len(replicas) > 1 else LOOKS
        # (taken, refused) of each process, by the moment at which it was started: before the proof, and when last seen.
        self._before: dict[float, tuple[float, float]] = {}
        self._last: dict[float, tuple[float, float]] = {}
        self._counted: set[float] = set()
        self._look_at_each()

    def firing(self, limit: float, say: Callable[[str], None]) -> list[Check]:
        """The mail that says that it fires, within `limit` seconds."""
        # Another alert's mail may have been counted. Resolved before its own first mail, ours would never be sent.
        settled = time.monotonic() + min(self._path.next_mail, SETTLE_TIME) + 1
        check = self._wait("mail", limit, say)
        time.sleep(max(0.0, settled - time.monotonic()))
        self._look_at_each()
        return [check]

    def resolved(self, limit: float, say: Callable[[str], None]) -> list[Check]:
        """The mail that says that it is resolved, within `limit` seconds."""
        return [self._wait("resolved-mail", limit, say)]

    def _wait(self, name: str, limit: float, say: Callable[[str], None]) -> Check:
        self._before, self._counted = dict(self._last), set()
        found = _wait_for(limit, self._taken, say)
        if found is not None:
            return passed(
                name,
                f"the relay took {found} for {brief(self._path.recipients)} from Alertmanager; "
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
        return count_noun(round(taken), "mail")

    def _more(self, process: float) -> tuple[float, float]:
        """(taken, refused) mails of a process since the proof began, or since it was first seen."""
        now, before = self._last[process], self._before[process]
        return now[0] - before[0], now[1] - before[1]

    def _look_at_each(self) -> None:
        """At every replica; of one that leads to several, if each look reaches the next one."""
        for _ in range(self._looks):
            self._look()

    def _look(self) -> float:
        """Counts mails so far; of this receiver alone where Alertmanager counts them by receiver. Returns the process.

        Requests are counted, as a notification that is being retried counts neither as sent nor as failed.
        """
        page = next(self._next).metrics()
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
        said = count_noun(round(refused), "refusal")
        return f"Alertmanager counts {said} by the relay; run {command}, which tries the relay"
    return f"run {command}, which names the first broken link"
