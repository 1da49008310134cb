"""Our part of one key of one ConfigMap: read, edited and written by compare-and-swap. A Secret's goes the same way."""

from collections.abc import Callable, Sequence
from typing import ClassVar

import pulumi
from pulumi import dynamic

from components.live import inputs
from components.live.cluster import config_map, connections, other_hands
from components.live.cluster.config_map import Key, StoredText
from components.live.cluster.secret_key import SecretKey
from components.live.handlers.handler import EditHandler
from components.live.provider import Props, info, warn
from components.live.text.edit_errors import EditRefused
from components.live.text.editors import editor
from components.live.text.marked_lists import LastEdit
from components.live.text.routing_merge import Routing
from ops.clients import promtools
from routing.inline_password import filled

_CHECKS = {
    "rule-files": promtools.check_prometheus,
    "routing": promtools.check_alertmanager,
    "replace": promtools.check_alertmanager,
}


class ConfigTextHandler(EditHandler):
    """Edits the text; whatever it refuses it refuses in a preview, before anything is written."""

    # Another editor of the same key is a replacement too: it has to find the text without the former one's part.
    identity: ClassVar[Sequence[str]] = ("namespace", "config_map", "key", "editor")
    compared: ClassVar[Sequence[str]] = ("ours", *inputs.ACCESS)

    def check(self, _olds: Props, news: Props) -> dynamic.CheckResult:
        """Try the edit on the live text before it is made, without writing it. Raises EditRefused, ops.errors.

        Later ones are tried by `diff`: it is given the state, which knows what is ours where our marks are gone.
        """
        if any(_olds.get(name) != news.get(name) for name in self.identity):
            self.try_edit(news, lambda found: found.replaced, _olds)
        return dynamic.CheckResult(news, [])

    def diff(self, _id: str, _olds: Props, _news: Props) -> dynamic.DiffResult:
        """Whether an update or a replacement is needed; an update is tried. Raises EditRefused, ops.errors."""
        found = super().diff(_id, _olds, _news)
        if not found.replaces:
            self.try_edit(_news, lambda found: _last_edit(_olds, found), _olds)
        return found

    def try_edit(self, news: Props, last_edit: Callable[[StoredText], LastEdit | None], olds: Props) -> None:
        """The edit of a preview: nothing is written. Raises EditRefused, ops.errors."""
        _try(news, last_edit, olds)

    def drift(self, props: Props) -> str:
        """Raises EditRefused where the object or its key is gone."""
        at = _key(props)
        text = config_map.read(connections.kubernetes(props), at).text
        stands = editor(at.editor).has(text, _ours(props))
        return "" if stands else f"our part of {at} is gone or was changed by somebody else"

    def create(self, props: Props) -> dynamic.CreateResult:
        """Put our part in. Raises EditRefused, ops.errors."""
        return dynamic.CreateResult(str(_key(props)), _write(props, lambda found: found.replaced))

    def update(self, _id: str, _olds: Props, _news: Props) -> dynamic.UpdateResult:
        """Put our part in, in place of what we wrote last. Raises EditRefused, ops.errors."""
        return dynamic.UpdateResult(_write(_news, lambda found: _last_edit(_olds, found)))

    def delete(self, _id: str, _props: Props) -> None:
        """Remove our part. Raises EditRefused where that is not safe, ops.errors."""
        at = _key(_props)

        def bare(found: StoredText) -> str:
            if at.editor != "replace":
                at.check_text(found.text, complete=False)
            last = _last_edit(_props, found)
            text = editor(at.editor).remove(found.text, last)
            if last is None or text != last.before:  # what was there before us comes back, valid or not
                _refuse_newly_broken(at, found.text, text)
            return text

        cluster = connections.kubernetes(_props)
        try:
            config_map.read(cluster, at)
        except EditRefused as gone:
            info(f"{gone}: there is nothing of ours to remove")
            return
        found, _ = config_map.swap(cluster, at, bare, gone=True)
        for line in editor(at.editor).left(found.text, _ours(_props), _last_edit(_props, found)):
            warn(line)


def _key(props: Props) -> Key:
    if "secret_name" in props:
        return SecretKey(props["namespace"], props["secret_name"], props["key"], props["editor"])
    return Key(props["namespace"], props["config_map"], props["key"], props["editor"])


def _ours(props: Props) -> str:
    """What the editor is given; in a Secret also the mail relay's password."""
    return filled(props["ours"], props.get("password"))


def _try(news: Props, last_edit: Callable[[StoredText], LastEdit | None], olds: Props) -> None:
    """The edit of a preview: nothing is written, and warnings say what changes for others."""
    if pulumi.UNKNOWN in news.values():
        return
    at, edit, ours = _key(news), editor(news["editor"]), _ours(news)
    cluster = connections.kubernetes(news)
    found = config_map.read(cluster, at)
    text = _without_former(at, found, olds)
    new = _edited(at, text, ours, last_edit(found))
    if new != found.text:
        config_map.try_write(cluster, at, found, new)
        if line := other_hands.warning_of_edit(found.metadata, at.namespace, at.name, at.key, kind=at.kind):
            warn(line)
    first = "before" not in olds
    if edit.has(found.text, ours):
        lines = edit.warnings(text, ours, connections.arriving(news)) if first else []
    else:
        alerts, bare = connections.arriving(news), edit.remove(text, last_edit(found))
        if isinstance(edit, Routing) and news.get("ask"):
            edit.refuse_lost_routes(bare, ours, alerts)
        lines = edit.warnings(bare, ours, alerts)
        lines += [] if first else edit.left(text, _ours(olds), last_edit(found))
    for line in lines:
        warn(line)


def _without_former(at: Key, found: StoredText, olds: Props) -> str:
    """The live text without the part of a former editor of ours, whose resource is deleted before this one is made."""
    if at.editor != "replace" and found.replaced and found.text == found.replaced.after:
        return found.replaced.before
    if at.editor == "replace" and olds.get("editor") == "routing":
        at.check_text(found.text, complete=False)
        return editor("routing").remove(found.text)
    return found.text


def _last_edit(props: Props, found: StoredText) -> LastEdit | None:
    """What we wrote last: from the ConfigMap's annotation after a replacement, else from the state."""
    if found.replaced:
        return found.replaced
    before, after = props.get("before"), props.get("after")
    return LastEdit(before, after) if isinstance(before, str) and isinstance(after, str) else None


def _write(props: Props, written: Callable[[StoredText], LastEdit | None]) -> Props:
    at = _key(props)
    edit = editor(at.editor)
    found, new = config_map.swap(
        connections.kubernetes(props), at, lambda found: _edited(at, found.text, _ours(props), written(found)), written
    )
    last = written(found)
    if at.editor == "replace":
        return {**props, "before": last.before if last else found.text, "after": new, "drift": ""}
    if last and new == found.text:  # our marks may be gone from it: what we remember still tells what is ours
        return {**props, "before": last.before, "after": last.after, "drift": ""}
    # Not simply `found.text`: an `up` that was killed may have written ours already.
    return {**props, "before": edit.remove(new), "after": new, "drift": ""}


def _edited(at: Key, text: str, ours: str, written: LastEdit | None) -> str:
    if at.editor != "replace" or written is None:
        at.check_text(text, complete=True)
    new = editor(at.editor).insert(text, ours, written)
    _refuse_newly_broken(at, text, new)
    return new


def _refuse_newly_broken(at: Key, before: str, after: str) -> None:
    """Raises EditRefused for faults that promtool or amtool, if installed, finds after the edit and not before."""
    if before == after:
        return
    check = _CHECKS[at.editor]
    faults = check(after)
    if faults and (broken := promtools.new_faults(check(before), faults)):
        raise EditRefused(f"{at} would no longer be valid: {at.may_quote(' '.join(broken))}")
