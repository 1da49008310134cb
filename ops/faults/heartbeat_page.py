"""The page docs/heartbeat.md: who notices when Prometheus, Alertmanager or the mail relay is dead."""

from collections.abc import Iterator, Sequence

from formats.durations import humanize
from ops.faults import heartbeat_drill
from ops.faults.heartbeat_drill import KILLED, Noticed
from ops.faults.heartbeat_stack import GRACE, INTERVAL, RELAY

TITLE = "# Outside heartbeat"
_HEAD = f"""{TITLE}

Written by `make heartbeat`; edits are lost.

An Alertmanager that is dead cannot say so, nor can a Prometheus. With the setting `heartbeatUrlFile` the watchdog, the
alert that always fires, is also posted to a URL outside: to a service that calls when it hears nothing any more (a dead
man's switch). [operating.md](operating.md#outside-heartbeat) says how to set it up.

## Who notices what

A real Prometheus with the watchdog, a real Alertmanager with our routing, a mail relay and a dead man's switch, by a
clock that runs faster. Each is killed once while all is well. Times are those of the clock, so what production would
show, exact to about half a minute. The heartbeat has an interval of {humanize(INTERVAL)}, and the switch calls
{humanize(INTERVAL + GRACE)} after the last beat (a grace time of {humanize(GRACE)})."""
_TAIL = """## What this means

- **Without Prometheus** Alertmanager regards the watchdog as over four minutes after Prometheus sent it last, which it
  does every minute. Then the heartbeats stop, and the mail "silent" is sent at the next `group_interval` (5 min) of the
  watchdog's route: 3 to 9 minutes after the end.
- **Without Alertmanager** nothing is sent at all. Only the switch notices.
- **Without the mail relay** Alertmanager goes on posting heartbeats, so the switch does not call, and **nobody is
  told**. What shows it:
  - the watchdog's daily mail is missing, up to 24 h later, if somebody looks for it;
  - many of these services can be told by mail as well: make a second switch there with a period of one day, and add
    its mail address to `to` of the receiver `api-performance-watchdog` in `routing/alertmanager.yml`. It then looks for
    that daily mail, and calls by a way that does not need the relay;
  - `bin/ops diagnose alerts` says that the last notifications were refused;
  - with `slackWebhookFile`, `pagerdutyKeyFile` or `webhookUrlFile` critical alerts arrive all the same.
- **With several replicas** of Alertmanager each posts for itself if it has not heard that another one did: a beat more
  does no harm. The switch notices when the last one is dead.
- A silence that matches the watchdog stops the heartbeats too, as does `deploySilence` while `pulumi up` runs. With a
  grace time that is longer than an `up` takes, nobody is called for that.
"""


def page(found: Sequence[Noticed], conditions: str) -> str:
    """The page, as Markdown. `conditions`: on what it was measured, a sentence without a full stop."""
    return "\n".join([_HEAD, "", f"{conditions}.", "", *_table(found), "", _TAIL])


def _table(found: Sequence[Noticed]) -> Iterator[str]:
    yield "| killed | mail that says so | last heartbeat | the switch calls | who notices |"
    yield "|---|---|---|---|---|"
    for one in found:
        mail = "none can be sent" if one.killed == RELAY else _after(one.mail, "none")
        cells = (
            KILLED[one.killed],
            mail,
            _after(one.last_beat, "they go on"),
            _after(one.call, "never"),
            _who(one),
        )
        yield f"| {' | '.join(cells)} |"
    for wrong in heartbeat_drill.problems(found):
        yield f"| **not as it should be: {wrong}** | | | | |"


def _after(seconds: float | None, never: str) -> str:
    return never if seconds is None else f"after {humanize(seconds)}"


def _who(one: Noticed) -> str:
    told = [
        *([f"whoever the switch calls, after {humanize(one.call)}"] if one.call is not None else []),
        *([f"whoever gets the mails, after {humanize(one.mail)}"] if one.mail is not None else []),
    ]
    if told:
        return "; ".join(told)
    count = "Alertmanager's own count of refused mails shows it"
    return f"**nobody is told**; {count}" + (
        f", {humanize(one.refused)} later for an alert that began at once" if one.refused is not None else ""
    )
