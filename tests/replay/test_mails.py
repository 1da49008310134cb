"""The messages of the replay, held to a real Alertmanager: the same alerts at the same times, told to both."""

import json
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from werkzeug import Request, Response

from formats.json_types import JsonObject
from ops.replay import hours
from ops.replay.mails import Firing, Message, arriving, send
from routing import RoutingError, sent_labels, tree
from tests.support import real_servers
from tests.support.stand_in import stand_in

LENGTH = 13.0  # s
CASES = 24
ATTEMPTS = 12
AT_ONCE = "--dispatch.maintenance-interval=50ms"  # an empty group is gone at once, as the replay has it
LATE = 0.8  # s that a message may be late; the next flush of its group is two seconds later

CONFIG = """
route:
  receiver: nobody
  group_by: [case]
  group_wait: 1s
  group_interval: 2s
  repeat_interval: 5s
  routes:
    - matchers: [role="target", kind="loud"]
      receiver: loud
      continue: true
    - matchers: [role="target", kind="curt"]
      receiver: curt
    - matchers: [role="target", kind="loud", alertname="a"]
      receiver: apart
      group_by: ["..."]
inhibit_rules:
  - source_matchers: [role="source"]
    target_matchers: [role="target", alertname="b"]
    equal: [case]
receivers:
  - name: nobody
  - name: loud
    webhook_configs: [{url: "URL/loud", send_resolved: true}]
  - name: curt
    webhook_configs: [{url: "URL/curt", send_resolved: false}]
  - name: apart
    webhook_configs: [{url: "URL/apart"}]
"""


def firings() -> list[Firing]:
    """Alerts that come and go, each time at another fraction of a second: a flush falls on that of a start.

    So nothing happens at the very moment of a flush, where it would be chance what Alertmanager sees first.
    """
    chance = random.Random(20)
    found = []
    for case in range(CASES):
        kind = ("loud", "curt")[case % 2]
        roles = [("a", "target", 0.10), ("b", "target", 0.60), ("source", "source", 0.56)]
        for name, role, fraction in roles[: 2 + (case % 4 > 1)]:
            labels = {"alertname": name, "role": role, "kind": kind, "case": str(case)}
            at, step = chance.randrange(0, 3), 0.0 if role == "source" else 0.06
            for turn in range(4):
                start = at + fraction + turn * step
                lasts = chance.choice((0, 1, 2, 4, 6, 9)) + (0.24 if role == "target" else 1.0)
                if start < LENGTH - 2:
                    end = start + lasts if start + lasts < LENGTH else None
                    found.append(Firing(tuple(sorted(labels.items())), start, end))
                at += int(lasts) + chance.choice((1, 2, 3, 4))
    return found


def test_messages_are_those_of_alertmanager(tmp_path: Path) -> None:
    """The replay is told of each alert when Alertmanager was, however late that was on a machine under load.

    What remains is a timer of its own that was late by more than lies between two events, but not for the same group
    each time: what differs is tried again, without the rest. A replay that is wrong about a group is so each time.
    """
    alerts = firings()
    config = tree.parse(CONFIG)
    planned = send(config, alerts, LENGTH)
    assert len(planned) > 60
    assert {one.why for one in planned} == {"firing", "changed", "resolved", "repeat"}
    differing: dict[tuple[str, ...], str] | None = None
    for attempt in range(ATTEMPTS):
        told, seen = _real(tmp_path / str(attempt), alerts)
        again = _differences(send(config, told, LENGTH), seen)
        differing = {group: how for group, how in again.items() if differing is None or group in differing}
        if not differing:
            return
        alerts = [one for one in alerts if dict(one.labels)["case"] in {group[1] for group in differing}]
    pytest.fail(f"in each of {ATTEMPTS} runs: {differing}")


def _real(folder: Path, alerts: list[Firing]) -> tuple[list[Firing], list[Message]]:
    """When a real Alertmanager was told of these alerts, and what it sent."""
    folder.mkdir()
    with receiver() as (url, heard), real_servers.alertmanager(folder, CONFIG.replace("URL", url), AT_ONCE) as server:
        begin = time.time() + 0.2
        told = _tell(server.url, alerts, begin)
        time.sleep(max(0.0, begin + LENGTH + LATE - time.time()))
        return told, [_read(path, body, at - begin) for path, body, at in list(heard)]


def _differences(expected: list[Message], seen: list[Message]) -> dict[tuple[str, ...], str]:
    found = {}
    for group in sorted({_group(one) for one in [*expected, *seen]}):
        said = [one for one in expected if _group(one) == group]
        real = [one for one in seen if _group(one) == group]
        real = [*real[: len(said)], *(one for one in real[len(said) :] if one.at < LENGTH)]
        same = [(one.firing, one.resolved) for one in said] == [(one.firing, one.resolved) for one in real]
        if not same or any(abs(one.at - other.at) > LATE for one, other in zip(said, real, strict=True)):
            found[group] = f"{_brief(said)} but Alertmanager {_brief(real)}"
    return found


def _brief(messages: list[Message]) -> str:
    def names(alerts: tuple[tuple[tuple[str, str], ...], ...]) -> str:
        return "".join(dict(labels)["alertname"] for labels in alerts) or "-"

    return " ".join(f"{one.at:.2f}:{names(one.firing)}/{names(one.resolved)}" for one in messages)


def test_a_restless_alert_makes_one_mail_per_group_interval() -> None:
    """Five minutes of `group_interval` swallow what comes and goes within."""
    labels = (("alertname", "A"),)
    restless = [Firing(labels, minute * 60.0, minute * 60.0 + 30) for minute in range(60)]
    config = tree.parse("route: {receiver: r, group_wait: 10s}\nreceivers: [{name: r, email_configs: [{to: a@b.c}]}]")
    told = send(config, restless, 3600)
    assert [one.at for one in told] == [10.0]


def test_repeats_wait_for_the_flush_after_their_time() -> None:
    """A repeat that is due with a flush to the second comes with the next one: sending took a moment."""
    config = tree.parse(
        "route: {receiver: r, group_wait: 10s, group_interval: 5m, repeat_interval: 2h}\n"
        "receivers: [{name: r, email_configs: [{to: a@b.c}, {to: d@e.f, send_resolved: true}]}]"
    )
    told = send(config, [Firing((("alertname", "A"),), 0.0, 8 * 3600.0)], 10 * 3600)
    first = [one.at for one in told if one.why in ("firing", "repeat")][::2]
    assert first == [10.0, 10.0 + 7500, 10.0 + 15000, 10.0 + 22500]
    assert [(one.why, one.at) for one in told if one.resolved] == [("resolved", 8 * 3600.0 + 10)]


@pytest.mark.parametrize(
    ("interval", "at", "inside"),
    [
        ({"weekdays": ["monday:friday"]}, "2026-11-23T10:00", True),
        ({"weekdays": ["monday:friday"]}, "2026-11-22T10:00", False),
        ({"weekdays": ["saturday", "sunday"]}, "2026-11-22T10:00", True),
        ({"weekdays": ["friday:monday"]}, "2026-11-22T10:00", True),
        ({"weekdays": ["friday:monday"]}, "2026-11-24T10:00", False),
        ({"times": [{"start_time": "08:00", "end_time": "18:00"}]}, "2026-11-23T17:59", True),
        ({"times": [{"start_time": "08:00", "end_time": "18:00"}]}, "2026-11-23T18:00", False),
        (
            {"times": [{"start_time": "08:00", "end_time": "18:00"}], "location": "Europe/Berlin"},
            "2026-11-23T07:30",
            True,
        ),
        ({"times": [{"start_time": "20:00", "end_time": "24:00"}]}, "2026-11-23T23:59", True),
        ({"days_of_month": ["-3:-1"]}, "2026-02-26T00:00", True),
        ({"days_of_month": ["-3:-1"]}, "2026-02-25T00:00", False),
        ({"days_of_month": ["1:5"], "months": ["november"]}, "2026-11-05T00:00", True),
        ({"months": ["1:3", "december"]}, "2026-11-05T00:00", False),
        ({"years": ["2025:2026"]}, "2026-11-05T00:00", True),
        ({}, "2026-11-05T00:00", True),
    ],
)
def test_time_intervals(interval: JsonObject, at: str, inside: bool) -> None:
    config = {"time_intervals": [{"name": "n", "time_intervals": [interval]}]}
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()
    assert hours.inside(config, ["n"], moment) is inside
    assert not hours.inside(config, ["other"], moment)


def test_a_route_outside_its_hours_sends_nothing_and_forgets_what_ended() -> None:
    config = tree.parse(
        "route: {receiver: r, group_wait: 10s, routes: [{matchers: ['a=b'], active_time_intervals: [day]}]}\n"
        "receivers: [{name: r, email_configs: [{to: a@b.c, send_resolved: true}]}]\n"
        "time_intervals: [{name: day, time_intervals: [{times: [{start_time: '08:00', end_time: '18:00'}]}]}]"
    )
    alert = (("a", "b"), ("alertname", "A"))
    night = send(config, [Firing(alert, 3600.0, 7200.0)], 86400)
    assert night == []
    until_day = send(config, [Firing(alert, 7.5 * 3600, 8.5 * 3600)], 86400)
    assert [one.why for one in until_day] == ["firing", "resolved"]
    assert until_day[0].at >= 8 * 3600


def test_a_configuration_without_a_route_is_refused() -> None:
    with pytest.raises(RoutingError, match="no route"):
        send({}, [], 0)


def _group(message: Message) -> tuple[str, ...]:
    """What tells the groups of one receiver apart."""
    labels = dict([*message.firing, *message.resolved][0])
    apart = (labels["alertname"],) if message.receiver == "apart" else ()
    return (message.receiver, labels["case"], *apart)


def _tell(address: str, alerts: list[Firing], begin: float) -> list[Firing]:
    """Tell Alertmanager of each in its time; returns when that was done."""
    events = [(one.start, one, False) for one in alerts] + [(one.end, one, True) for one in alerts if one.end]
    done: dict[Firing, list[float]] = {}
    with httpx.Client(base_url=address) as client:
        for at, one, over in sorted(events, key=lambda event: event[0]):
            time.sleep(max(0.0, begin + at - time.time()))
            now = time.time()
            body = {
                "labels": dict(one.labels),
                "startsAt": _rfc3339(begin + one.start if over else now),
                "endsAt": _rfc3339(now - 0.001 if over else now + 3600),
            }
            client.post("/api/v2/alerts", json=[body]).raise_for_status()
            done.setdefault(one, []).append(time.time() - begin)
    return [Firing(one.labels, when[0], when[1] if one.end else None) for one, when in done.items()]


def _rfc3339(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def _read(path: str, body: JsonObject, at: float) -> Message:
    def of(status: str) -> tuple[tuple[tuple[str, str], ...], ...]:
        named = (alert for alert in body["alerts"] if alert["status"] == status)
        return tuple(sorted(tuple(sorted(alert["labels"].items())) for alert in named))

    return Message(at, path.strip("/"), "webhook", "firing", of("firing"), of("resolved"))


@contextmanager
def receiver() -> Iterator[tuple[str, list[tuple[str, JsonObject, float]]]]:
    """A web server that remembers what it is told, and when."""
    heard: list[tuple[str, JsonObject, float]] = []

    def hear(request: Request) -> Response:
        heard.append((request.path, json.loads(request.get_data()), time.time()))
        return Response()

    with stand_in(hear) as url:
        yield url, heard


def test_firings_that_arrive_with_the_same_labels_are_one_alert() -> None:
    sender = sent_labels.read("alerting: {alert_relabel_configs: [{action: labeldrop, regex: path}]}")
    spans: list[tuple[str, float, float | None]] = [("/a", 0, 10), ("/b", 5, 20), ("/c", 30, 40), ("/d", 35, None)]
    apart = [Firing((("alertname", "a"), ("path", path)), start, end) for path, start, end in spans]
    labels = (("alertname", "a"),)
    assert arriving(sender, apart) == [Firing(labels, 0, 20), Firing(labels, 30, None)]
    assert arriving(sent_labels.UNCHANGED, apart) == apart


def test_a_dropped_firing_does_not_arrive_and_an_external_label_does() -> None:
    drop = {"action": "drop", "source_labels": ["alertname"], "regex": "a"}
    config = {"global": {"external_labels": {"region": "eu"}}, "alerting": {"alert_relabel_configs": [drop]}}
    fired = [Firing((("alertname", name),), 0, 10) for name in "ab"]
    assert arriving(sent_labels.read(json.dumps(config)), fired) == [
        Firing((("alertname", "b"), ("region", "eu")), 0, 10)
    ]
