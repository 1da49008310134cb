"""Replicas of several versions: `verify` says so in one line, and what is deployed is not at fault."""

from collections.abc import Sequence
from contextlib import ExitStack
from types import SimpleNamespace

import pytest
from werkzeug import Request, Response

from ops.checks import Check, each_replica
from ops.clients.http import Http
from ops.clients.replicas import Replicas, at_urls
from tests.support.stand_in import json_answer, stand_in


def checked(kind: str, versions: Sequence[str], unseen: str = "") -> tuple[Check, list[str]]:
    """What is said of replicas of these versions ("" for one that does not tell it), and their URLs."""

    def answering(version: str) -> object:
        def answer(request: Request) -> Response:
            if not version:
                return Response(status=500)
            bodies = {
                "/api/v1/status/buildinfo": {"status": "success", "data": {"version": version}},
                "/api/v2/status": {"versionInfo": {"version": version}},
            }
            return json_answer(bodies[request.path])

        return answer

    with ExitStack() as running:
        urls = [running.enter_context(stand_in(answering(version))) for version in versions]  # type: ignore[arg-type]
        found = Replicas(at_urls([Http(url, name=kind.capitalize()) for url in urls]).each, unseen)
        target = SimpleNamespace(replicas=lambda asked: found if asked == kind else None)
        return each_replica.versions(target, kind), urls  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["prometheus", "alertmanager"])
def test_versions_that_differ_are_named_the_oldest_first(kind: str) -> None:
    check, (first, second, third) = checked(kind, ["3.10.0", "3.9.2", "3.10.0"])
    server = kind.capitalize()
    assert (check.name, check.status) == (f"versions/{kind}", "skip")
    assert check.detail == (
        f"its replicas are of different versions, 3.9.2 ({server} at {second}), 3.10.0 ({server} at {first}, {server} "
        f"at {third}): upgrade all of them; until then our files may use only what 3.9.2 knows"
    )


@pytest.mark.parametrize(
    ("versions", "says"),
    [
        (["3.9.2", "3.9.2"], "all that answer are 3.9.2"),
        (["3.9.2", ""], "all that answer are 3.9.2"),
        (["", ""], "none answers"),
        (["3.9.2"], "one replica, 3.9.2"),
        ([""], "none answers"),
    ],
)
def test_one_version_is_in_order(versions: Sequence[str], says: str) -> None:
    check, _ = checked("prometheus", versions)
    assert (check.status, check.detail) == ("pass", says)


def test_where_one_of_several_was_seen_that_is_said() -> None:
    check, _ = checked("prometheus", ["3.9.2"], unseen="only one of 2 pods was looked at")
    assert (check.status, check.detail) == ("skip", "only one of 2 pods was looked at")
