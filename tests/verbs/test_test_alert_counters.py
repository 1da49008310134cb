"""Where nobody reads the mailbox, Alertmanager's counters prove a mail, or they do not: never by a difference of 0."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, cycle, repeat
from types import SimpleNamespace
from typing import cast

import pytest
from werkzeug import Request, Response

from ops import drill as drills
from ops.checks import Check
from ops.clients.alertmanager import Alertmanager
from ops.clients.http import Http
from ops.clients.replicas import at_urls
from ops.replay import alert_path
from ops.targets import Target
from routing.tree import Match
from tests.support.stand_in import json_answer, stand_in

Counts = tuple[str, int, int]  # when the process was started, mails tried, mails refused

MATCH = Match("mails", ("alertname",), 0.0, 1.0, 60.0, ("{}",), (), False, (), ())
LIMIT = 3.0  # seconds for which each mail is waited for


def page(counts: Counts) -> Response:
    started, tried, refused = counts
    labels = '{integration="email",receiver_name="mails"}'
    return Response(
        f"alertmanager_notification_requests_total{labels} {tried}\n"
        f"alertmanager_notification_requests_failed_total{labels} {refused}\n"
        f"process_start_time_seconds {started}\n"
    )


@contextmanager
def alertmanager(before: Iterator[Counts], after: Iterator[Counts]) -> Iterator[Target]:
    """One whose counters read `before` until an alert is sent, and then `after`, a look each."""
    counts = [before]

    def answer(request: Request) -> Response:
        if request.path == "/metrics":
            return page(next(counts[-1]))
        if request.method == "POST":
            counts.append(after)
        return json_answer([])

    with stand_in(answer) as url:
        http = Http(url, name="it")
        yield cast(
            Target,
            SimpleNamespace(
                name="x", mail=None, alertmanager=Alertmanager(http), replicas=lambda _, write: at_urls([http])
            ),
        )


def proved(before: Iterator[Counts], after: Iterator[Counts]) -> Check:
    drill = drills.prepare("TestAPIAlert", [])
    mail = alert_path.Mail("mails", ("a@example.test",), None, None)
    path = alert_path.AlertPath(drill.labels, (MATCH,), (), (), (mail,))
    with alertmanager(before, after) as target:
        checks = drills.prove(target, drill, path, LIMIT, lambda _: None)
    return next(check for check in checks if check.name == "mail")


FAILED: dict[str, tuple[Callable[[], Iterator[Counts]], Callable[[], Iterator[Counts]], str]] = {
    "nothing is sent": (lambda: repeat(("1", 7, 0)), lambda: repeat(("1", 7, 0)), "sent no mail within 3 s"),
    "a refused one is counted as tried a moment before": (
        lambda: repeat(("1", 7, 0)),
        lambda: chain([("1", 8, 0)], repeat(("1", 8, 1))),
        "the relay refused it",
    ),
    "each attempt is refused": (
        lambda: repeat(("1", 7, 2)),
        lambda: chain([("1", 8, 2), ("1", 8, 3), ("1", 9, 3)], repeat(("1", 9, 4))),
        "the relay refused it",
    ),
    "two replicas, each with its own count": (
        lambda: cycle([("1", 5, 0), ("2", 9, 0)]),
        lambda: cycle([("2", 9, 0), ("1", 5, 0)]),
        "sent no mail within 3 s",
    ),
    "a replica that answers for the first time": (
        lambda: repeat(("1", 5, 0)),
        lambda: cycle([("1", 5, 0), ("2", 9, 0)]),
        "sent no mail within 3 s",
    ),
    "a restart": (lambda: repeat(("1", 0, 0)), lambda: repeat(("2", 3, 0)), "sent no mail within 3 s"),
}


@pytest.mark.parametrize("case", FAILED)
def test_no_mail_is_no_pass(case: str) -> None:
    before, after, says = FAILED[case]
    check = proved(before(), after())
    assert check.status == "fail"
    assert says in check.detail


PASSED: dict[str, tuple[Callable[[], Iterator[Counts]], Callable[[], Iterator[Counts]]]] = {
    "one": (lambda: repeat(("1", 7, 0)), lambda: repeat(("1", 8, 0))),
    "one after a refusal": (lambda: repeat(("1", 7, 0)), lambda: chain([("1", 8, 1)], repeat(("1", 9, 1)))),
    "one of two replicas": (
        lambda: cycle([("1", 5, 0), ("2", 9, 0)]),
        lambda: cycle([("2", 9, 0), ("1", 6, 0)]),
    ),
    "after a restart": (lambda: repeat(("1", 7, 0)), lambda: chain([("2", 0, 0)], repeat(("2", 1, 0)))),
}


@pytest.mark.parametrize("case", PASSED)
def test_a_mail_that_was_taken_is_counted(case: str) -> None:
    before, after = PASSED[case]
    check = proved(before(), after())
    assert check.status == "pass", check.detail
    assert check.detail.startswith("the relay took 1 mail for a@example.test")
