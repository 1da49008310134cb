"""A folder in Grafana, ours or shared with others."""

import contextlib

from pulumi import dynamic

from components.live.handlers.grafana_obstacles import connected, titled, titles_may_repeat
from components.live.handlers.handler import Handler
from components.live.provider import NotDone, Props, warn
from ops.errors import Conflict, NotFound, OpsError, Refused


class DashboardFolderHandler(Handler):
    """`ours` in the state: whether destroy deletes it. A folder that others made keeps its title, and stays."""

    identity = ("uid", "organisation")
    compared = ("url", "title", "auth")

    def check(self, _olds: Props, news: Props) -> dynamic.CheckResult:
        """Warn of a folder that others made: it is used, and not changed. Refuse what would keep us from making one."""
        known = all((_olds.get(name) or 0) == (news[name] or 0) for name in self.identity)
        try:
            title = None if known else _title(news)
            if title is not None:
                if not _looks_like_ours(news, title):
                    warn(f"Grafana has a folder {news['uid']} already ({title!r}): it is used, and stays as it is")
            elif not known:
                _refuse_uid(news)
                _refuse_title(news)
                _refuse_credentials(news)
            elif _olds["ours"] and _olds["title"] != news["title"]:
                _refuse_title(news)
        except NotDone as refused:
            return dynamic.CheckResult(news, [dynamic.CheckFailure("title", str(refused))])
        except OpsError:
            pass  # Grafana is down: PreviousDashboard says it, and a preview passes
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
            connected(_news).rename_folder(_news["uid"], _news["title"])
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
        grafana, what = connected(_props), f"Grafana's folder {_props['title']!r}"
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


def _refuse_uid(props: Props) -> None:
    """Raises NotDone where a dashboard has the uid of our folder."""
    grafana = connected(props)
    try:
        model, meta = grafana.dashboard(props["uid"])
    except NotFound:
        return
    if not meta.get("isFolder"):
        raise NotDone(
            f"Grafana has a dashboard of the uid {props['uid']} ({model.get('title')!r}, "
            f"{grafana.url}/d/{props['uid']}), which our folder needs: save a copy of it under another uid, and "
            "delete it"
        )


def _refuse_title(props: Props) -> None:
    """Raises NotDone where another folder, or a dashboard outside folders, has the title, and Grafana takes it once."""
    grafana = connected(props)
    if titles_may_repeat(grafana):
        return
    for kind, path, what in (("dash-folder", "dashboards/f", "folder"), ("dash-db", "d", "dashboard")):
        for row in titled(grafana, props["title"], kind):
            if row["uid"] != props["uid"] and not row.get("folderUid"):
                raise NotDone(
                    f"Grafana has a {what} {row['title']!r} already ({row['uid']}, "
                    f"{grafana.url}/{path}/{row['uid']}), and allows no folder of the same title: set grafanaFolder "
                    "to another one"
                )


def _refuse_credentials(props: Props) -> None:
    """Raises NotDone where these credentials may not make a folder."""
    permitted = connected(props).permitted()
    if permitted is not None and "folders:create" not in permitted:
        raise NotDone(
            f"these credentials may not make a folder in Grafana at {props['url']}, as those of a viewer: give "
            f"grafanaAuth a token with the role Editor, or have somebody make a folder of the uid {props['uid']}"
        )


def _title(props: Props) -> str | None:
    """The title of the folder of this uid; None where there is none."""
    try:
        return str(connected(props).folder(props["uid"])["title"])
    except NotFound:
        return None


def _create(props: Props) -> Props:
    try:
        connected(props).make_folder(props["uid"], props["title"])
    except Conflict as taken:
        title = _title(props)
        if title is None:  # since the preview somebody has made another one of that title, or a dashboard of that uid
            raise NotDone(f"{taken}; set grafanaFolder to a title that no other folder has") from None
        return {**props, "ours": _looks_like_ours(props, title)}
    except Refused as error:
        if error.status < 500:
            raise
        raise NotDone(f"{error}; see what its log says, and run `pulumi up` again") from None
    return {**props, "ours": True}


def _looks_like_ours(props: Props, title: str) -> bool:
    """Empty and with our title: most likely made by an `up` that was killed; if not, nothing is lost with it."""
    return bool(title == props["title"] and not connected(props).inside(props["uid"]))
