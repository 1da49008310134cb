"""One key of one ConfigMap or Secret, changed by compare-and-swap: what others write meanwhile is never lost."""

import base64
import json
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

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
class StoredText:
    """A text as it stands: `version` is the resourceVersion of its object, `metadata` all of its metadata."""

    text: str
    version: str
    replaced: LastEdit | None  # what a replacement of ours did, as it is noted in the object
    immutable: bool = False
    metadata: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True)
class Key:
    """A key of a ConfigMap, and the editor's name. components.live.cluster.secret_key has that of a Secret."""

    namespace: str
    name: str
    key: str
    editor: str

    kind: ClassVar[str] = "ConfigMap"
    resource: ClassVar[str] = "configmaps"
    setting: ClassVar[str] = "its name"

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}/{self.key}"

    @property
    def holder(self) -> str:
        """The object, as messages name it."""
        return f"{self.kind} {self.namespace}/{self.name}"

    @property
    def path(self) -> str:
        """Where the API has the object."""
        return f"/api/v1/namespaces/{self.namespace}/{self.resource}/{self.name}"

    def stored(self, _cluster: Kubernetes, found: JsonObject) -> StoredText:
        """The text in an object as the API gives it. Raises EditRefused for a key that is not there."""
        data = found.get("data") or {}
        if self.key not in data:
            raise self.missing([*data, *(found.get("binaryData") or {})])
        annotations = found["metadata"].get("annotations") or {}
        return StoredText(
            data[self.key],
            found["metadata"]["resourceVersion"],
            _read_annotation(annotations.get(ANNOTATION + self.key)),
            bool(found.get("immutable")),
            found["metadata"],
        )

    def missing(self, keys: Iterable[str]) -> EditRefused:
        """The refusal of a key that is not among those there."""
        there = ", ".join(sorted(keys)) or "nothing"
        return EditRefused(f"{self.holder} has no key {self.key}; it holds {there}")

    def patch(
        self, found: StoredText, new: str, last: LastEdit | None = None, *, gone: bool = False
    ) -> JsonObject | None:
        """What to write so that `new` stands there; None where nothing has to be.

        `last`: what we wrote before, if that is known. `gone`: our part is taken out.
        """
        if self.editor != "replace":
            return None if new == found.text else {"data": {self.key: new}}
        noted = not gone and found.replaced is not None and found.replaced.after == new
        if new == found.text and noted:
            return None
        note = None if gone else _annotation(last.before if last else found.text, new)
        return {"metadata": {"annotations": {ANNOTATION + self.key: note}}, "data": {self.key: new}}

    def check_text(self, text: str, *, complete: bool) -> None:
        """Raises EditRefused where a text could not be edited without quoting it."""

    def may_quote(self, words: str) -> str:
        """What a tool said of the text, as far as it may be shown."""
        return words


def read(cluster: Kubernetes, at: Key) -> StoredText:
    """Raises EditRefused for an object or a key that is not there, ops.errors for the rest."""
    try:
        found = cluster.get(at.path)
    except NotFound:
        raise EditRefused(f"{at.holder} is not there: is {at.setting} in the stack file right?") from None
    return at.stored(cluster, found)


def immutable(holder: str) -> EditRefused:
    """The refusal of a change in an immutable ConfigMap or Secret."""
    return EditRefused(
        f"{holder} has `immutable: true`, so nobody can change it: delete it and make it "
        "again without that line, then restart the pods that mount it, as kubelet does not look at it again"
    )


def swap(
    cluster: Kubernetes,
    at: Key,
    edit: Callable[[StoredText], str],
    last: Callable[[StoredText], LastEdit | None] = lambda found: found.replaced,
    *,
    gone: bool = False,
    pause: float = 0.2,
) -> tuple[StoredText, str]:
    """Write what `edit` makes of the live text; edit again if somebody else has written it meanwhile.

    Returns what was there, and what is there now. `last`: what we wrote before. `gone`: this takes a replacement back.
    Raises EditRefused after 8 attempts, ops.errors.
    """
    for attempt in range(ATTEMPTS):
        found = read(cluster, at)
        new = edit(found)
        patch = at.patch(found, new, last(found), gone=gone)
        if patch is None:
            return found, new
        if found.immutable:
            raise immutable(at.holder)
        try:
            _write(cluster, at, found, patch)
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
        raise immutable(at.holder)
    with connections.warning_if_forbidden(cluster, at.namespace):
        cluster.merge(at.path, at.patch(found, new, found.replaced) or {}, dry_run=True)


def _write(cluster: Kubernetes, at: Key, found: StoredText, patch: JsonObject) -> None:
    metadata = {**(patch.get("metadata") or {}), "resourceVersion": found.version}
    try:
        cluster.merge(at.path, {**patch, "metadata": metadata})
    except NotFound:
        raise EditRefused(f"{at.holder} was deleted meanwhile: run it again") from None


def _is_written(cluster: Kubernetes, at: Key, new: str) -> bool:
    try:
        return read(cluster, at).text == new
    except (EditRefused, Unreachable):
        return False


def _annotation(before: str, new: str) -> str:
    # Compressed, as an object's annotations hold 256 KiB, and kubectl keeps the whole text in one of its own.
    text = json.dumps({"before": before, "wrote": new}, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return base64.b64encode(zlib.compress(text, 9)).decode()


def _read_annotation(note: str | None) -> LastEdit | None:
    try:
        kept = json.loads(zlib.decompress(base64.b64decode(note or "")).decode("utf-8", "surrogatepass"))
        return LastEdit(str(kept["before"]), str(kept["wrote"]))
    except (ValueError, KeyError, TypeError, zlib.error):
        return None
