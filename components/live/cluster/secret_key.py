"""A text in a key of a Secret, plain or packed with gzip. Nothing that stands there is ever quoted.

What is needed to give back the very bytes of the key stands in one more key of that Secret: an `up` may be killed
before the state has it, and tools that hide a Secret's data show its annotations.
"""

import base64
import binascii
import gzip
import io
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from components.live.cluster import operator_secret
from components.live.cluster.config_map import Key, StoredText
from components.live.text.edit_errors import EditRefused
from components.live.text.marked_lists import LastEdit
from components.live.text.marks import find_marks
from components.live.text.unquoted import refuse_strange_text
from formats.json_types import JsonObject, JsonValue
from ops.clients.kubernetes import Kubernetes

KEPT = "before-api-performance."  # followed by the key
_GZIP = b"\x1f\x8b"
_LARGEST = 16 * 2**20  # bytes of a text: more than any configuration has


@dataclass(frozen=True)
class Kept:
    """The bytes of the key before us; and those that we wrote, where all of the text is ours."""

    editor: str
    before: bytes
    wrote: bytes = b""

    @classmethod
    def read(cls, stored: str | None) -> "Kept | None":
        """From the data of the Secret; None for what is not there, or damaged."""
        try:
            kept = json.loads(zlib.decompress(base64.b64decode(base64.b64decode(stored or ""))))
            return cls(str(kept["editor"]), base64.b64decode(kept["before"]), base64.b64decode(kept["wrote"]))
        except (ValueError, KeyError, TypeError, zlib.error):
            return None

    def stored(self) -> str:
        """For the data of the Secret: base64 of a text, as the pods get a file of it too."""
        fields = {"editor": self.editor, "before": _base64(self.before), "wrote": _base64(self.wrote)}
        return _base64(_base64(zlib.compress(json.dumps(fields).encode(), 9)).encode())


@dataclass(frozen=True)
class StoredSecret(StoredText):
    """A text in a Secret: `raw` has the bytes of its key."""

    raw: bytes = b""
    kept: Kept | None = None


@dataclass(frozen=True)
class SecretKey(Key):
    """A key of a Secret, and the editor's name."""

    kind: ClassVar[str] = "Secret"
    resource: ClassVar[str] = "secrets"
    setting: ClassVar[str] = "alertmanagerSecret"

    def stored(self, cluster: Kubernetes, found: JsonObject) -> StoredSecret:
        """Raises EditRefused for a Secret that the operator makes, and for a key that is not there or has no text."""
        operator_secret.refuse_generated(cluster, self.namespace, found["metadata"])
        data = found.get("data") or {}
        if self.key not in data:
            raise self.missing(key for key in data if not key.startswith(KEPT))
        try:
            raw = base64.b64decode(data[self.key], validate=True)
        except (binascii.Error, ValueError):
            raise EditRefused(f"{self.holder}, key {self.key}: it is not base64, so it is no Secret's data") from None
        kept = Kept.read(data.get(KEPT + self.key))
        replaced = None
        if kept and kept.editor == "replace":
            replaced = LastEdit(self._text(kept.before), self._text(kept.wrote))
        return StoredSecret(
            self._text(raw),
            found["metadata"]["resourceVersion"],
            replaced,
            bool(found.get("immutable")),
            found["metadata"],
            raw,
            kept,
        )

    def patch(
        self, found: StoredText, new: str, last: LastEdit | None = None, *, gone: bool = False
    ) -> JsonObject | None:
        """As a ConfigMap's; packed where it was, and the very bytes before us where it is that text again."""
        assert isinstance(found, StoredSecret)
        raw = found.raw if new == found.text else _packed(new, found.raw)
        if found.kept and self._is(found.kept.before, new):
            raw = found.kept.before
        kept = None if gone else self._to_keep(found, raw, last)
        if raw == found.raw and kept == found.kept:
            return None
        data: dict[str, JsonValue] = {self.key: _base64(raw)}
        if kept != found.kept:
            data[KEPT + self.key] = kept.stored() if kept else None
        return {"data": data}

    def check_text(self, text: str, *, complete: bool) -> None:
        """Raises EditRefused, without a word of it, for a text that is no YAML; if `complete`, not Alertmanager's."""
        refuse_strange_text(text, f"{self.holder}, key {self.key}", complete=complete)

    def may_quote(self, words: str) -> str:  # noqa: ARG002 - that is the point
        """Nothing: it may quote the Secret."""
        return "amtool's reason is not shown, as it may quote the Secret"

    def _to_keep(self, found: StoredSecret, raw: bytes, last: LastEdit | None) -> Kept | None:
        if self.editor == "replace":
            if found.replaced and found.kept:
                return Kept("replace", found.kept.before, raw)
            # Somebody may have taken out what we kept: the state still knows the text.
            known = last is not None and last.before != found.text
            return Kept("replace", _packed(last.before, found.raw) if last and known else found.raw, raw)
        if raw == found.raw or not found.raw.startswith(_GZIP):
            return found.kept  # a plain text without our lines is the text before us, byte for byte
        ours_is_there = found.kept and find_marks(found.text)
        return Kept(self.editor, found.kept.before if found.kept and ours_is_there else found.raw)

    def _text(self, raw: bytes) -> str:
        """Raises EditRefused for bytes that are no text."""
        at, what = f"{self.holder}, key {self.key}", raw
        if raw.startswith(_GZIP):
            try:
                what = gzip.GzipFile(fileobj=io.BytesIO(raw)).read(_LARGEST + 1)
            except (OSError, EOFError, zlib.error):
                raise EditRefused(f"{at}: it begins as gzip does, and cannot be unpacked: it is damaged") from None
            if len(what) > _LARGEST:
                raise EditRefused(f"{at}: unpacked it has more than {_LARGEST >> 20} MiB, so it is no configuration")
        elif self.key.endswith(".gz"):
            raise EditRefused(f"{at}: it is not gzip, as its name says; is alertmanagerSecretKey right?")
        try:
            return what.decode()
        except UnicodeDecodeError:
            raise EditRefused(f"{at}: it is no text (UTF-8); is alertmanagerSecretKey right?") from None

    def _is(self, raw: bytes, text: str) -> bool:
        try:
            return self._text(raw) == text
        except EditRefused:
            return False


def key_of(namespace: str, server: Mapping[str, JsonValue]) -> Key:
    """Where a server's configuration stands (components.live.inputs.ServerInputs)."""
    if server.get("secret_name"):
        return SecretKey(namespace, server["secret_name"], server["config_key"], "")
    return Key(namespace, server["config_map"], server["config_key"], "")


def _packed(text: str, like: bytes) -> bytes:
    raw = text.encode()
    return gzip.compress(raw, mtime=0) if like.startswith(_GZIP) else raw


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
