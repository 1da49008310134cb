"""A client of Alertmanager's HTTP API v2."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from formats.json_types import JsonObject, JsonValue
from ops.clients.server import Server
from ops.errors import BadAnswer, OpsError
from routing import RoutingError, tree


@dataclass(frozen=True, slots=True)
class Status:
    """The running configuration, defaults filled in, secrets hidden. `uptime`: since when it runs (RFC 3339)."""

    config: tree.Config
    uptime: str


@dataclass(frozen=True, slots=True)
class HeldAlert:
    """An alert as Alertmanager holds it; state: active, suppressed or unprocessed."""

    labels: Mapping[str, str]
    state: str
    receivers: tuple[str, ...]
    silenced_by: tuple[str, ...]
    inhibited_by: tuple[str, ...]


class Alertmanager(Server):
    """One Alertmanager. Every method raises `ops.errors` errors only."""

    asked_as_a_tenant = "/api/v2/status"

    def version(self, *, timeout: float | None = None) -> str:
        """Its version, such as `0.31.1`."""
        answer = self.http.get_json("/api/v2/status", timeout=timeout)
        try:
            return str(answer["versionInfo"]["version"])
        except (KeyError, TypeError) as error:
            raise self._bad_answer("/api/v2/status") from error

    def status(self) -> Status:
        """The running configuration, and since when it runs."""
        answer = self.http.get_json("/api/v2/status")
        try:
            text = str(answer["config"]["original"])
            return Status(tree.parse(text, "the running configuration"), str(answer["uptime"]))
        except (KeyError, TypeError, RoutingError) as error:
            raise self._bad_answer("/api/v2/status") from error

    def alerts(self, matchers: Sequence[str] = ()) -> list[HeldAlert]:
        """The alerts that it holds, silenced and inhibited ones too; `matchers` such as `alertname="X"`."""
        answer = self.http.get_json("/api/v2/alerts", {"filter": list(matchers)})
        try:
            return [_held_alert(alert) for alert in answer]
        except (KeyError, TypeError) as error:
            raise self._bad_answer("/api/v2/alerts") from error

    def post_alerts(self, alerts: Iterable[Mapping[str, object]]) -> None:
        """Send alerts as Prometheus would: labels, annotations, startsAt, endsAt (RFC 3339)."""
        self.http.post("/api/v2/alerts", json=list(alerts))

    def silences(self) -> list[JsonObject]:
        """Every silence that it has, expired ones too, as the API gives them."""
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

    def _bad_answer(self, path: str) -> BadAnswer:
        return BadAnswer(
            f"{self.http.name} at {self.url} answered {path} with JSON that is not Alertmanager's; "
            "does this address belong to an Alertmanager?"
        )


def _held_alert(alert: Mapping[str, JsonValue]) -> HeldAlert:
    status = alert["status"]
    return HeldAlert(
        labels=alert["labels"],
        state=status["state"],
        receivers=tuple(receiver["name"] for receiver in alert.get("receivers") or ()),
        silenced_by=tuple(status.get("silencedBy") or ()),
        inhibited_by=tuple(status.get("inhibitedBy") or ()),
    )
