"""What stood in Grafana under our dashboard's uid before us: refused or kept, and put back when we are taken out.

Pickled by reference: the names of this module and of `PredecessorProvider` stand in the state of every stack. Renaming
or moving either strands that state.
"""

import json
from typing import Any

import pulumi
from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

from components.live.saying import NotDone, in_one_sentence, say
from ops.clients.grafana import Grafana, credentials
from ops.clients.http import Http
from ops.errors import NotFound, OpsError

Props = dict[str, Any]

_PLACE = ("url", "uid")
_COMPARED = (*_PLACE, "adopt", "auth")


class PredecessorProvider(ResourceProvider):
    """Looks before our dashboard is made; `before` is JSON of {"model", "folder"}, "" where nothing stood there."""

    serialize_as_secret_always = False

    @in_one_sentence
    def check(self, _olds: Props, news: Props) -> CheckResult:
        if _olds and all(_olds.get(name) == news.get(name) for name in _PLACE):
            return CheckResult(news, [])  # what stands there by now is ours
        try:
            _found(news)
        except NotDone as refused:
            return CheckResult(news, [CheckFailure("uid", str(refused))])
        except OpsError as problem:  # a preview passes while Grafana is down; `up` asks again
            say(f"warning: whether Grafana has a dashboard {news['uid']} already cannot be said: {problem}")
        return CheckResult(news, [])

    @in_one_sentence
    def diff(self, _id: str, _olds: Props, _news: Props) -> DiffResult:
        changed = [name for name in _COMPARED if _olds.get(name) != _news.get(name)]
        moved = [name for name in _PLACE if name in changed]
        return DiffResult(bool(changed), moved, [], delete_before_replace=True)

    @in_one_sentence
    def create(self, props: Props) -> CreateResult:
        return CreateResult(f"{props['uid']}", {**props, "before": _found(props)})

    @in_one_sentence
    def update(self, _id: str, _olds: Props, _news: Props) -> UpdateResult:
        return UpdateResult({**_news, "before": _olds.get("before") or ""})

    @in_one_sentence
    def delete(self, _id: str, _props: Props) -> None:
        if _props.get("before"):
            kept = json.loads(_props["before"])
            _grafana(_props).save_dashboard(kept["model"], folder_uid=kept["folder"])


class Predecessor(Resource, module="monitoring", name="Predecessor"):
    """Made before our dashboard, so taken back after it. `adopt` False: a dashboard of that uid is refused."""

    def __init__(
        self, name: str, *, url: str, auth: str, uid: str, adopt: bool, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        props = {"url": url, "auth": pulumi.Output.secret(auth), "uid": uid, "adopt": adopt, "before": None}
        secret = pulumi.ResourceOptions(additional_secret_outputs=["auth", "before"])
        super().__init__(PredecessorProvider(), name, props, pulumi.ResourceOptions.merge(opts, secret))


def _grafana(props: Props) -> Grafana:
    return Grafana(Http(props["url"], name="Grafana", headers=credentials(props["auth"])))


def _found(props: Props) -> str:
    """What is to be put back; raises NotDone where it may not be taken over."""
    uid = props["uid"]
    try:
        model, meta = _grafana(props).dashboard(uid)
    except NotFound:
        return ""
    what = f"Grafana has a dashboard {uid} already ({model.get('title')!r} in {meta.get('folderTitle') or 'General'!r})"
    if meta.get("provisioned"):
        raise NotDone(f"{what}, provisioned from a file, which Grafana lets nobody replace: remove that file first")
    if not props["adopt"]:
        raise NotDone(f"{what}: set grafanaAdopt to true to take it over (destroy then puts it back), or delete it")
    return json.dumps({"model": model, "folder": meta.get("folderUid") or ""}, ensure_ascii=False)


__all__ = ["Predecessor", "PredecessorProvider"]
