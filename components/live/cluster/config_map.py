"""One key of one ConfigMap, changed by compare-and-swap: what somebody else writes meanwhile is never lost."""

import base64
import json
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from components.live.cluster import connections
from components.live.text.edit_errors import EditRefused
from components.live.text.marked_lists import LastEdit
from formats.json_types import JsonObject, JsonValue
from ops.clients.kubernetes import Kubernetes
from ops.errors import Conflict, NotFound, Unreachable

ATTEMPTS = 8
# Followed by the key. Holds the text before ours, and ours, as an `up` may be killed before the state has them.
ANNOTATION = "api-performance/before."


@dataclass(frozen=True)
class Key:
    """A key of a ConfigMap, and the editor's name."""

    namespace: str
    config_map: str
    key: str
    editor: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.config_map}/{self.key}"


@dataclass(frozen=True)
class StoredText:
    """A text as it stands: `version` is the resourceVersion of its ConfigMap, `metadata` all of its metadata."""

    text: str
    version: str
    replaced: LastEdit | None  # from the annotation: what a replacement of ours did
    immutable: bool = False
    metadata: Mapping[str, JsonValue] = field(default_factory=dict)


def read(cluster: Kubernetes, at: Key) -> StoredText:
    """Raises EditRefused for a ConfigMap or a key that is not there, ops.errors for the rest."""
    try:
        found = cluster.get(_path(at))
    except NotFound:
        raise EditRefused(
            f"ConfigMap {at.namespace}/{at.config_map} is not there: is its name in the stack file right?"
        ) from None
    data = found.get("data") or {}
    if at.key not in data:
        there = ", ".join(sorted([*data, *(found.get("binaryData") or {})])) or "nothing"
        raise EditRefused(f"ConfigMap {at.namespace}/{at.config_map} has no key {at.key}; it holds {there}")
    annotations = found["metadata"].get("annotations") or {}
    return StoredText(
        data[at.key],
        found["metadata"]["resourceVersion"],
        _read_annotation(annotations.get(ANNOTATION + at.key)),
        bool(found.get("immutable")),
        found["metadata"],
    )


def immutable(namespace: str, config_map: str) -> EditRefused:
    """The refusal of a change in an immutable ConfigMap."""
    return EditRefused(
        f"ConfigMap {namespace}/{config_map} has `immutable: true`, so nobody can change it: delete it and make it "
        "again without that line, then restart the pods that mount it, as kubelet does not look at it again"
    )


def swap(
    cluster: Kubernetes, at: Key, edit: Callable[[StoredText], str], *, gone: bool = False, pause: float = 0.2
) -> tuple[StoredText, str]:
    """Write what `edit` makes of the live text; edit again if somebody else has written it meanwhile.

    Returns what was there, and what is there now. `gone`: this takes a replacement back. Raises EditRefused after
    8 attempts, ops.errors.
    """
    for attempt in range(ATTEMPTS):
        found = read(cluster, at)
        new = edit(found)
        note = None if gone or at.editor != "replace" else _annotation(found, new)
        noted = at.editor != "replace" or (not gone and found.replaced is not None and found.replaced.after == new)
        if new == found.text and noted:
            return found, new
        if found.immutable:
            raise immutable(at.namespace, at.config_map)
        try:
            _write(cluster, at, found, new, note)
            return found, new
        except Conflict:
            time.sleep(pause * (attempt + 1))
        except Unreachable:
            if _is_written(cluster, at, new):  # the write arrived, its answer did not
                return found, new
            raise
    raise EditRefused(f"somebody else keeps changing {at} ({ATTEMPTS} attempts): run it again later")


def try_write(cluster: Kubernetes, at: Key, found: StoredText, new: str) -> None:
    """Raises EditRefused or ops.errors where the API would not take this text, or what is noted beside it.

    Nothing is written.
    """
    if found.immutable:
        raise immutable(at.namespace, at.config_map)
    body: JsonObject = {"data": {at.key: new}}
    if at.editor == "replace":
        body["metadata"] = {"annotations": {ANNOTATION + at.key: _annotation(found, new)}}
    with connections.warning_if_forbidden():
        cluster.merge(_path(at), body, dry_run=True)


def _write(cluster: Kubernetes, at: Key, found: StoredText, new: str, note: str | None) -> None:
    metadata: JsonObject = {"resourceVersion": found.version}
    if at.editor == "replace":
        metadata["annotations"] = {ANNOTATION + at.key: note}
    try:
        cluster.merge(_path(at), {"metadata": metadata, "data": {at.key: new}})
    except NotFound:
        raise EditRefused(f"ConfigMap {at.namespace}/{at.config_map} was deleted meanwhile: run it again") from None


def _is_written(cluster: Kubernetes, at: Key, new: str) -> bool:
    try:
        return read(cluster, at).text == new
    except (EditRefused, Unreachable):
        return False


def _annotation(found: StoredText, new: str) -> str:
    before = found.replaced.before if found.replaced else found.text
    # Compressed, as an object's annotations hold 256 KiB, and kubectl keeps the whole text in one of its own.
    text = json.dumps({"before": before, "wrote": new}, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return base64.b64encode(zlib.compress(text, 9)).decode()


def _read_annotation(note: str | None) -> LastEdit | None:
    try:
        kept = json.loads(zlib.decompress(base64.b64decode(note or "")).decode("utf-8", "surrogatepass"))
        return LastEdit(str(kept["before"]), str(kept["wrote"]))
    except (ValueError, KeyError, TypeError, zlib.error):
        return None


def _path(at: Key) -> str:
    return f"/api/v1/namespaces/{at.namespace}/configmaps/{at.config_map}"
