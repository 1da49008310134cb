"""A folder of Grafana's, ours or shared with others."""

import contextlib

from pulumi import dynamic

from components.live.handlers.handler import Handler
from components.live.provider import NotDone, Props, warn
from ops.clients.grafana import Grafana, at
from ops.errors import Conflict, NotFound, OpsError, Refused


class DashboardFolderHandler(Handler):
    """`ours`: whether it goes away with us. One that others made keeps its title, and stays."""

    identity = ("uid",)
    compared = ("url", "title", "auth")

    def check(self, _olds: Props, news: Props) -> dynamic.CheckResult:
        if _olds.get("uid") != news["uid"]:
            with contextlib.suppress(OpsError):  # Grafana is down: PreviousDashboard says it, and a preview passes
                title = _title(news)
                if title is not None and not _looks_like_ours(news, title):
                    warn(f"Grafana has a folder {news['uid']} already ({title!r}): it is used, and stays as it is")
        return dynamic.CheckResult(news, [])

    def has_drifted(self, olds: Props, news: Props) -> bool:
        """Whether somebody has deleted it; a preview passes while Grafana is down."""
        with contextlib.suppress(OpsError):
            return _title(news) is None
        return False

    def create(self, props: Props) -> dynamic.CreateResult:
        return dynamic.CreateResult(f"{props['uid']}", _create(props))

    def update(self, _id: str, _olds: Props, _news: Props) -> dynamic.UpdateResult:
        title = _title(_news)
        if title is None:
            return dynamic.UpdateResult(_create(_news))
        if _olds["ours"] and title != _news["title"]:
            _grafana(_news).rename_folder(_news["uid"], _news["title"])
        return dynamic.UpdateResult({**_news, "ours": _olds["ours"]})

    def read(self, id_: str, props: Props) -> dynamic.ReadResult:
        title = _title(props)
        if title is None:
            return dynamic.ReadResult("", {})
        return dynamic.ReadResult(id_, {**props, "title": title if props["ours"] else props["title"]})

    def delete(self, _id: str, _props: Props) -> None:
        if not _props["ours"]:
            return
        grafana, what = _grafana(_props), f"Grafana's folder {_props['title']!r}"
        if inside := grafana.inside(_props["uid"]):
            warn(f"{what} stays, as others have put something into it: {', '.join(inside)}")
            return
        try:
            grafana.delete_folder(_props["uid"])
        except NotFound:
            return
        except Refused as error:
            if error.status != 400:
                raise
            warn(f"{what} stays: {error.words}")


def _grafana(props: Props) -> Grafana:
    return at(props["url"], props["auth"])


def _title(props: Props) -> str | None:
    """The title of the folder of this uid; None where there is none."""
    try:
        return str(_grafana(props).folder(props["uid"])["title"])
    except NotFound:
        return None


def _create(props: Props) -> Props:
    try:
        _grafana(props).make_folder(props["uid"], props["title"])
    except Conflict as taken:
        title = _title(props)
        if title is None:  # before Grafana 11 no two folders bear the same title
            raise NotDone(f"{taken}; set grafanaFolder to a title that no other folder has") from None
        return {**props, "ours": _looks_like_ours(props, title)}
    except Refused as error:
        if error.status < 500:
            raise
        raise NotDone(f"{error}; see what its log says, and run `pulumi up` again") from None
    return {**props, "ours": True}


def _looks_like_ours(props: Props, title: str) -> bool:
    """Empty and with our title: what an `up` that was killed has made, most likely; else nothing is lost with it."""
    return bool(title == props["title"] and not _grafana(props).inside(props["uid"]))
