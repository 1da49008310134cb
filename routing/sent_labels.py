"""The labels with which Prometheus sends an alert: `external_labels` are added, `alert_relabel_configs` change them.

As Prometheus does it: `relabelAlerts` in notifier/alert.go, and model/relabel/relabel.go.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml

from formats.json_types import JsonValue
from formats.regexes import Regex, RegexError
from routing._typed import RoutingError

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Relabeling:
    """One entry of `alert_relabel_configs`. The fields are named, and have the defaults, as there."""

    action: str = "replace"
    source_labels: tuple[str, ...] = ()
    separator: str = ";"
    regex: str = "(.*)"
    target_label: str = ""
    replacement: str = "$1"
    modulus: int = 0

    def apply(self, labels: Labels) -> Labels | None:
        """The labels after it; None where it drops the alert."""
        action, target = self.action.lower(), self.target_label
        text = self.separator.join(labels.get(name, "") for name in self.source_labels)
        # In Prometheus' own words, with `s`: the dot matches the end of a line too.
        regex = Regex(f"(?s:{self.regex})")
        match action:
            case "keep" | "drop":
                return labels if regex.matches(text) == (action == "keep") else None
            case "keepequal" | "dropequal":
                return labels if (labels.get(target, "") == text) == (action == "keepequal") else None
            case "lowercase":
                return _with(labels, target, text.lower())
            case "uppercase":
                return _with(labels, target, text.upper())
            case "hashmod":
                digest = hashlib.md5(text.encode(), usedforsecurity=False).digest()
                return _with(labels, target, str(int.from_bytes(digest[8:], "big") % self.modulus))
            case "labeldrop" | "labelkeep":
                return {name: value for name, value in labels.items() if regex.matches(name) == (action == "labelkeep")}
            case "labelmap":
                mapped = labels
                for known, value in labels.items():
                    if (name := regex.expand(self.replacement, known)) is not None:
                        mapped = _with(mapped, name, value)
                return mapped
        name, put = regex.expand(target, text), regex.expand(self.replacement, text)
        return _with(labels, name, put or "") if name else labels


@dataclass(frozen=True)
class Sender:
    """What one Prometheus does to an alert's labels. `ways`: the relabelings on the way to each of its Alertmanagers.

    Which of these Alertmanagers is the one in question is not known from here.
    """

    external_labels: Labels
    ways: tuple[tuple[Relabeling, ...], ...]

    def sent(self, labels: Labels) -> list[Labels]:
        """The label sets with which an alert with these labels is sent, each once; none where it is dropped."""
        found: list[Labels] = []
        for way in self.ways:
            sent = self._sent_by(way, labels)
            if sent and sent not in found:
                found.append(sent)
        return found

    def _sent_by(self, way: Sequence[Relabeling], labels: Labels) -> Labels | None:
        now: Labels | None = {**self.external_labels, **{name: value for name, value in labels.items() if value}}
        for relabeling in way:
            now = None if now is None else relabeling.apply(now)
        return now


UNCHANGED = Sender({}, ((),))


def read(text: str) -> Sender:
    """What a Prometheus with this configuration does. Raises RoutingError where it cannot be read."""
    try:
        config = yaml.load(text, yaml.BaseLoader) or {}  # noqa: S506 - it makes only texts, lists and mappings
        alerting = config.get("alerting") or {}
        shared = _relabelings(alerting.get("alert_relabel_configs"))
        ways = [
            shared + _relabelings(entry.get("alert_relabel_configs")) for entry in alerting.get("alertmanagers") or [{}]
        ]
        external = {
            str(name): str(value) for name, value in ((config.get("global") or {}).get("external_labels") or {}).items()
        }
    except (yaml.YAMLError, AttributeError, TypeError, ValueError, RegexError) as error:
        what = " ".join(str(getattr(error, "problem", None) or error).split())
        raise RoutingError(f"the configuration of Prometheus cannot be read: {what}") from None
    return Sender(external, tuple(dict.fromkeys(ways)))


def _relabelings(entries: JsonValue) -> tuple[Relabeling, ...]:
    found = []
    for entry in entries or ():
        fields = {name: str(value) for name, value in entry.items() if name not in ("source_labels", "modulus")}
        known = {name: value for name, value in fields.items() if name in Relabeling.__dataclass_fields__}
        sources = tuple(str(name) for name in entry.get("source_labels") or ())
        made = Relabeling(**known, source_labels=sources, modulus=int(entry.get("modulus") or 0))
        Regex(made.regex)
        found.append(made)
    return tuple(found)


def _with(labels: Labels, name: str, value: str) -> Labels:
    """The labels with one more; without it where the value is empty, as an empty label is none."""
    rest = {known: text for known, text in labels.items() if known != name}
    return {**rest, name: value} if value else rest
