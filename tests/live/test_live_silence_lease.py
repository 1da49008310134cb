"""The silence of an `up` is renewed as long as that runs, and ends with it, however it ends."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from ops import build_tools
from tests.live.silenced import LEASE, RENEWAL, ROUTES, Silenced, ends
from tests.support import real_servers
from tests.support.checkout import ROOT
from tests.support.waiting import PATIENCE, until

pytestmark = pytest.mark.skipif(
    not (build_tools.find("prometheus") and build_tools.find("alertmanager")), reason="run `make tools` first"
)

CHILD = """
import json, sys
from components.live.running.deploy_silence import DeploySilence
silence = DeploySilence(float(sys.argv[1]), float(sys.argv[2]))
silence.prepare(json.loads(sys.argv[3]))
silence.begin()
sys.stdin.read()
"""
Start = Callable[[float], subprocess.Popen[bytes]]


@pytest.fixture
def child(silenced: Silenced) -> Iterator[Start]:
    """A process as the plugin is one, which holds a lease of so many seconds until its input ends."""
    made: list[subprocess.Popen[bytes]] = []

    def start(lease: float) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", CHILD, str(lease), str(RENEWAL), json.dumps(silenced.props)]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        made.append(process)
        assert process.stdout and b"silenced" in process.stdout.readline()
        return process

    yield start
    for process in made:
        process.kill()
        process.communicate()


def test_renewed_until_it_is_ended(silenced: Silenced) -> None:
    with silenced.held() as held:
        (first,) = silenced.active()
        held.begin()  # by the next resource: it stays one
        later = until(lambda: next((one for one in silenced.active() if ends(one) > ends(first)), None))
        assert [one["id"] for one in silenced.active()] == [first["id"]] == [later["id"]]
        assert ends(later) <= datetime.now(UTC) + timedelta(seconds=LEASE)
        held.end()
        assert silenced.active() == []
        held.begin()
        (second,) = silenced.active()
        assert second["id"] != first["id"]


def test_the_lease_goes_by_alertmanagers_clock(silenced: Silenced, monkeypatch: pytest.MonkeyPatch) -> None:
    def ahead(*_: object) -> str:
        return format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)

    monkeypatch.setattr(BaseHTTPRequestHandler, "date_time_string", ahead)  # of what stands between
    with silenced.held(LEASE, 600):
        (pending,) = [one for one in silenced.alertmanager.silences() if one["status"]["state"] == "pending"]
        assert timedelta(minutes=59) < ends(pending) - datetime.now(UTC) < timedelta(minutes=61)
    assert silenced.alertmanager.silence(pending["id"])["status"]["state"] == "expired"


def test_a_process_that_ends_ends_it(silenced: Silenced, child: Start) -> None:
    process = child(LEASE)
    assert silenced.active()
    process.communicate(timeout=PATIENCE)
    assert silenced.active() == []


def test_a_process_whose_engine_was_killed_ends_it(silenced: Silenced, child: Start) -> None:
    process = child(600)
    assert silenced.active() and process.stdout
    process.stdout.close()
    until(lambda: not silenced.active())
    assert process.poll() is None


def test_of_a_process_that_was_killed_it_ends_by_itself(silenced: Silenced, child: Start) -> None:
    process = child(3)
    process.kill()
    process.wait()
    killed = datetime.now(UTC)
    (left,) = silenced.active()
    assert ends(left) <= killed + timedelta(seconds=3)
    until(lambda: not silenced.active())


def test_one_that_somebody_ended_is_not_made_again(silenced: Silenced, capsys: pytest.CaptureFixture[str]) -> None:
    words: list[str] = []

    def said() -> bool:
        words.append(capsys.readouterr().out)
        return "somebody has ended the silence of our alerts; it is not made again\n" in "".join(words)

    with silenced.held() as held:
        (one,) = silenced.active()
        silenced.alertmanager.expire_silence(one["id"])
        until(said)
        held.begin()
        assert silenced.active() == []


def test_an_alertmanager_that_forgot_it_gets_it_again(silenced: Silenced, tmp_path: Path) -> None:
    with silenced.held() as held, real_servers.alertmanager(tmp_path, ROUTES.replace("URL", silenced.url)) as empty:
        silenced.forwarded_to = empty.url
        (one,) = until(partial(silenced.active, empty))
        assert one["createdBy"] == "api-monitoring/prod"
        held.end()
        assert silenced.active(empty) == []


def test_one_that_lapsed_is_made_again(silenced: Silenced) -> None:
    with silenced.held(1):
        (first,) = silenced.active()
        silenced.forbidden = "POST"  # so no renewal
        until(lambda: not silenced.active())
        silenced.forbidden = ""
        (second,) = until(silenced.active)
        assert second["id"] != first["id"]
    assert silenced.active() == []


@pytest.mark.parametrize("server", ["prometheus", "alertmanager"])
def test_a_server_that_does_not_answer_is_a_warning(
    server: str, silenced: Silenced, capsys: pytest.CaptureFixture[str]
) -> None:
    silence = silenced.prepared(**{server: {"url": "http://127.0.0.1:9"}})
    silence.begin()
    assert capsys.readouterr().out.startswith(
        f"warning: our alerts are not silenced while this runs: {server.capitalize()} at http://127.0.0.1:9 cannot be"
    )
    assert silenced.active() == []
    silence.prepare(silenced.props)  # it answers by now
    silence.begin()
    assert silenced.active()
    silence.end()


@pytest.mark.parametrize(
    ("method", "says"),
    [
        ("POST", "warning: our alerts are not silenced while this runs: Alertmanager at "),
        ("DELETE", "warning: could not end the silence of our alerts, which ends by itself within 10 s: Alertmanager"),
    ],
)
def test_what_alertmanager_refuses_is_a_warning(
    method: str, says: str, silenced: Silenced, capsys: pytest.CaptureFixture[str]
) -> None:
    silenced.forbidden = method
    with silenced.held():
        pass
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.startswith(says) and "not for you" in said
