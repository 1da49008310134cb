"""Is the watchdog posted to the dead man's switch outside, and taken there? By the servers' own counters.

The switch itself is not asked: its address is a secret, and who runs it is not known from here.
"""

import time
from collections.abc import Iterable, Sequence

from components.settings import Heartbeat
from formats.durations import humanize, seconds
from ops.checks import Check, failed, passed, skipped
from ops.checks.live_routing import RESENT, plain
from ops.clients.alertmanager import Alertmanager
from ops.clients.metrics_page import Exposition
from ops.targets import Target
from ops.words import brief, count_noun
from routing import tree
from routing.heartbeat import RECEIVER

NAME = "routing/heartbeat"
_POSTS, _REFUSED = "alertmanager_notification_requests_total", "alertmanager_notification_requests_failed_total"
_KIND = 'integration="webhook"'


def posted(target: Target) -> list[Check]:
    """Heartbeats are posted and taken; no check where there is no heartbeat. Raises ops.errors."""
    heartbeat = target.settings.on_call.heartbeat
    if heartbeat is None:
        return []
    receivers = tree.receivers(target.alertmanager.status().config)
    if RECEIVER not in map(plain, receivers):
        return [skipped(NAME, f"receiver {RECEIVER} does not run, so nothing is posted")]
    if target.alertmanager.of_tenant:
        return [skipped(NAME, "the Alertmanager of Mimir or Cortex counts for all its tenants together")]
    alone = [plain(name) for name, receiver in receivers.items() if receiver.get("webhook_configs")] == [RECEIVER]
    found = target.replicas("alertmanager").each
    pages = [Alertmanager(replica.http).metrics() for replica in found]
    return [judge(heartbeat, pages, _lately(target, heartbeat), alone=alone, now=time.time())]


def judge(
    heartbeat: Heartbeat, pages: Sequence[Exposition], lately: tuple[float, float] | None, *, alone: bool, now: float
) -> Check:
    """The check, by the metrics of each replica and by what Prometheus has seen `lately`.

    `lately`: posts and refused ones in the last few intervals; None where Prometheus does not scrape Alertmanager.
    `alone`: no other receiver has a webhook; else all are counted together, where they are not counted by receiver.
    """
    posts, refused = (sum(_of_page(page, series) for page in pages) for series in (_POSTS, _REFUSED))
    what = "heartbeat" if alone or any(_by_receiver(page) for page in pages) else "webhook"
    said = f"{count_noun(round(posts - refused), what)} taken since Alertmanager's start, {refused:.0f} refused"
    recent, failing = lately or (posts, refused)
    if recent - failing >= 0.5:
        return passed(
            NAME, said if lately else f"{said} (Prometheus does not scrape Alertmanager: not known when last)"
        )
    since = max(map(_began, pages), default=0.0)
    if now - since < 2 * seconds(heartbeat.interval) + RESENT:
        return skipped(NAME, f"Alertmanager has had this for {humanize(now - since)} only; look again later ({said})")
    when = f"in the last {humanize(_span(heartbeat))}" if lately else "since Alertmanager's start"
    if failing > 0:
        why = brief(list(dict.fromkeys(_reasons(pages)))) or "no reason counted yet"
        return failed(
            NAME,
            f"no {what} was taken {when} ({why}): check that {heartbeat.file} is in Alertmanager's container and has "
            "the URL, and that Alertmanager reaches it; its log has `Notify for alerts failed`",
        )
    return failed(
        NAME,
        f"no {what} was posted {when}: check that no silence and no inhibition mutes the watchdog, and that "
        "routing/watchdog passes",
    )


def _span(heartbeat: Heartbeat) -> float:
    """Seconds in which some beats must have been taken."""
    return max(300.0, 3 * seconds(heartbeat.interval))


def _lately(target: Target, heartbeat: Heartbeat) -> tuple[float, float] | None:
    """Posts and refused ones in the last while, by Prometheus; None where it has no such series."""
    over = f"[{_span(heartbeat):.0f}s]"
    found = []
    for series in (_POSTS, _REFUSED):
        answer = target.prometheus.query(f"sum by (receiver_name) (increase({series}{{{_KIND}}}{over}))")
        ours = [one for one in answer if plain(one.labels.get("receiver_name", "")) == RECEIVER]
        found.append([one.value for one in ours or answer])
    return (sum(found[0]), sum(found[1])) if found[0] else None


def _of_page(page: Exposition, series: str) -> float:
    """A counter of webhooks; of our receiver alone, where Alertmanager counts by receiver."""
    every = list(page.samples(series, integration="webhook"))
    ours = [one for one in every if plain(one.labels.get("receiver_name", "")) == RECEIVER]
    return sum(one.value for one in ours or every)


def _by_receiver(page: Exposition) -> bool:
    return any(plain(one.labels.get("receiver_name", "")) == RECEIVER for one in page.samples(_POSTS))


def _began(page: Exposition) -> float:
    """Since when a replica runs what it runs now, seconds since the epoch."""
    names = "process_start_time_seconds", "alertmanager_config_last_reload_success_timestamp_seconds"
    return max(page.total(name) or 0.0 for name in names)


def _reasons(pages: Iterable[Exposition]) -> Iterable[str]:
    for page in pages:
        for one in page.samples("alertmanager_notifications_failed_total", integration="webhook"):
            if one.value:
                yield f"{one.value:.0f} × {one.labels.get('reason', 'unknown')}"
