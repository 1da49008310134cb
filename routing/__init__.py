"""The routing of our alerts: `alertmanager.yml`, and its one reader.

The file is a whole, valid Alertmanager configuration, and all that a mail says stands in it, so that each of its
receivers also works inside a configuration that somebody else wrote.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from formats.json_types import JsonObject, JsonValue
from formats.places import Place, read_text, shown
from formats.yaml_nodes import Node
from routing import _typed
from routing._typed import RoutingError

__all__ = ["FOLDER", "Parts", "Routing", "RoutingError", "Smtp", "load", "read"]

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Smtp:
    """How mails leave: what differs between production and a sandbox."""

    smarthost: str  # host:port
    from_: str
    username: str  # empty for a relay that asks for none
    password_file: str  # a path that Alertmanager sees; empty as above
    require_tls: bool

    def given_by(self, stack: object) -> "Smtp":
        """With what a stack's settings (components.settings.Smtp) give instead; what is None there stays as it is."""
        keys = ("smarthost", "from_", "username", "password_file")
        return replace(self, **{key: value for key in keys if (value := getattr(stack, key))})


# Our names, and those of Alertmanager: in `global` with smtp_ before it (and auth_ as here), in a receiver as here.
_KEYS = {
    "smarthost": "smarthost",
    "from_": "from",
    "username": "auth_username",
    "password_file": "auth_password_file",
    "require_tls": "require_tls",
}


@dataclass(frozen=True)
class Parts:
    """What belongs into a configuration that others wrote, as plain mappings that share nothing with it.

    Each mail of `receivers` has its own SMTP settings, so that the other's `global` is not needed. `routes` stand first
    among the other's routes; each says all its settings itself.
    """

    receivers: tuple[Mapping[str, JsonValue], ...]
    routes: tuple[Mapping[str, JsonValue], ...]
    inhibit_rules: tuple[Mapping[str, JsonValue], ...]
    time_intervals: tuple[Mapping[str, JsonValue], ...]

    def continuing(self) -> "Parts":
        """The same, whose routes leave their alerts to the routes below them too; not those that tell nobody."""
        return replace(
            self,
            routes=tuple({**route, "continue": True} if self.sends(route) else route for route in self.routes),
        )

    def sends(self, route: Mapping[str, JsonValue]) -> bool:
        """Whether the receiver of a route sends anything."""
        receivers = (one for one in self.receivers if one["name"] == route["receiver"])
        return any(key.endswith("_configs") and entries for one in receivers for key, entries in one.items())

    def as_json(self) -> str:
        """As one text."""
        return json.dumps(asdict(self), ensure_ascii=False)


@dataclass(frozen=True)
class Routing:
    """The routing as it stands in its file: `text` is deployed where all of it is ours, elsewhere `parts()`."""

    path: Path
    text: str
    config: Mapping[str, JsonValue]
    warnings: tuple[str, ...] = ()  # what this program does not know, and amtool decides

    @property
    def shown(self) -> str:
        """The file as refusals name it."""
        return shown(self.path)

    @property
    def smtp(self) -> Smtp:
        """The mail settings that the file names in `global`."""
        settings = self.config["global"]
        return Smtp(**{ours: settings[f"smtp_{theirs}"] for ours, theirs in _KEYS.items()})

    def parts(self, smtp: Smtp | None = None) -> Parts:
        """Our receivers (not the fallback, which is the other's), routes, inhibitions and the time intervals in use.

        With `smtp`, mails leave by that; else as the file says.
        """
        smtp = smtp or self.smtp
        settings = {theirs: getattr(smtp, ours) for ours, theirs in _KEYS.items() if getattr(smtp, ours) != ""}
        routes = tuple(_copy(route) for route in self.config["route"]["routes"])
        used = {name for route in routes for name in _values(route, "receiver")}
        intervals = {name for route in routes for key in _INTERVALS for name in _values(route, key)}
        return Parts(
            receivers=tuple(
                _with_settings(receiver, settings) for receiver in self.config["receivers"] if receiver["name"] in used
            ),
            routes=routes,
            inhibit_rules=tuple(_copy(rule) for rule in self.config.get("inhibit_rules") or ()),
            time_intervals=tuple(
                _copy(interval) for interval in self.config.get("time_intervals") or () if interval["name"] in intervals
            ),
        )

    def with_smtp(self, smtp: Smtp) -> str:
        """The text with the mail settings in `global` replaced by these; every other byte stays."""
        root, _ = _typed.parse(self.text, self.shown)
        assert root is not None  # load() has read it
        found = root.fields()["global"].fields()
        text = self.text
        edits = [(found[f"smtp_{theirs}"].yaml, getattr(smtp, ours)) for ours, theirs in _KEYS.items()]
        for scalar, value in sorted(edits, key=lambda edit: -edit[0].start_mark.index):
            written = str(value).lower() if isinstance(value, bool) else _typed.scalar(value)
            text = text[: scalar.start_mark.index] + written + text[scalar.end_mark.index :]
        return text


_INTERVALS = ("mute_time_intervals", "active_time_intervals")


def load(folder: Path = FOLDER) -> Routing:
    """Read and check `alertmanager.yml` in `folder`. Raises RoutingError."""
    path = folder / "alertmanager.yml"
    return read(read_text(path, RoutingError), path)


def read(text: str, path: Path) -> Routing:
    """Check a text as what stands in `path`. Raises RoutingError."""
    from routing import _known_keys, _schema  # takes 0.03 s, and the dynamic provider's process reads no file of ours

    root, config = _typed.parse(text, shown(path))
    if root is None:
        raise RoutingError("the file is empty: the routing has to stand in it", Place(shown(path), 1))
    unknown = _known_keys.unknown_keys(root)
    _schema.check(root)
    _check_ours(root)
    return Routing(path, text, config, tuple(unknown))


def _check_ours(root: Node) -> None:
    """What only we ask of the file, so that its parts work elsewhere too."""
    top = root.fields()
    settings = top["global"].fields() if "global" in top else {}
    for field in fields(Smtp):
        key = f"smtp_{_KEYS[field.name]}"
        if key not in settings or not settings[key].scalar():
            raise top.get("global", root).error(f"global has no {key}; give it, it goes into each of our receivers")
    if "smtp_auth_password" in settings:
        raise settings["smtp_auth_password"].error("a password must not stand here; put it into a file")
    if "templates" in top and list(top["templates"].items()):
        raise top["templates"].error(
            "template files would be missing where our receivers stand in another's configuration; "
            "write the text into the receivers"
        )
    route = top["route"].fields()
    if "routes" not in route or not list(route["routes"].items()):
        raise top["route"].error("there are no routes below the first; without one every alert goes to the fallback")
    for child in route["routes"].items():
        given = child.fields()
        for key in ("receiver", "group_by", "group_wait", "group_interval", "repeat_interval"):
            if key not in given:
                raise child.error(f"this route has no {key}; give it, elsewhere it would inherit another's")
        if not any(key in given for key in ("matchers", "match", "match_re")):
            raise child.error("this route matches every alert, those of others too; give it matchers")


def _with_settings(receiver: Mapping[str, JsonValue], settings: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    result: JsonObject = _copy(receiver)
    if "email_configs" in result:
        result["email_configs"] = [
            {"to": mail["to"], **{key: mail.get(key, value) for key, value in settings.items()}, **mail}
            for mail in result["email_configs"]
        ]
    return result


def _copy(value: JsonValue) -> JsonValue:
    """A deep copy without YAML's aliases."""
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _values(route: Mapping[str, JsonValue], key: str) -> set[str]:
    """Every value of `key` in a route and below it."""
    value = route.get(key) or []
    found = {value} if isinstance(value, str) else set(value)
    return found.union(*(_values(child, key) for child in route.get("routes") or ()))
