"""Our alerts are silenced while `pulumi up` runs: at a real Alertmanager, with the labels a real Prometheus sends."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest
from werkzeug import Request, Response

import rules
from components.live import provider
from components.live.provider import Props
from components.live.running.deploy_silence import DeploySilence, matchers
from formats.json_types import JsonObject
from ops import build_tools
from ops.clients.alertmanager import Alertmanager
from ops.clients.http import Http
from ops.clients.prometheus import Prometheus
from ops.errors import BadAnswer
from tests.support import real_servers
from tests.support.checkout import ROOT
from tests.support.stand_in import json_answer, stand_in
from tests.support.waiting import PATIENCE, until

pytestmark = pytest.mark.skipif(
    not (build_tools.find("prometheus") and build_tools.find("alertmanager")), reason="run `make tools` first"
)

LEASE, RENEWAL = 10.0, 0.2  # seconds
SENDS = """
global: {external_labels: {cluster: prod, replica: a}}
alerting: {alert_relabel_configs: [{action: labeldrop, regex: replica}]}
"""
ROUTES = """
route:
  receiver: all
  group_by: [alertname, cluster]
  group_wait: 0s
  group_interval: 1s
receivers:
  - name: all
    webhook_configs: [{url: "URL", send_resolved: true}]
"""
WATCHDOG = next(alert for alert in rules.alerts().values() if alert.is_watchdog)


@dataclass
class Between:
    """A way to Alertmanager, where answers can be changed, and where its messages arrive."""

    url: str = ""
    alertmanager: str = ""
    forbidden: str = ""  # a method that is answered with 403
    heard: list[JsonObject] = field(default_factory=list)

    def answer(self, request: Request) -> Response:
        if request.path == "/hook":
            self.heard.append(json.loads(request.get_data()))
            return Response("")
        if request.method == self.forbidden:
            return Response('{"message": "not for you"}', 403)
        url, headers = f"{self.alertmanager}{request.full_path}", {"Content-Type": "application/json"}
        got = httpx.request(request.method, url, content=request.get_data(), headers=headers, trust_env=False)
        return Response(got.content, got.status_code, content_type=got.headers.get("Content-Type"))

    def told(self, status: str, **labels: str) -> bool:
        """Whether a message has come of an alert with these labels."""
        return any(
            alert["status"] == status and labels.items() <= alert["labels"].items()
            for message in self.heard
            for alert in message["alerts"]
        )


@pytest.fixture(scope="module")
def between() -> Iterator[Between]:
    found = Between()
    with stand_in(found.answer) as found.url:
        yield found


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with real_servers.prometheus(tmp_path_factory.mktemp("prometheus"), SENDS) as server:
        yield server


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, between: Between) -> Iterator[Alertmanager]:
    folder = tmp_path_factory.mktemp("alertmanager")
    with real_servers.alertmanager(folder, ROUTES.replace("URL", f"{between.url}/hook")) as server:
        yield server


@pytest.fixture
def alertmanager(real: Alertmanager, between: Between, monkeypatch: pytest.MonkeyPatch) -> Iterator[Alertmanager]:
    """Without an active silence; what is printed is printed anew."""
    monkeypatch.setattr(provider, "_shown", set())
    between.alertmanager, between.forbidden = real.url, ""
    yield real
    for one in active(real):
        real.expire_silence(one["id"])


@pytest.fixture
def props(prometheus: Prometheus, alertmanager: Alertmanager, between: Between) -> Props:
    """Inputs of a `Withdrawn`."""
    assert active(alertmanager) == []
    return {
        "prometheus": {"url": prometheus.url},
        "alertmanager": {"url": between.url},
        "manager": "api-monitoring/prod",
        "silenced": [alert.label_set for alert in rules.alerts().values()],
    }


@pytest.fixture
def held(props: Props) -> Iterator[DeploySilence]:
    """One that has begun."""
    silence = DeploySilence(LEASE, RENEWAL)
    silence.prepare(props)
    silence.begin()
    yield silence
    silence.end()


def active(alertmanager: Alertmanager) -> list[JsonObject]:
    return [one for one in alertmanager.silences() if one["status"]["state"] == "active"]


def ends(one: JsonObject) -> datetime:
    return datetime.fromisoformat(one["endsAt"])


def post(alertmanager: Alertmanager, *label_sets: JsonObject, over: bool = False) -> None:
    now = datetime.now(UTC)
    until_ = now - timedelta(seconds=1) if over else now + timedelta(minutes=10)
    started = now - timedelta(seconds=5)
    alertmanager.post_alerts(
        {"labels": labels, "startsAt": started.isoformat(), "endsAt": until_.isoformat()} for labels in label_sets
    )


@pytest.mark.usefixtures("held")
def test_all_of_ours_and_none_of_others(alertmanager: Alertmanager) -> None:
    (one,) = active(alertmanager)
    assert one["createdBy"] == "api-monitoring/prod"
    assert one["comment"] == (
        "deploySilence: for as long as `pulumi up` of api-monitoring/prod runs; "
        "renewed every 0.2 s, ends by itself within 10 s"
    )
    ours = [{**alert.label_set, "cluster": "prod", "path": "/"} for alert in rules.alerts().values()]
    others: list[JsonObject] = [
        {**ours[0], "cluster": "staging"},  # the same program on another stack
        {**ours[0], "alertname": "Theirs"},
        {name: value for name, value in ours[0].items() if name != "component"},
        {**ours[0], "component": "theirs"},
    ]
    post(alertmanager, *ours, *others)
    until(lambda: len(alertmanager.alerts()) >= len(ours) + len(others))
    silenced = [alert.labels for alert in alertmanager.alerts() if alert.silenced_by]
    assert sorted(map(str, silenced)) == sorted(str(dict(sorted(labels.items()))) for labels in ours)
    post(alertmanager, *ours, *others, over=True)


def test_renewed_until_it_is_ended(alertmanager: Alertmanager, held: DeploySilence) -> None:
    (first,) = active(alertmanager)
    held.begin()  # by the next resource: it stays one
    later = until(lambda: next((one for one in active(alertmanager) if ends(one) > ends(first)), None))
    assert [one["id"] for one in active(alertmanager)] == [first["id"]] == [later["id"]]
    assert ends(later) <= datetime.now(UTC) + timedelta(seconds=LEASE)
    held.end()
    assert active(alertmanager) == []
    held.begin()
    (second,) = active(alertmanager)
    assert second["id"] != first["id"]


def test_the_lease_goes_by_alertmanagers_clock(
    alertmanager: Alertmanager, props: Props, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ahead(*_: object) -> str:
        return format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)

    monkeypatch.setattr(BaseHTTPRequestHandler, "date_time_string", ahead)  # of what stands between
    silence = DeploySilence(LEASE, 600)
    silence.prepare(props)
    silence.begin()
    (pending,) = [one for one in alertmanager.silences() if one["status"]["state"] == "pending"]
    assert timedelta(minutes=59) < ends(pending) - datetime.now(UTC) < timedelta(minutes=61)
    silence.end()
    assert alertmanager.silence(pending["id"])["status"]["state"] == "expired"


CHILD = """
import json, sys
from components.live.running.deploy_silence import DeploySilence
silence = DeploySilence(float(sys.argv[1]), float(sys.argv[2]))
silence.prepare(json.loads(sys.argv[3]))
silence.begin()
sys.stdin.read()
"""


@pytest.fixture
def child(props: Props) -> Iterator[Callable[[float, float], subprocess.Popen[bytes]]]:
    """A process as the plugin is one, with its lease and the time between renewals; it waits until its input ends."""
    made: list[subprocess.Popen[bytes]] = []

    def start(lease: float, renewal: float) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", CHILD, str(lease), str(renewal), json.dumps(props)]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        made.append(process)
        assert process.stdout and b"silenced" in process.stdout.readline()
        return process

    yield start
    for process in made:
        process.kill()
        process.communicate()


def test_a_process_that_ends_ends_it(alertmanager: Alertmanager, child: Callable[..., subprocess.Popen[bytes]]) -> None:
    process = child(LEASE, RENEWAL)
    assert active(alertmanager)
    process.communicate(timeout=PATIENCE)
    assert active(alertmanager) == []


def test_a_process_whose_engine_was_killed_ends_it(
    alertmanager: Alertmanager, child: Callable[..., subprocess.Popen[bytes]]
) -> None:
    process = child(600, RENEWAL)
    assert active(alertmanager) and process.stdout
    process.stdout.close()
    until(lambda: not active(alertmanager))
    assert process.poll() is None


def test_of_a_process_that_was_killed_it_ends_by_itself(
    alertmanager: Alertmanager, child: Callable[..., subprocess.Popen[bytes]]
) -> None:
    process = child(3, RENEWAL)
    process.kill()
    process.wait()
    killed = datetime.now(UTC)
    (left,) = active(alertmanager)
    assert ends(left) <= killed + timedelta(seconds=3)
    until(lambda: not active(alertmanager))


def test_a_silence_that_somebody_ended_is_not_made_again(
    alertmanager: Alertmanager, held: DeploySilence, capsys: pytest.CaptureFixture[str]
) -> None:
    (one,) = active(alertmanager)
    alertmanager.expire_silence(one["id"])
    words: list[str] = []

    def said() -> bool:
        words.append(capsys.readouterr().out)
        return "somebody has ended the silence of our alerts; it is not made again\n" in "".join(words)

    until(said)
    held.begin()
    assert active(alertmanager) == []


def test_an_alertmanager_that_forgot_it_gets_it_again(between: Between, held: DeploySilence, tmp_path: Path) -> None:
    with real_servers.alertmanager(tmp_path, ROUTES.replace("URL", between.url)) as empty:
        between.alertmanager = empty.url
        (one,) = until(partial(active, empty))
        assert one["createdBy"] == "api-monitoring/prod"
        held.end()
        assert active(empty) == []


def test_one_that_lapsed_is_made_again(alertmanager: Alertmanager, between: Between, props: Props) -> None:
    silence = DeploySilence(1, RENEWAL)
    silence.prepare(props)
    silence.begin()
    (first,) = active(alertmanager)
    between.forbidden = "POST"  # so no renewal
    until(lambda: not active(alertmanager))
    between.forbidden = ""
    (second,) = until(partial(active, alertmanager))
    silence.end()
    assert second["id"] != first["id"] and active(alertmanager) == []


def test_without_the_setting_or_a_look_nothing_is_silenced(alertmanager: Alertmanager, props: Props) -> None:
    before = alertmanager.silences()
    silence = DeploySilence(LEASE, RENEWAL)
    silence.begin()
    silence.prepare({**props, "silenced": None})
    silence.begin()
    silence.end()
    assert alertmanager.silences() == before


@pytest.mark.parametrize("server", ["prometheus", "alertmanager"])
def test_a_server_that_does_not_answer_is_a_warning(
    server: str, alertmanager: Alertmanager, props: Props, capsys: pytest.CaptureFixture[str]
) -> None:
    silence = DeploySilence(LEASE, RENEWAL)
    silence.prepare({**props, server: {"url": "http://127.0.0.1:9"}})
    silence.begin()
    assert capsys.readouterr().out.startswith(
        f"warning: our alerts are not silenced while this runs: {server.capitalize()} at http://127.0.0.1:9 cannot be"
    )
    assert active(alertmanager) == []
    silence.prepare(props)  # it answers by now
    silence.begin()
    assert active(alertmanager)
    silence.end()


@pytest.mark.parametrize(
    ("method", "says"),
    [
        ("POST", "warning: our alerts are not silenced while this runs: Alertmanager at "),
        ("DELETE", "warning: could not end the silence of our alerts, which ends by itself within 10 s: Alertmanager"),
    ],
)
def test_what_alertmanager_refuses_is_a_warning(
    method: str, says: str, between: Between, props: Props, capsys: pytest.CaptureFixture[str]
) -> None:
    between.forbidden = method
    silence = DeploySilence(LEASE, RENEWAL)
    silence.prepare(props)
    silence.begin()
    silence.end()
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.startswith(says) and "not for you" in said


def test_the_watchdogs_silent_message_is_kept_away(
    alertmanager: Alertmanager, between: Between, held: DeploySilence
) -> None:
    """An alert that ends and comes back during the silence is told of to nobody; that of another stack is."""
    held.end()
    ours, theirs = ({**WATCHDOG.label_set, "cluster": cluster} for cluster in ("prod", "staging"))
    post(alertmanager, ours, theirs)
    until(lambda: between.told("firing", **ours) and between.told("firing", **theirs))
    held.begin()
    post(alertmanager, ours, theirs, over=True)
    until(lambda: between.told("resolved", **theirs))
    for turn in ("1", "2"):  # the group of ours is looked at each second too, so once at least until the second
        other: JsonObject = {"alertname": "Theirs", "turn": turn}
        post(alertmanager, other)
        until(partial(between.told, "firing", **other))
        post(alertmanager, other, over=True)
        until(partial(between.told, "resolved", **other))
    post(alertmanager, ours)
    held.end()
    post(alertmanager, {"alertname": "Last"})
    until(lambda: between.told("firing", alertname="Last"))
    assert not between.told("resolved", **ours)


def test_matchers_leave_out_what_is_not_known_beforehand() -> None:
    def plain(name: str, value: str, regex: bool = False) -> JsonObject:
        return {"name": name, "value": value, "isRegex": regex, "isEqual": True}

    first = {"alertname": "A.b", "component": "api", "team": "{{ $labels.team }}", "more": "x"}
    second = {"alertname": "C", "component": "api", "team": "web"}
    bare = {"alertname": "D", "severity": "critical"}  # of a rule file of others: its name alone is not enough
    assert matchers([first]) == [plain("alertname", "A.b"), plain("component", "api"), plain("more", "x")]
    assert matchers([first, second, bare]) == [plain("alertname", r"A\.b|C", regex=True), plain("component", "api")]
    assert matchers([bare]) == matchers([]) == []


def test_alerts_without_a_component_are_not_silenced(
    alertmanager: Alertmanager, props: Props, capsys: pytest.CaptureFixture[str]
) -> None:
    silence = DeploySilence(LEASE, RENEWAL)
    silence.prepare({**props, "silenced": [{"alertname": "A"}]})
    silence.begin()
    assert "none of them has the label component when it arrives" in capsys.readouterr().out
    assert active(alertmanager) == []


def test_the_client_says_so_where_it_is_no_alertmanager() -> None:
    with (
        stand_in(lambda _: json_answer([])) as url,
        Http(url, name="It") as http,
        pytest.raises(BadAnswer, match="JSON that is not Alertmanager's"),
    ):
        Alertmanager(http).post_silence({})
