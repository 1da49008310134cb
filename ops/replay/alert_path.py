"""The path of an alert through Alertmanager: routes, receivers, what mutes it, and its mail."""

import json
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from formats.durations import humanize
from formats.json_types import JsonValue
from ops import build_tools
from ops.clients.alertmanager import Alertmanager, is_lease
from ops.replay import hours
from routing import tree
from rules import SHADOW

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Mail:
    """A mail as Alertmanager would write it. `subject` and `text` are None without amtool, which renders them."""

    receiver: str
    recipients: tuple[str, ...]
    subject: str | None
    text: str | None


@dataclass(frozen=True)
class AlertPath:
    """Where an alert with these labels goes in a configuration.

    `muted_by`: the names of those of our alerts that would mute it while they fire. `silenced_by`: `ID until … by …`.
    `muted_now`: which hours keep it back now, none where a route of several sends it. `other_channels`: how else than
    by mail it is told. `same_group`: the names of the alerts that Alertmanager holds in the same group already: then
    `group_wait` is over. `external_url`: what links begin with; "" where Alertmanager does not show it.
    """

    labels: Labels
    matches: tuple[tree.Match, ...]
    muted_by: tuple[str, ...]
    silenced_by: tuple[str, ...]
    mails: tuple[Mail, ...]
    muted_now: str = ""
    other_channels: tuple[str, ...] = ()
    same_group: tuple[str, ...] = ()
    external_url: str = ""

    @property
    def receivers(self) -> tuple[str, ...]:
        """The receivers, in the order of the routes."""
        return tuple(dict.fromkeys(match.receiver for match in self.matches))

    @property
    def recipients(self) -> tuple[str, ...]:
        """The recipients of all mails, in order."""
        return tuple(dict.fromkeys(to for mail in self.mails for to in mail.recipients))

    @property
    def is_shadow(self) -> bool:
        """Whether it tells nobody, and is meant to: it has the label `stage: shadow`."""
        return self.labels.get("stage") == SHADOW and not self.mails and not self.other_channels

    @property
    def first_mail(self) -> float:
        """Seconds until the first notification, at most."""
        return max(match.group_wait for match in self.matches)

    @property
    def next_mail(self) -> float:
        """Seconds until the resolved mail, at most: the longest group_interval."""
        return max(match.group_interval for match in self.matches)

    def as_json(self) -> dict[str, object]:
        """The path for programs."""
        return {
            "labels": dict(self.labels),
            "routes": [
                {
                    "path": list(match.path),
                    "receiver": match.receiver,
                    "group_by": list(match.group_by),
                    "group_wait_seconds": match.group_wait,
                    "group_interval_seconds": match.group_interval,
                    "repeat_interval_seconds": match.repeat_interval,
                }
                for match in self.matches
            ],
            "muted_by": list(self.muted_by),
            "silenced_by": list(self.silenced_by),
            "muted_now": self.muted_now,
            "other_channels": list(self.other_channels),
            "same_group": list(self.same_group),
            "mails": [
                {"receiver": mail.receiver, "to": list(mail.recipients), "subject": mail.subject, "text": mail.text}
                for mail in self.mails
            ],
        }


def find_path(
    alertmanager: Alertmanager, labels: Labels, annotations: Labels, others: Iterable[Labels], *, render: bool = True
) -> AlertPath:
    """The path of an alert through the configuration that Alertmanager runs.

    `others`: label sets of alerts that may inhibit it. Raises what the client raises, and RoutingError.
    """
    config = alertmanager.status().config
    matches = tuple(tree.matches(config, labels))
    receivers = tree.receivers(config)
    muting = tree.inhibitors(config, labels, others)
    quiet = [hours.quiet(config, match, time.time()) for match in matches]
    external_url = alertmanager.external_url() or ""
    return AlertPath(
        labels=labels,
        matches=matches,
        muted_by=tuple(dict.fromkeys(inhibitor.source.get("alertname", "?") for inhibitor in muting)),
        silenced_by=tuple(
            f"{one['id']} until {one['endsAt'][:16]}Z by {one['createdBy']}"
            for one in silencing(alertmanager.silences(), labels)
        ),
        mails=tuple(
            mail
            for name, match in {match.receiver: match for match in reversed(matches)}.items()
            for mail in mails(
                receivers.get(name) or {},
                labels,
                annotations,
                render=render,
                group_labels=_group(match, labels),
                external_url=external_url or alertmanager.url,
            )
        ),
        muted_now=quiet[0] if all(quiet) else "",
        other_channels=tuple(
            dict.fromkeys(
                kind.removesuffix("_configs")
                for match in matches
                for kind, entries in (receivers.get(match.receiver) or {}).items()
                if kind.endswith("_configs") and kind != "email_configs" and entries
            )
        ),
        same_group=tuple(
            dict.fromkeys(
                notice.labels.get("alertname", "?")
                for notice in alertmanager.alerts()
                if _share_a_group(matches, labels, tree.matches(config, notice.labels), notice.labels)
            )
        ),
        external_url=external_url,
    )


def _share_a_group(ours: Sequence[tree.Match], labels: Labels, theirs: Sequence[tree.Match], others: Labels) -> bool:
    """Whether two alerts are told of together, by one of the routes that take the first."""
    return any(
        mine.position == other.position and _group(mine, labels) == _group(other, others)
        for mine in ours
        for other in theirs
    )


def _group(match: tree.Match, labels: Labels) -> Labels:
    """The labels by which a route groups an alert."""
    return {name: value for name, value in labels.items() if match.group_by == ("...",) or name in match.group_by}


def mails(
    receiver: Mapping[str, JsonValue],
    labels: Labels,
    annotations: Labels,
    *,
    render: bool = True,
    resolved: bool = False,
    group_labels: Labels,
    external_url: str,
) -> list[Mail]:
    """The mails that a receiver sends for one alert."""
    found = []
    for settings in receiver.get("email_configs") or ():
        headers = {str(key).lower(): str(value) for key, value in (settings.get("headers") or {}).items()}
        data = _data(str(receiver["name"]), labels, annotations, resolved=resolved)
        data |= {"groupLabels": dict(group_labels), "externalURL": external_url}
        found.append(
            Mail(
                receiver=str(receiver["name"]),
                recipients=tuple(part.strip() for part in str(settings["to"]).split(",")),
                subject=rendered(headers["subject"], data) if render and "subject" in headers else None,
                text=rendered(str(settings["text"]), data) if render and settings.get("text") else None,
            )
        )
    return found


def rendered(template: str, data: Mapping[str, object]) -> str | None:
    """A template rendered by amtool; None without amtool, or where the template needs files that are not here."""
    if not build_tools.find("amtool"):
        return None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "data.json"
        file.write_text(json.dumps(data), "utf-8")
        done = subprocess.run(
            [
                *(build_tools.path("amtool"), "template", "render"),
                *(f"--template.glob={folder}/*.tmpl", f"--template.text={template}", f"--template.data={file}"),
            ],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    return done.stdout.strip() if done.returncode == 0 else None


def _data(receiver: str, labels: Labels, annotations: Labels, *, resolved: bool) -> dict[str, object]:
    """The data of a template for one alert, as Alertmanager has it."""
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    status = "resolved" if resolved else "firing"
    alert = {
        "status": status,
        "labels": dict(labels),
        "annotations": dict(annotations),
        "startsAt": now,
        "endsAt": now if resolved else "0001-01-01T00:00:00Z",
        "generatorURL": "",
        "fingerprint": "0",
    }
    return {
        "receiver": receiver,
        "status": status,
        "alerts": [alert],
        "commonLabels": dict(labels),
        "commonAnnotations": dict(annotations),
    }


def silencing(silences: Iterable[Mapping[str, JsonValue]], labels: Labels) -> list[Mapping[str, JsonValue]]:
    """The active silences that match an alert with these labels."""
    return [silence for silence in silences if _silences(silence, labels)]


def until(silence: Mapping[str, JsonValue]) -> str:
    """`until 2026-01-31 12:00 UTC by NAME (comment)`, or that `pulumi up` holds it."""
    if is_lease(silence):
        end = str(silence["endsAt"])[11:19]
        return f"while `pulumi up` of {silence.get('createdBy')} runs (deploySilence; ends at {end} UTC if not renewed)"
    comment = f" ({silence['comment']})" if silence.get("comment") else ""
    end = str(silence["endsAt"])[:16].replace("T", " ")
    return f"until {end} UTC by {silence.get('createdBy') or 'somebody'}{comment}"


def _silences(silence: Mapping[str, JsonValue], labels: Labels) -> bool:
    """Whether the silence is active and matches these labels."""
    if (silence.get("status") or {}).get("state") != "active":
        return False
    return all(tree.Matcher(one["name"], one["value"], _operator(one)).matches(labels) for one in silence["matchers"])


def _operator(matcher: Mapping[str, JsonValue]) -> str:
    equal, regex = matcher.get("isEqual", True), matcher["isRegex"]
    return ("=~" if regex else "=") if equal else ("!~" if regex else "!=")


def describe(path: AlertPath) -> Sequence[str]:
    """The path in lines for people."""
    lines = ["labels    " + ", ".join(f"{key}={value}" for key, value in path.labels.items())]
    for match in path.matches:
        lines += [
            "route     " + " › ".join(match.path),
            f"          to {match.receiver}, grouped by {', '.join(match.group_by) or 'nothing'}; first mail within "
            f"{humanize(match.group_wait)}, news after {humanize(match.group_interval)}, "
            f"again every {humanize(match.repeat_interval)}",
        ]
    if path.is_shadow:
        lines.append("told      nobody: a shadow (label stage: shadow); --label stage= shows where it would go without")
    lines.append("muted by  " + (", ".join(path.muted_by) or "none of our alerts") + " while firing")
    lines.append("silenced  " + ("; ".join(path.silenced_by) or "no"))
    if path.same_group:
        lines.append(f"group     has {', '.join(path.same_group)}, so its mail comes within {humanize(path.next_mail)}")
    if path.muted_now:
        lines.append(f"muted now ({path.muted_now})")
    if path.other_channels:
        lines.append("also to   " + ", ".join(path.other_channels))
    for mail in path.mails:
        lines.append("mail to   " + ", ".join(mail.recipients))
        lines.append("subject   " + (mail.subject or "(make tools brings amtool, which renders it)"))
        lines += ["          " + line for line in (mail.text or "").splitlines()]
    if path.mails and not path.external_url:
        lines.append("links     begin with its host's name instead: Alertmanager shows no --web.external-url")
    return lines
