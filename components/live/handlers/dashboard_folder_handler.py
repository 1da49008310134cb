"""A folder in Grafana, ours or shared with others."""

import contextlib

from pulumi import dynamic

from components.live.handlers.handler import Handler
from components.live.provider import NotDone, Props, warn
from ops.clients.grafana import Grafana, at
from ops.errors import Conflict, NotFound, OpsError, Refused


class DashboardFolderHandler(Handler):
    """`ours` in the state: whether destroy deletes it. A folder that others made keeps its title, and stays."""

    identity = ("uid",)
    compared = ("url", "title", "auth")

    def check(self, _olds: Props, news: Props) -> dynamic.CheckResult:
        """Warn of a folder that others made: it is used, and not changed."""
        if _olds.get("uid") != news["uid"]:
            with contextlib.suppress(OpsError):  # Grafana is down: PreviousDashboard says it, and a preview passes
                title = _title(news)
                if title is not None and not _looks_like_ours(news, title):
                    warn(f"Grafana has a folder {news['uid']} already ({title!r}): it is used, and stays as it is")
        return dynamic.CheckResult(news, [])

    def has_drifted(self, _olds: Props, _news: Props) -> bool:
        """Whether somebody has deleted it; a preview passes while Grafana is down."""
        with contextlib.suppress(OpsError):
            return _title(_news) is None
        return False

    def create(self, props: Props) -> dynamic.CreateResult:
        """Make the folder, or share the one that is there. Raises NotDone, ops.errors."""
        return dynamic.CreateResult(f"{props['uid']}", _create(props))

    def update(self, _id: str, _olds: Props, _news: Props) -> dynamic.UpdateResult:
        """Make it again where it is gone; give our own one its new title. Raises NotDone, ops.errors."""
        title = _title(_news)
        if title is None:
            return dynamic.UpdateResult(_create(_news))
        if _olds["ours"] and title != _news["title"]:
            _grafana(_news).rename_folder(_news["uid"], _news["title"])
        return dynamic.UpdateResult({**_news, "ours": _olds["ours"]})

    def read(self, id_: str, props: Props) -> dynamic.ReadResult:
        """Its title now; no id where it is gone. Raises ops.errors."""
        title = _title(props)
        if title is None:
            return dynamic.ReadResult("", {})
        return dynamic.ReadResult(id_, {**props, "title": title if props["ours"] else props["title"]})

    def delete(self, _id: str, _props: Props) -> None:
        """Delete our own one, unless others have put something into it. Raises ops.errors."""
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
        if title is None:  # Grafana before 11 allows no two folders of one title
            raise NotDone(f"{taken}; set grafanaFolder to a title that no other folder has") from None
        return {**props, "ours": _looks_like_ours(props, title)}
    except Refused as error:
        if error.status < 500:
            raise
        raise NotDone(f"{error}; see what its log says, and run `pulumi up` again") from None
    return {**props, "ours": True}


def _looks_like_ours(props: Props, title: str) -> bool:
    """Empty and with our title: most likely made by an `up` that was killed; if not, nothing is lost with it."""
    return bool(title == props["title"] and not _grafana(props).inside(props["uid"]))
