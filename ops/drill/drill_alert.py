"""The alert that a drill sends."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import rules
from ops.errors import Findings, Misconfigured
from ops.words import no_such_alert
from routing.sent_labels import UNCHANGED, Sender
from rules import Alert, OtherAlert

NAME = "TestAPIAlert"


LABELS = {"alertname": NAME, "severity": "warning", "component": "api"}


SIGNAL = {"signal": "drill"}


@dataclass(frozen=True)
class Drill:
    """The alert that is sent. `mark` is unique and stands in an annotation and a label, so that its mails are found.

    `instead_of`: labels that the rule has with another value.
    """

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    mark: str
    starts: datetime
    instead_of: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name; empty where a relabeling takes the name away."""
        return self.labels.get("alertname", "")

    def posted(self, ends: datetime) -> dict[str, object]:
        """The alert as Alertmanager's API takes it; it fires until `ends`."""
        return {
            "labels": dict(self.labels),
            "annotations": dict(self.annotations),
            "startsAt": self.starts.isoformat(),
            "endsAt": ends.isoformat(),
        }


def prepare(alert: str, given: list[str], sender: Sender = UNCHANGED) -> Drill:
    """The alert to send, with the labels with which `sender` would send it; `given`: further labels, each k=v.

    One of rules/ gets a `signal` of its own, so that it mutes no real warning while it fires. Raises Misconfigured for
    an unknown alert or a bad label, Findings where `sender` drops the alert.
    """
    mark = secrets.token_hex(4)
    known: dict[str, Alert | OtherAlert] = {**rules.other_alerts(), **rules.alerts()}
    if alert == NAME:
        labels = dict(LABELS)
    elif alert in known:
        labels = known[alert].label_set | SIGNAL
    elif given:
        labels = {"alertname": alert}
    else:
        raise Misconfigured(f"{no_such_alert(alert, known)}; or give the labels of one by --label")
    sent = sender.sent(labels)
    if not sent:
        raise Findings(
            f"Prometheus would not send {alert}: its alert_relabel_configs drop it; correct them in prometheus.yml"
        )
    labels = dict(sent[0])
    for pair in given:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise Misconfigured(f"--label {pair} is not k=v; write for example --label component=api")
        labels[key] = value
    labels = {key: value for key, value in labels.items() if value}  # one without a value is none
    written = known[alert].label_set if alert in known and alert != NAME else {}
    own = {key: written[key] for key in SIGNAL if key in written and labels.get(key, written[key]) != written[key]}
    return Drill(
        labels={**labels, "drill": mark},
        annotations={
            "summary": f"Test of {labels.get('alertname', alert)}: nothing is wrong",
            "description": f"This is a test alert to verify email routing (drill {mark}).",
        },
        mark=mark,
        starts=datetime.now(UTC),
        instead_of=own,
    )
