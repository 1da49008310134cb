"""Alertmanager's HTTP API v2, as far as it is needed here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from formats.json_types import JsonObject, JsonValue
from ops.clients.server import Server
from ops.errors import BadAnswer, OpsError
from routing import RoutingError, tree


@dataclass(frozen=True, slots=True)
class Status:
    """What runs. `text`: the running configuration, defaults filled in, secrets hidden; `config`: the same, parsed."""

    version: str
    text: str
    config: Mapping[str, JsonValue]
    cluster: str
    uptime: str


@dataclass(frozen=True, slots=True)
class Notice:
    """An alert as Alertmanager holds it; state: active, suppressed or unprocessed. Times are RFC 3339."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: str
    ends_at: str
    fingerprint: str
    state: str
    receivers: tuple[str, ...]
    silenced_by: tuple[str, ...]
    inhibited_by: tuple[str, ...]


class Alertmanager(Server):
    """One Alertmanager. Every method raises `ops.errors` errors and nothing else."""

    def version(self, *, timeout: float | None = None) -> str:
        """`0.31.1`; the configuration, which comes with it, is not read."""
        answer = self.http.get_json("/api/v2/status", timeout=timeout)
        try:
            return str(answer["versionInfo"]["version"])
        except (KeyError, TypeError) as error:
            raise self._strange("/api/v2/status") from error

    def status(self) -> Status:
        """Version and running configuration."""
        answer = self.http.get_json("/api/v2/status")
        try:
            text = str(answer["config"]["original"])
            return Status(
                version=str(answer["versionInfo"]["version"]),
                text=text,
                config=tree.parse(text, "the running configuration"),
                cluster=str(answer["cluster"]["status"]),
                uptime=str(answer["uptime"]),
            )
        except (KeyError, TypeError, RoutingError) as error:
            raise self._strange("/api/v2/status") from error

    def alerts(self, matchers: Sequence[str] = ()) -> list[Notice]:
        """The alerts it holds, those silenced and inhibited too; `matchers` such as `alertname="X"`."""
        answer = self.http.get_json("/api/v2/alerts", {"filter": list(matchers)})
        try:
            return [_notice(alert) for alert in answer]
        except (KeyError, TypeError) as error:
            raise self._strange("/api/v2/alerts") from error

    def post_alerts(self, alerts: Iterable[Mapping[str, object]]) -> None:
        """Send alerts as Prometheus would: labels, annotations, startsAt, endsAt (RFC 3339)."""
        self.http.post("/api/v2/alerts", json=list(alerts))

    def silences(self) -> list[JsonObject]:
        """Every silence it remembers, expired ones too, as the API gives them."""
        found: list[JsonObject] = self.http.get_json("/api/v2/silences")
        return found

    def receivers(self) -> list[str]:
        """The names of the receivers that run."""
        return [str(receiver["name"]) for receiver in self.http.get_json("/api/v2/receivers")]

    def external_url(self) -> str | None:
        """With what the links in its messages begin; None where it was started without, or does not show how.

        Its API does not tell it, but it shows its command line.
        """
        try:
            words = self.http.get("/debug/pprof/cmdline").text.split("\0")
        except OpsError:
            return None
        option = "--web.external-url"
        for word, following in zip(words, [*words[1:], ""], strict=True):
            if word == option or word.startswith(f"{option}="):
                return (following if word == option else word.partition("=")[2]).rstrip("/") or None
        return None

    def _strange(self, path: str) -> BadAnswer:
        return BadAnswer(
            f"{self.http.name} at {self.url} answered {path} with JSON that is not Alertmanager's; "
            "does this address belong to an Alertmanager?"
        )


def _notice(alert: Mapping[str, JsonValue]) -> Notice:
    status = alert["status"]
    return Notice(
        labels=alert["labels"],
        annotations=alert.get("annotations") or {},
        starts_at=alert["startsAt"],
        ends_at=alert["endsAt"],
        fingerprint=alert["fingerprint"],
        state=status["state"],
        receivers=tuple(receiver["name"] for receiver in alert.get("receivers") or ()),
        silenced_by=tuple(status.get("silencedBy") or ()),
        inhibited_by=tuple(status.get("inhibitedBy") or ()),
    )
