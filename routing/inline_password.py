"""Our parts for an Alertmanager that may read no files, as that of Mimir or Cortex: the password stands in them."""

from collections.abc import Mapping
from dataclasses import replace

from formats.json_types import JsonValue
from routing import Parts, RoutingError

HIDDEN = "<secret>"  # as Alertmanager shows it: what runs is then not compared with it
KEY = "auth_password"


def with_password(parts: Parts, password: str) -> Parts:
    """The same, with `password` for each mail that has a file for it. Raises RoutingError for any other file."""
    return replace(parts, receivers=tuple(_inline(receiver, password) for receiver in parts.receivers))


def _inline(value: JsonValue, password: str) -> JsonValue:
    if isinstance(value, Mapping):
        if others := [key for key in value if key.endswith("_file") and key != f"{KEY}_file"]:
            raise RoutingError(
                f"a receiver has {', '.join(others)}, and in alertmanagerMode tenant Alertmanager reads no files: "
                "leave it out"
            )
        named = {KEY if key == f"{KEY}_file" else key: item for key, item in value.items()}
        return {key: password if key == KEY else _inline(item, password) for key, item in named.items()}
    return [_inline(item, password) for item in value] if isinstance(value, (list, tuple)) else value
