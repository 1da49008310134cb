"""Our routing with the mail relay's password in it, where no file has it: in a Secret, or at Mimir and Cortex."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace

from formats.json_types import JsonValue
from routing import Parts, Routing, RoutingError, Smtp

PLACE = "<smtpPassword>"  # where the password goes, in a text that may be shown
HIDDEN = "<secret>"  # as Alertmanager shows it: what runs is then not compared with it
KEY = "auth_password"
_FILE = "the file with the password"  # what is replaced in the text


def with_password(parts: Parts, password: str, *, other_files: bool = False) -> Parts:
    """The same, with `password` for each mail that has a file for it.

    Raises RoutingError for any other file, unless Alertmanager may read them.
    """
    return replace(parts, receivers=tuple(_inline(receiver, password, other_files) for receiver in parts.receivers))


def whole_with_password(routing: Routing, smtp: Smtp, password: str) -> str:
    """The text of `routing` with these mail settings, and `password` in the place of the file for it."""
    text = routing.with_smtp(replace(smtp, password_file=_FILE if smtp.password_file else ""))
    inline = f"smtp_{KEY}: {_quoted(password)}"
    return re.sub(rf"""smtp_{KEY}_file["']?\s*:\s*["']?{_FILE}["']?""", lambda _: inline, text)


def filled(text: str, password: str | None) -> str:
    """The text, or the JSON of parts, with the password in its place."""
    return text.replace(_quoted(PLACE), _quoted(password)) if password else text


def _quoted(text: str) -> str:
    """As JSON, which is YAML too; not in ASCII, as YAML puts no two escapes together to one character."""
    return json.dumps(text, ensure_ascii=False)


def _inline(value: JsonValue, password: str, other_files: bool) -> JsonValue:
    if isinstance(value, Mapping):
        others = [key for key in value if key.endswith("_file") and key != f"{KEY}_file"]
        if others and not other_files:
            raise RoutingError(
                f"a receiver has {', '.join(others)}, and in alertmanagerMode tenant Alertmanager reads no files: "
                "leave it out"
            )
        named = {KEY if key == f"{KEY}_file" else key: item for key, item in value.items()}
        return {key: password if key == KEY else _inline(item, password, other_files) for key, item in named.items()}
    return [_inline(item, password, other_files) for item in value] if isinstance(value, (list, tuple)) else value
