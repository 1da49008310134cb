"""Our part of the Alertmanager configuration of a tenant of Mimir or Cortex, or all of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pulumi
from pulumi import dynamic

from components.live.cluster import connections, tenant_text
from components.live.cluster.tenant_text import StoredConfig
from components.live.handlers.handler import EditHandler
from components.live.provider import Props, info, warn
from components.live.text.edit_errors import EditRefused
from components.live.text.editors import editor
from components.live.text.marked_lists import LastEdit
from components.live.text.redact import redacted
from components.live.text.routing_merge import Routing
from ops.clients import promtools
from ops.clients.tenant import TenantAlertmanager


class TenantTextHandler(EditHandler):
    """Edits the text as `ConfigText` edits that of a ConfigMap; what it refuses it refuses in a preview."""

    # Another editor is a replacement too: it has to find the text without the former one's part.
    identity = ("place", "editor")
    compared = ("ours", "tenant")

    def check(self, _olds: Props, news: Props) -> dynamic.CheckResult:
        """Try the edit on the stored text before it is made. Raises EditRefused, ops.errors.

        Later ones are tried by `diff`: it is given the state, which knows what is ours where our marks are gone.
        """
        if any(_olds.get(name) != news.get(name) for name in self.identity):
            with _no_secret_quoted():
                _try(news, lambda found: found.replaced, _olds)
        return dynamic.CheckResult(news, [])

    def diff(self, _id: str, _olds: Props, _news: Props) -> dynamic.DiffResult:
        """Whether an update or a replacement is needed; an update is tried. Raises EditRefused, ops.errors."""
        found = super().diff(_id, _olds, _news)
        if not found.replaces:
            with _no_secret_quoted():
                _try(_news, lambda found: _last_edit(_olds, found), _olds)
        return found

    def drift(self, props: Props) -> str:
        """Why our part is not as it should be. Raises ops.errors."""
        found = tenant_text.read(_api(props), props["editor"])
        if found.config is None:
            return f"the Alertmanager configuration of {props['place']} is gone, and our part with it"
        stands = editor(props["editor"]).has(found.text, props["ours"])
        return "" if stands else f"our part of {_where(props)} is gone or was changed by somebody else"

    def create(self, props: Props) -> dynamic.CreateResult:
        """Put our part in. Raises EditRefused, ops.errors."""
        return dynamic.CreateResult(props["place"], _write(props, lambda found: found.replaced))

    def update(self, _id: str, _olds: Props, _news: Props) -> dynamic.UpdateResult:
        """Put our part in, in place of what we wrote last. Raises EditRefused, ops.errors."""
        return dynamic.UpdateResult(_write(_news, lambda found: _last_edit(_olds, found)))

    def delete(self, _id: str, _props: Props) -> None:
        """Remove our part; all of it where there was nothing before. Raises EditRefused, ops.errors."""
        api, kind = _api(_props), _props["editor"]
        if tenant_text.read(api, kind).config is None:
            info(f"{_where(_props)} is gone: there is nothing of ours to remove")
            return

        def bare(found: StoredConfig) -> str:
            text = editor(kind).remove(found.text, _last_edit(_props, found))
            _refuse_newly_broken(_where(_props), found.text, text)
            return text

        with _no_secret_quoted():
            found, _ = tenant_text.swap(api, kind, bare, gone=True)
        for line in editor(kind).left(found.text, _props["ours"], _last_edit(_props, found)):
            warn(line)


@contextmanager
def _no_secret_quoted() -> Iterator[None]:
    """Our part has the mail relay's password in it: hide that in the lines that a refusal quotes."""
    try:
        yield
    except EditRefused as error:
        raise EditRefused(error.sentence, redacted(error.snippet)) from None


def _api(props: Props) -> TenantAlertmanager:
    return connections.tenant_alertmanager(props["tenant"])


def _where(props: Props) -> str:
    return f"the Alertmanager configuration of {props['place']}"


def _try(news: Props, last_edit: Callable[[StoredConfig], LastEdit | None], olds: Props) -> None:
    """The edit of a preview: nothing is written, and warnings say what changes for others."""
    if pulumi.UNKNOWN in news.values():
        return
    edit = editor(news["editor"])
    found = tenant_text.read(_api(news), news["editor"])
    text = _without_former(news["editor"], found, olds)
    _edited(news, text, last_edit(found))
    first = "before" not in olds
    if edit.has(found.text, news["ours"]):
        lines = edit.warnings(text, news["ours"], connections.arriving(news)) if first else []
    else:
        alerts, bare = connections.arriving(news), edit.remove(text, last_edit(found))
        if isinstance(edit, Routing) and news.get("ask"):
            edit.refuse_lost_routes(bare, news["ours"], alerts)
        lines = edit.warnings(bare, news["ours"], alerts)
        lines += [] if first else edit.left(text, olds["ours"], last_edit(found))
    if found.config is None:
        lines = [
            f"{news['place']} has no Alertmanager configuration: ours is made, and one that the servers have for all "
            "tenants without one no longer counts"
        ]
    for line in lines:
        warn(line)


def _without_former(kind: str, found: StoredConfig, olds: Props) -> str:
    """The stored text without the part of a former editor of ours, whose resource is deleted before this is made."""
    if kind == "routing" and found.replaced and found.text == found.replaced.after:
        return found.replaced.before or tenant_text.MINIMAL
    if kind == "replace" and olds.get("editor") == "routing":
        bare = editor("routing").remove(found.text)
        return "" if bare == tenant_text.MINIMAL else bare
    return found.text


def _last_edit(props: Props, found: StoredConfig) -> LastEdit | None:
    """What we wrote last: from the note after a replacement, else from the state."""
    if found.replaced:
        return found.replaced
    before, after = props.get("before"), props.get("after")
    return LastEdit(before, after) if isinstance(before, str) and isinstance(after, str) else None


def _write(props: Props, written: Callable[[StoredConfig], LastEdit | None]) -> Props:
    kind = props["editor"]
    edit = editor(kind)
    with _no_secret_quoted():
        found, new = tenant_text.swap(_api(props), kind, lambda found: _edited(props, found.text, written(found)))
    last = written(found)
    if kind == "replace":
        return {**props, "before": last.before if last else found.text, "after": new, "drift": ""}
    if last and new == found.text:  # our marks may be gone from it: what we remember still tells what is ours
        return {**props, "before": last.before, "after": last.after, "drift": ""}
    # Not simply `found.text`: an `up` that was killed may have written ours already.
    return {**props, "before": edit.remove(new), "after": new, "drift": ""}


def _edited(props: Props, text: str, written: LastEdit | None) -> str:
    new = editor(props["editor"]).insert(text, props["ours"], written)
    _refuse_newly_broken(_where(props), text, new)
    return new


def _refuse_newly_broken(where: str, before: str, after: str) -> None:
    """Raises EditRefused for faults that amtool, if installed, finds after the edit and not before."""
    if before == after or not after:
        return
    faults = promtools.check_alertmanager(after)
    if faults and (broken := promtools.new_faults(promtools.check_alertmanager(before), faults)):
        raise EditRefused(f"{where} would no longer be valid: {' '.join(broken)}")
