"""A client of Alertmanager's HTTP API v2."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from formats.json_types import JsonObject, JsonValue
from ops.clients.server import Server
from ops.errors import BadAnswer, OpsError
from routing import RoutingError, tree

DEPLOY_COMMENT = "deploySilence:"  # how the comment of a silence begins that lasts while `pulumi up` runs


@dataclass(frozen=True, slots=True)
class Status:
    """The running configuration, defaults filled in, secrets hidden.

    `uptime`: since when it runs (RFC 3339). `peers`: how many replicas its cluster has, with itself.
    """

    config: tree.Config
    uptime: str
    peers: int = 1


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

    asked_as_a_tenant = always_there = "/api/v2/status"
    usual_prefix = "/alertmanager"

    def version(self, *, timeout: float | None = None) -> str:
        """Its version, such as `0.31.1`."""
        answer = self._json("/api/v2/status", timeout=timeout)
        try:
            return str(answer["versionInfo"]["version"])
        except (KeyError, TypeError) as error:
            raise self._bad_answer("/api/v2/status") from error

    def status(self) -> Status:
        """The running configuration, and since when it runs."""
        answer = self._json("/api/v2/status")
        try:
            text = str(answer["config"]["original"])
            peers = (answer.get("cluster") or {}).get("peers") or ()
            return Status(tree.parse(text, "the running configuration"), str(answer["uptime"]), max(1, len(peers)))
        except (KeyError, TypeError, RoutingError) as error:
            raise self._bad_answer("/api/v2/status") from error

    def alerts(self, matchers: Sequence[str] = ()) -> list[HeldAlert]:
        """The alerts that it holds, silenced and inhibited ones too; `matchers` such as `alertname="X"`."""
        answer = self._json("/api/v2/alerts", {"filter": list(matchers)})
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

    def silence(self, number: str) -> JsonObject:
        """The silence with this ID, as the API gives it, an expired one too. Raises NotFound where there is none."""
        found: JsonObject = self.http.get_json(f"/api/v2/silence/{number}")
        return found

    def post_silence(self, silence: Mapping[str, JsonValue]) -> str:
        """Make a silence, or change the active one whose `id` it has; returns its ID.

        For an `id` that has expired a new silence is made.
        """
        answer = self.http.decode(self.http.post("/api/v2/silences", json=dict(silence)))
        try:
            return str(answer["silenceID"])
        except (KeyError, TypeError) as error:
            raise self._bad_answer("/api/v2/silences") from error

    def expire_silence(self, number: str) -> None:
        """End the silence with this ID now; one that has expired is left as it is. Raises NotFound."""
        self.http.request("DELETE", f"/api/v2/silence/{number}")

    def clock(self) -> datetime:
        """The time on its clock, to the second: this machine's may be another, and a silence goes by its clock."""
        said = self.http.get("/api/v2/status").headers.get("date", "")
        try:
            return parsedate_to_datetime(said).astimezone(UTC)
        except ValueError:
            return datetime.now(UTC).replace(microsecond=0)

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


def is_lease(silence: Mapping[str, JsonValue]) -> bool:
    """Whether `pulumi up` holds this silence while it runs (components.live.running.deploy_silence)."""
    return str(silence.get("comment") or "").startswith(DEPLOY_COMMENT)


def _held_alert(alert: Mapping[str, JsonValue]) -> HeldAlert:
    status = alert["status"]
    return HeldAlert(
        labels=alert["labels"],
        state=status["state"],
        receivers=tuple(receiver["name"] for receiver in alert.get("receivers") or ()),
        silenced_by=tuple(status.get("silencedBy") or ()),
        inhibited_by=tuple(status.get("inhibitedBy") or ()),
    )
