"""A real Alertmanager and a real Prometheus, and silences that an `up` would hold there."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from werkzeug import Request, Response

import rules
from components.live.provider import Props
from components.live.running.deploy_silence import DeploySilence
from formats.json_types import JsonObject
from ops.clients.alertmanager import Alertmanager
from tests.support import real_servers
from tests.support.stand_in import stand_in

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


@dataclass
class Silenced:
    """Alertmanager, the way to it (`url`), where its messages arrive too, and the URL of Prometheus."""

    alertmanager: Alertmanager
    prometheus_url: str
    url: str = ""
    forwarded_to: str = ""
    forbidden: str = ""  # a method that is answered with 403
    heard: list[JsonObject] = field(default_factory=list)

    def answer(self, request: Request) -> Response:
        if request.path == "/hook":
            self.heard.append(json.loads(request.get_data()))
            return Response("")
        if request.method == self.forbidden:
            return Response('{"message": "not for you"}', 403)
        url, headers = f"{self.forwarded_to}{request.full_path}", {"Content-Type": "application/json"}
        got = httpx.request(request.method, url, content=request.get_data(), headers=headers, trust_env=False)
        return Response(got.content, got.status_code, content_type=got.headers.get("Content-Type"))

    def told(self, status: str, **labels: str) -> bool:
        """Whether a message has come of the alert with these labels, and no others."""
        return any(
            alert["status"] == status and labels == alert["labels"]
            for message in self.heard
            for alert in message["alerts"]
        )

    def active(self, of: Alertmanager | None = None) -> list[JsonObject]:
        """The active silences of this Alertmanager, or of another one."""
        return [one for one in (of or self.alertmanager).silences() if one["status"]["state"] == "active"]

    def reset(self) -> None:
        """As at first: no silence is active, and each answer is Alertmanager's own."""
        self.forwarded_to, self.forbidden = self.alertmanager.url, ""
        for one in self.active():
            self.alertmanager.expire_silence(one["id"])

    @property
    def props(self) -> Props:
        """Inputs of a `Withdrawn`."""
        return {
            "prometheus": {"url": self.prometheus_url},
            "alertmanager": {"url": self.url},
            "manager": "api-monitoring/prod",
            "silenced": [alert.label_set for alert in rules.alerts().values()],
        }

    def prepared(self, **changes: object) -> DeploySilence:
        """One that has not begun, with these inputs changed."""
        silence = DeploySilence(LEASE, RENEWAL)
        silence.prepare({**self.props, **changes})
        return silence

    @contextmanager
    def held(self, lease: float = LEASE, renewal: float = RENEWAL) -> Iterator[DeploySilence]:
        """One that has begun, ended afterwards."""
        silence = DeploySilence(lease, renewal)
        silence.prepare(self.props)
        silence.begin()
        try:
            yield silence
        finally:
            silence.end()

    def post(self, *label_sets: JsonObject, over: bool = False) -> None:
        """Alerts as Prometheus sends them, or that they are over."""
        now = datetime.now(UTC)
        end = now - timedelta(seconds=1) if over else now + timedelta(minutes=10)
        times = {"startsAt": (now - timedelta(seconds=5)).isoformat(), "endsAt": end.isoformat()}
        self.alertmanager.post_alerts({"labels": labels, **times} for labels in label_sets)


def ends(one: JsonObject) -> datetime:
    """When a silence ends."""
    return datetime.fromisoformat(one["endsAt"])


@contextmanager
def servers(folder: Path) -> Iterator[Silenced]:
    """Both servers, with their files in `folder`."""
    made: list[Silenced] = []
    (one := folder / "prometheus").mkdir()
    (other := folder / "alertmanager").mkdir()
    with (
        stand_in(lambda request: made[0].answer(request)) as url,
        real_servers.prometheus(one, SENDS) as prometheus,
        real_servers.alertmanager(other, ROUTES.replace("URL", f"{url}/hook")) as real,
    ):
        made.append(Silenced(real, prometheus.url, url))
        yield made[0]
