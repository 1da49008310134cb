"""The Alertmanager configuration of a tenant, changed by reading, editing, reading again, writing, and reading back.

The API has no version to compare. What somebody else writes between the second reading and the writing, some
milliseconds, would be lost; what is written before or after that is seen, and edited again.
"""

import base64
import json
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from components.live.text.edit_errors import EditRefused
from components.live.text.marked_lists import LastEdit
from ops.clients.tenant import TenantAlertmanager, TenantConfig
from ops.errors import OpsError, Unreachable

ATTEMPTS = 8
# What our part is put into where there is no configuration; by these very bytes we know it again on destroy.
MINIMAL = """\
# Made by api-monitoring, as this tenant had no configuration. Alerts that no route takes are told to nobody.
route:
  receiver: nobody
receivers:
  - name: nobody
"""
# The last line of a text that is ours as a whole, as an `up` may be killed before the state has what stood there.
NOTE = "# What stood here before api-monitoring, for destroy: "


@dataclass(frozen=True)
class StoredConfig:
    """What is stored, None for nothing; and its text without our note, MINIMAL or "" for nothing."""

    config: TenantConfig | None
    text: str
    replaced: LastEdit | None  # from the note: what a replacement of ours did


def read(api: TenantAlertmanager, editor: str) -> StoredConfig:
    """Raises ops.errors."""
    config = api.read()
    if config is None:
        return StoredConfig(None, nothing(editor), None)
    text, replaced = _without_note(config.text)
    return StoredConfig(config, text, replaced)


def nothing(editor: str) -> str:
    """The text that `editor` is given where there is no configuration."""
    return MINIMAL if editor == "routing" else ""


def swap(
    api: TenantAlertmanager, editor: str, edit: Callable[[StoredConfig], str], *, gone: bool = False, pause: float = 0.2
) -> tuple[StoredConfig, str]:
    """Write what `edit` makes of the stored text; edit again if somebody else has written it meanwhile.

    Returns what was there, and the text that is there now. `gone`: our part is taken out. Raises EditRefused after 8
    attempts, ops.errors.
    """
    for attempt in range(ATTEMPTS):
        found = read(api, editor)
        new = edit(found)
        wanted = _to_store(found, new, editor, gone=gone)
        if wanted == found.config:
            return found, new
        if api.read() == found.config and _stored(api, wanted):
            return found, new
        time.sleep(pause * (attempt + 1))
    raise EditRefused(
        f"somebody else keeps changing the configuration at {api} ({ATTEMPTS} attempts): run it again later"
    )


def _to_store(found: StoredConfig, new: str, editor: str, *, gone: bool) -> TenantConfig | None:
    templates = found.config.templates if found.config else {}
    if gone and new in ("", MINIMAL):  # as it was before us
        if templates:
            raise EditRefused(
                f"the tenant had no configuration before us, and now has template files of somebody else's: "
                f"{', '.join(templates)}; delete them there first, as they would go with it"
            )
        return None
    if editor == "replace" and not gone:
        before = found.replaced.before if found.replaced else found.text
        return TenantConfig(new + _note(before, new), templates)
    return TenantConfig(new, templates)


def _stored(api: TenantAlertmanager, wanted: TenantConfig | None) -> bool:
    """Write it, or delete what is there for None; whether it is there afterwards."""
    try:
        if wanted is None:
            api.delete()
        else:
            api.write(wanted)
    except Unreachable:
        if not _is_stored(api, wanted):  # else it arrived, and its answer did not
            raise
    return api.read() == wanted


def _is_stored(api: TenantAlertmanager, wanted: TenantConfig | None) -> bool:
    try:
        return api.read() == wanted
    except OpsError:
        return False


def _note(before: str, wrote: str) -> str:
    text = json.dumps({"before": before, "wrote": wrote}, ensure_ascii=False).encode("utf-8", "surrogatepass")
    begin = "" if wrote.endswith("\n") else "\n"
    return f"{begin}{NOTE}{base64.b64encode(zlib.compress(text, 9)).decode()}\n"


def _without_note(text: str) -> tuple[str, LastEdit | None]:
    """The text as it was written, and what the note at its end remembers; a damaged note is part of the text."""
    bare, mark, kept = text.rpartition(NOTE)
    try:
        note = json.loads(zlib.decompress(base64.b64decode(kept)).decode("utf-8", "surrogatepass"))
        last = LastEdit(str(note["before"]), str(note["wrote"]))
    except (ValueError, KeyError, TypeError, zlib.error):
        return text, None
    if not mark:
        return text, None
    return (last.after if bare == f"{last.after}\n" else bare), last
