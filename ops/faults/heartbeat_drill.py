"""Kills Prometheus, Alertmanager and the mail relay, one after the other: who notices, and after how long."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from formats.durations import humanize
from ops.build_tools import Progress
from ops.faults import heartbeat_stack
from ops.faults.heartbeat_stack import GRACE, INTERVAL, RELAY, Stack

SPEED = 20.0  # times as fast as the real clock
KILLED: Mapping[str, str] = {"prometheus": "Prometheus", "alertmanager": "Alertmanager", RELAY: "the mail relay"}
_LONGEST = 2400.0  # seconds of the clock in which anybody notices
_SILENT = "silent"  # in the subject of the mail that says that the watchdog has ended
_DRILL = "TestAPIAlert"  # has a route that waits for a second only
_REFUSED = "alertmanager_notification_requests_failed_total"


@dataclass(frozen=True)
class Noticed:
    """What followed when a part was killed, in seconds of the clock after that; None for what never came.

    `mail`: that the watchdog is silent, `last_beat`: the last heartbeat (None: they went on), `call`: by the switch,
    `refused`: Alertmanager's first count of a mail that it could not send, after an alert had begun.
    """

    killed: str
    mail: float | None
    last_beat: float | None
    call: float | None
    refused: float | None


def run(home: Path, speed: float, progress: Progress) -> list[Noticed]:
    """Kill each part of a stack in the empty folder `home`; nothing runs on.

    Raises SandboxError, ToolError, and what the clients raise.
    """
    with heartbeat_stack.running(home, speed, progress) as stack:
        return [_killed(stack, part, progress) for part in KILLED]


def _killed(stack: Stack, part: str, progress: Progress) -> Noticed:
    """Kill a part, look who notices, and start it again."""
    stack.forget()
    beating = f"no heartbeat came before {KILLED[part]} was to be killed"
    stack.until(lambda: len(stack.heard().beats) >= 3, 10 * INTERVAL, beating)
    if part != RELAY:
        stack.until(stack.mails, _LONGEST, "no mail of the watchdog came")
    progress(f"killing {KILLED[part]}")
    stack.kill(part)
    at = time.time()
    found = _relay_killed(stack, at) if part == RELAY else _server_killed(stack, part, at)
    stack.start(part)
    for what, after in vars(found).items():
        if what != "killed":
            progress(f"  {what.replace('_', ' ')}: {'never' if after is None else humanize(after)}")
    return found


def _server_killed(stack: Stack, part: str, at: float) -> Noticed:
    """Wait for the switch's call; without Prometheus, also for the mail that says so."""

    def silent() -> float | None:
        mails = (float(one["received"]) for one in stack.mails() if _SILENT in one["subject"])
        return next((moment for moment in mails if moment > at), None)

    stack.until(lambda: stack.heard().missing_since, _LONGEST, f"without {KILLED[part]} the switch did not call")
    if part == "prometheus":
        stack.until(silent, _LONGEST, f"without {KILLED[part]} no mail said so")
    heard, mail = stack.heard(), silent()
    assert heard.missing_since is not None  # it was waited for
    after = [(moment - at) * stack.clock.speed for moment in (heard.beats[-1], heard.missing_since)]
    return Noticed(part, (mail - at) * stack.clock.speed if mail else None, max(0.0, after[0]), after[1], None)


def _relay_killed(stack: Stack, at: float) -> Noticed:
    """Let an alert begin, wait until its mail is refused, and for as many beats as a switch would have missed."""
    before = _refused(stack)
    now = datetime.now(UTC)
    labels = {"alertname": _DRILL, "severity": "warning", "component": "api"}
    times = {"startsAt": now.isoformat(), "endsAt": (now + timedelta(hours=1)).isoformat()}
    stack.alertmanager.post_alerts([{"labels": labels, "annotations": {"summary": "a drill"}, **times}])
    stack.until(lambda: _refused(stack) > before, _LONGEST, "no mail was refused, though the relay is dead")
    refused = (time.time() - at) * stack.clock.speed
    patience = (INTERVAL + GRACE) / stack.clock.speed

    def decided() -> bool:
        heard = stack.heard()
        return heard.missing_since is not None or heard.beats[-1] > at + 2 * patience

    stack.until(decided, 4 * (INTERVAL + GRACE), "neither beats nor a call came")
    heard = stack.heard()
    call, last = heard.missing_since, None
    if call is not None:
        call, last = (call - at) * stack.clock.speed, max(0.0, (heard.beats[-1] - at) * stack.clock.speed)
    return Noticed(RELAY, None, last, call, refused)


def _refused(stack: Stack) -> float:
    """How many mails the relay has not taken, by Alertmanager's count."""
    return stack.alertmanager.metrics().total(_REFUSED, integration="email") or 0.0


def problems(found: Sequence[Noticed]) -> list[str]:
    """What is not as docs/heartbeat.md says, a sentence each: who has to notice, and that nobody else does."""
    wrong = []
    for one in found:
        name = KILLED[one.killed]
        if (one.call is None) != (one.killed == RELAY):
            wrong.append(f"{name} was killed, and the switch {'did not call' if one.call is None else 'called'}")
        if (one.mail is None) != (one.killed != "prometheus"):
            wrong.append(f"{name} was killed, and {'no' if one.mail is None else 'a'} mail said so")
        if one.killed == RELAY and one.refused is None:
            wrong.append(f"{name} was killed, and Alertmanager counts no mail that it could not send")
    return wrong
