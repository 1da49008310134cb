"""A client of Prometheus' HTTP API."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from formats.json_types import JsonValue
from ops.clients.http import Params
from ops.clients.server import Server
from ops.errors import BadAnswer, Elsewhere, NotFound, OpsError, Refused
from routing import sent_labels
from routing.sent_labels import Sender

_AGENT = "unavailable with Prometheus Agent"  # what it says to nearly every question, in agent mode


@dataclass(frozen=True, slots=True)
class Sample:
    """One value, of a native histogram its count, at one moment (`at`: seconds since the epoch).

    A scalar has no labels.
    """

    labels: Mapping[str, str]
    value: float
    at: float


@dataclass(frozen=True, slots=True)
class Series:
    """The values of one series: (seconds since the epoch, value), in order."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class ActiveAlert:
    """An alert that is `pending` or `firing`. `active_at` as Prometheus writes it (RFC 3339)."""

    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    state: str
    active_at: str
    value: float


@dataclass(frozen=True, slots=True)
class RunningRule:
    """A rule as Prometheus runs it. `duration` and `keep_firing_for` are seconds; health: ok, err or unknown."""

    name: str
    recording: bool
    query: str
    duration: float
    keep_firing_for: float
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    health: str
    last_error: str
    state: str
    last_evaluation: str
    evaluation_time: float
    alerts: tuple[ActiveAlert, ...]


@dataclass(frozen=True, slots=True)
class RunningGroup:
    """A rule group as Prometheus runs it; `file` as Prometheus sees it, `limit` 0 for none.

    Seconds: its `interval`, and the `evaluation_time` that the last evaluation of all its rules took; 0: none yet.
    """

    name: str
    file: str
    interval: float
    rules: tuple[RunningRule, ...]
    limit: int = 0
    evaluation_time: float = 0.0


@dataclass(frozen=True, slots=True)
class ScrapeTarget:
    """A scrape target; health: up, down or unknown. `interval` as Prometheus writes it, such as `15s`."""

    job: str
    url: str
    health: str
    last_error: str
    labels: Mapping[str, str]
    interval: str = ""


class Prometheus(Server):
    """One Prometheus. Every method raises `ops.errors` errors only."""

    asked_as_a_tenant = "/api/v1/rules"
    always_there = "/api/v1/query?query=1"
    usual_prefix = "/prometheus"

    def query(self, query: str, at: float | None = None, *, timeout: float | None = None) -> list[Sample]:
        """An instant query, now or `at` a moment (seconds since the epoch). Raises BadAnswer for a range."""
        data = self._data("/api/v1/query", {"query": query, "time": at}, timeout)
        if data["resultType"] in ("scalar", "string"):
            return [Sample({}, float(data["result"][1]), float(data["result"][0]))]
        if data["resultType"] == "matrix":
            raise BadAnswer(f"`{query}` is a range vector; an instant query is needed")
        return [Sample(row["metric"], value, at) for row in data["result"] for at, value in _points(row)]

    def query_range(
        self, query: str, start: float, end: float, step: float, *, timeout: float | None = None
    ) -> list[Series]:
        """The values of `query` every `step` seconds from `start` to `end`; at most 11 000 points per series."""
        wanted: Params = {"query": query, "start": start, "end": end, "step": step}
        data = self._data("/api/v1/query_range", wanted, timeout)
        return [Series(row["metric"], tuple(_points(row))) for row in data["result"]]

    def rules(self) -> list[RunningGroup]:
        """Every rule group that runs, in Prometheus' order."""
        return [_group(group) for group in self._data("/api/v1/rules")["groups"]]

    def alerts(self) -> list[ActiveAlert]:
        """Every alert that is pending or firing."""
        return [_alert(alert) for alert in self._data("/api/v1/alerts")["alerts"]]

    def targets(self) -> list[ScrapeTarget]:
        """Every active scrape target; none at Mimir and Cortex, which do not scrape."""
        if self.of_tenant:
            return []
        active = self._data("/api/v1/targets", {"state": "active"})["activeTargets"]
        return [
            ScrapeTarget(
                job=target["labels"].get("job", target.get("scrapePool", "")),
                url=target["scrapeUrl"],
                health=target["health"],
                last_error=target.get("lastError", ""),
                labels=target["labels"],
                interval=target.get("scrapeInterval", ""),
            )
            for target in active
        ]

    def alertmanagers(self) -> list[str]:
        """The URLs of the Alertmanagers that it sends to."""
        return [entry["url"] for entry in self._data("/api/v1/alertmanagers")["activeAlertmanagers"]]

    def config(self) -> str:
        """The configuration that runs, as YAML, with secrets hidden."""
        return str(self._data("/api/v1/status/config")["yaml"])

    def sender(self) -> Sender:
        """What it does to the labels of an alert before it sends it; nothing where it shows no configuration."""
        try:
            return sent_labels.read(self.config())
        except NotFound:  # Mimir and Cortex
            return sent_labels.UNCHANGED

    def version(self) -> str:
        """Its version, such as `3.11.3`."""
        return str(self.build()["version"])

    def build(self, *, timeout: float | None = None) -> Mapping[str, str]:
        """Its build information: `version`, and `application` where it is another server with this API."""
        found: Mapping[str, str] = self._data("/api/v1/status/buildinfo", timeout=timeout)
        return found

    def refuse_agent(self, *, timeout: float | None = None) -> None:
        """Raises Elsewhere where it runs in agent mode; any other fault is not this question's."""
        try:
            self.http.get("/api/v1/alertmanagers", timeout=timeout)
        except Refused as refusal:
            self._refuse_agent(refusal)
        except OpsError:
            return

    def metadata(self, metric: str | None = None) -> dict[str, list[dict[str, str]]]:
        """Type, help and unit per metric name."""
        found: dict[str, list[dict[str, str]]] = self._data("/api/v1/metadata", {"metric": metric})
        return found

    def series(
        self, matchers: Iterable[str], start: float | None = None, end: float | None = None
    ) -> list[dict[str, str]]:
        """The label sets of the series that match one of `matchers`."""
        found: list[dict[str, str]] = self._data(
            "/api/v1/series", {"match[]": list(matchers), "start": start, "end": end}
        )
        return found

    def label_values(self, label: str, matchers: Iterable[str] = (), start: float | None = None) -> list[str]:
        """The values of `label`, among the series that match."""
        return [
            str(value)
            for value in self._data(f"/api/v1/label/{label}/values", {"match[]": list(matchers), "start": start})
        ]

    def metric_names(self, start: float | None = None) -> list[str]:
        """The names of all metrics that have had series since `start` (seconds since the epoch)."""
        return self.label_values("__name__", start=start)

    def _data(self, path: str, params: Params | None = None, timeout: float | None = None) -> JsonValue:
        """The `data` of an answer. Raises BadAnswer where there is none, and Elsewhere in agent mode."""
        try:
            answer = self._json(path, params, timeout)
        except Refused as refusal:
            self._refuse_agent(refusal)
            raise
        if not isinstance(answer, dict) or answer.get("status") != "success" or "data" not in answer:
            raise BadAnswer(
                f"{self.http.name} at {self.url} answered {path} with JSON that is not Prometheus'; "
                "does this address belong to a Prometheus?"
            )
        return answer["data"]

    def _refuse_agent(self, refusal: Refused) -> None:
        """Raises Elsewhere where a refusal is that of a Prometheus in agent mode."""
        if _AGENT in refusal.words:
            raise Elsewhere(
                f"{self.http.name} at {self.url} runs in agent mode, in which it evaluates no rules and answers no "
                f"queries: set {self.http.hints.setting or 'the address'} to the server that it writes to"
            ) from None


def _points(row: Mapping[str, JsonValue]) -> list[tuple[float, float]]:
    """The moments and values of a series, in order; a native histogram is an object with its count."""
    numbers = row.get("values") or [row[key] for key in ("value",) if key in row]
    histograms = row.get("histograms") or [row[key] for key in ("histogram",) if key in row]
    every = [(float(at), float(value)) for at, value in numbers]
    return sorted([*every, *((float(at), float(found["count"])) for at, found in histograms)])


def _group(group: Mapping[str, JsonValue]) -> RunningGroup:
    return RunningGroup(
        name=group["name"],
        file=group["file"],
        interval=float(group["interval"]),
        rules=tuple(_rule(rule) for rule in group["rules"] or ()),
        limit=int(group.get("limit", 0)),
        evaluation_time=float(group.get("evaluationTime", 0)),
    )


def _rule(rule: Mapping[str, JsonValue]) -> RunningRule:
    return RunningRule(
        name=rule["name"],
        recording=rule["type"] == "recording",
        query=rule["query"],
        duration=float(rule.get("duration", 0)),
        keep_firing_for=float(rule.get("keepFiringFor", 0)),
        labels={name: text for name, text in (rule.get("labels") or {}).items() if text},  # an empty one is none
        annotations=rule.get("annotations") or {},
        health=rule["health"],
        last_error=rule.get("lastError", ""),
        state=rule.get("state", ""),
        last_evaluation=rule.get("lastEvaluation", ""),
        evaluation_time=float(rule.get("evaluationTime", 0)),
        alerts=tuple(_alert(alert) for alert in rule.get("alerts") or ()),
    )


def _alert(alert: Mapping[str, JsonValue]) -> ActiveAlert:
    labels = alert["labels"]
    return ActiveAlert(
        name=labels.get("alertname", ""),
        labels=labels,
        annotations=alert.get("annotations") or {},
        state=alert["state"],
        active_at=alert.get("activeAt", ""),
        value=float(alert["value"]) if alert.get("value") not in (None, "") else math.nan,
    )
