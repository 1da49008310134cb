"""How often a real Alertmanager posts a heartbeat."""

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from werkzeug import Request, Response

from components.settings import Heartbeat, OnCall
from ops.checks import heartbeats
from ops.clients.metrics_page import Exposition, Reading
from ops.faults.scaled_clock import Clock
from ops.faults.scaled_config import alertmanager_text
from routing.on_call import with_on_call
from tests.routing.our_routing import LABELS
from tests.support import real_servers
from tests.support.our_routes import ROUTING
from tests.support.stand_in import stand_in
from tests.support.waiting import until

INTERVAL = 1.0  # real seconds


@pytest.mark.parametrize("alike", [False, True], ids=["as it is written", "with both intervals alike"])
def test_a_beat_comes_in_each_interval_unless_repeat_and_group_interval_are_alike(tmp_path: Path, alike: bool) -> None:
    """A loaded machine delays beats, so that some gaps grow and some shrink: there of all, here of the least."""
    beats: list[float] = []

    def hear(request: Request) -> Response:
        assert request.method == "POST"
        beats.append(time.monotonic())
        return Response("ok")

    with stand_in(hear) as url:
        (tmp_path / "url").write_text(f"{url}/beat", "utf-8")
        beat = Heartbeat(str(tmp_path / "url"), "1m")
        written = with_on_call(ROUTING, OnCall(None, None, None, None, None, beat))
        text = alertmanager_text(
            written.config, Clock(60 / INTERVAL, 0.0, 0.0), smarthost="127.0.0.1:9", user="", password_file=""
        )
        assert "repeat_interval: 500ms" in text
        if alike:
            text = text.replace("repeat_interval: 500ms", "repeat_interval: 1s")
        with real_servers.alertmanager(tmp_path, text) as server:
            now = datetime.now(UTC)
            server.post_alerts(
                [
                    {
                        "labels": dict(labels),
                        "startsAt": now.isoformat(),
                        "endsAt": (now + timedelta(hours=1)).isoformat(),
                    }
                    for labels in LABELS.values()
                    if labels["severity"] == "none"
                ]
            )
            until(lambda: len(beats) >= 6, "no six beats came")
            taken = heartbeats.judge(beat, [server.metrics()], None, alone=True, now=time.time())
    gaps = [after - before for before, after in pairwise(beats)]
    if alike:
        assert sum(gaps) / len(gaps) > 1.5 * INTERVAL, "every second beat is left out"
    else:
        assert min(gaps) < 1.5 * INTERVAL
    assert taken.status == "pass", taken


# ── the check of verify, by what Alertmanager and Prometheus count ──

NOW = 1_800_000_000.0
BEAT = Heartbeat("/etc/am/beat", "1m")


def metrics(posts: float, refused: float, *, since: float = 3600.0, **labels: str) -> Exposition:
    """A page on which webhooks are counted so, of an Alertmanager that was loaded `since` seconds ago."""
    counted: Mapping[str, float] = {
        "alertmanager_notification_requests_total": posts,
        "alertmanager_notification_requests_failed_total": refused,
    }
    mails = [(name, {"integration": "email", **labels}, 7.0) for name in counted]
    hooks = [(name, {"integration": "webhook", **labels}, value) for name, value in counted.items()]
    failed = ("alertmanager_notifications_failed_total", {"integration": "webhook", "reason": "clientError"}, refused)
    loaded = ("alertmanager_config_last_reload_success_timestamp_seconds", dict[str, str](), NOW - since)
    every = [*mails, *hooks, failed, loaded]
    return Exposition(tuple(Reading(name, found, value) for name, found, value in every))


@pytest.mark.parametrize(
    ("pages", "lately", "status", "words"),
    [
        ([metrics(50, 0)], (5.0, 0.0), "pass", "50 heartbeats taken since Alertmanager's start, 0 refused"),
        (
            [metrics(50, 3)],
            None,
            "pass",
            "47 heartbeats taken since Alertmanager's start, 3 refused (Prometheus does not",
        ),
        ([metrics(0, 0), metrics(9, 0)], None, "pass", "9 heartbeats taken"),  # of two replicas one posts
        (
            [metrics(50, 45)],
            (5.0, 5.0),
            "fail",
            "no heartbeat was taken in the last 5 min (45 × clientError): check that",
        ),
        ([metrics(9, 9)], None, "fail", "no heartbeat was taken since Alertmanager's start (9 × clientError)"),
        ([metrics(50, 0)], (0.0, 0.0), "fail", "no heartbeat was posted in the last 5 min: check that no silence"),
        ([metrics(0, 0)], None, "fail", "no heartbeat was posted since Alertmanager's start"),
        ([metrics(0, 0, since=30)], None, "skip", "Alertmanager has had this for 30 s only; look again later"),
        ([metrics(2, 2, since=30)], (0.0, 0.0), "skip", "0 heartbeats taken since Alertmanager's start, 2 refused"),
    ],
)
def test_verify_says_whether_heartbeats_are_taken(
    pages: list[Exposition], lately: tuple[float, float] | None, status: str, words: str
) -> None:
    found = heartbeats.judge(BEAT, pages, lately, alone=True, now=NOW)
    assert (found.name, found.status) == ("routing/heartbeat", status)
    assert words in found.detail


def test_webhooks_of_others_are_told_from_heartbeats_where_that_can_be() -> None:
    shared = heartbeats.judge(BEAT, [metrics(50, 0)], None, alone=False, now=NOW)
    assert shared.detail.startswith("50 webhooks taken")
    ours, theirs = (
        metrics(4, 4, receiver_name="ns/obj/api-performance-heartbeat"),
        metrics(90, 0, receiver_name="theirs"),
    )
    both = Exposition((*ours.readings, *(one for one in theirs.readings if "receiver_name" in one.labels)))
    apart = heartbeats.judge(BEAT, [both], None, alone=False, now=NOW)
    assert apart.status == "fail"
    assert apart.detail.startswith("no heartbeat was taken since")


def test_a_long_interval_has_a_longer_look() -> None:
    hourly = replace(BEAT, interval="1h")
    found = heartbeats.judge(hourly, [metrics(9, 0, since=9000)], (0.0, 0.0), alone=True, now=NOW)
    assert "no heartbeat was posted in the last 3 h" in found.detail
