"""A folder of Grafana's, ours or shared with others."""

from typing import Any

from pulumi import dynamic

from components.live.provider import NotDone, say
from ops.clients.grafana import Grafana, at
from ops.errors import Conflict, NotFound, OpsError, Refused

Props = dict[str, Any]

_COMPARED = ("url", "uid", "title", "auth")


class DashboardFolderHandler(dynamic.ResourceProvider):
    """`ours`: whether it goes away with us. One that others made keeps its title, and stays."""

    def check(self, _olds: Props, news: Props) -> dynamic.CheckResult:
        if _olds.get("uid") != news["uid"]:
            try:
                grafana, uid = _grafana(news), news["uid"]
                title = grafana.folder(uid)["title"]
                if not _as_we_make_it(grafana, news, title):
                    say(f"warning: Grafana has a folder {uid} already ({title!r}): it is used, and stays as it is")
            except OpsError:
                pass  # none there; or Grafana is down, which PreviousDashboard says, and a preview passes
        return dynamic.CheckResult(news, [])

    def diff(self, _id: str, _olds: Props, _news: Props) -> dynamic.DiffResult:
        changed = [name for name in _COMPARED if _olds.get(name) != _news.get(name)]
        moved = ["uid"] if "uid" in changed else []
        return dynamic.DiffResult(bool(changed or _gone(_news)), moved, [], delete_before_replace=True)

    def create(self, props: Props) -> dynamic.CreateResult:
        return dynamic.CreateResult(f"{props['uid']}", _made(props))

    def update(self, _id: str, _olds: Props, _news: Props) -> dynamic.UpdateResult:
        try:
            title = _grafana(_news).folder(_news["uid"])["title"]
        except NotFound:
            return dynamic.UpdateResult(_made(_news))
        if _olds["ours"] and title != _news["title"]:
            _grafana(_news).rename_folder(_news["uid"], _news["title"])
        return dynamic.UpdateResult({**_news, "ours": _olds["ours"]})

    def read(self, id_: str, props: Props) -> dynamic.ReadResult:
        try:
            title = _grafana(props).folder(props["uid"])["title"]
        except NotFound:
            return dynamic.ReadResult("", {})
        return dynamic.ReadResult(id_, {**props, "title": title if props["ours"] else props["title"]})

    def delete(self, _id: str, _props: Props) -> None:
        if not _props["ours"]:
            return
        grafana, what = _grafana(_props), f"Grafana's folder {_props['title']!r}"
        if inside := grafana.inside(_props["uid"]):
            say(f"warning: {what} stays, as others have put something into it: {', '.join(inside)}")
            return
        try:
            grafana.delete_folder(_props["uid"])
        except NotFound:
            return
        except Refused as no:
            if no.status != 400:
                raise
            say(f"warning: {what} stays: {no.words}")


def _grafana(props: Props) -> Grafana:
    return at(props["url"], props["auth"])


def _gone(props: Props) -> bool:
    """Whether somebody has deleted it; a preview passes while Grafana is down."""
    try:
        _grafana(props).folder(props["uid"])
    except NotFound:
        return True
    except OpsError:
        return False
    return False


def _made(props: Props) -> Props:
    grafana, uid = _grafana(props), props["uid"]
    try:
        grafana.make_folder(uid, props["title"])
    except Conflict as taken:
        try:
            title = grafana.folder(uid)["title"]
        except NotFound:  # before Grafana 11 no two folders bear the same title
            raise NotDone(f"{taken}; set grafanaFolder to a title that no other folder has") from None
        return {**props, "ours": _as_we_make_it(grafana, props, title)}
    except Refused as no:
        if no.status < 500:
            raise
        raise NotDone(f"{no}; see what its log says, and run `pulumi up` again") from None
    return {**props, "ours": True}


def _as_we_make_it(grafana: Grafana, props: Props, title: str) -> bool:
    """Empty and with our title: what an `up` that was killed has made, most likely; else nothing is lost with it."""
    return bool(title == props["title"] and not grafana.inside(props["uid"]))
