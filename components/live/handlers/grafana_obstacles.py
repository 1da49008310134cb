"""What in Grafana would make an `up` fail, or be lost by it: looked for in a preview, and refused by name.

The oldest Grafana is 8.0: an older one cannot save a dashboard into a folder by the folder's uid. Up to 11.1 no two
dashboards of a folder have one title, nor two folders; `overwrite` then replaces a dashboard of our title, whatever its
uid.
"""

import re

from components.live.provider import NotDone, Props, info, warn
from formats.json_types import JsonObject
from formats.versions import Version, number
from ops.clients.grafana import Grafana, at, is_login
from ops.errors import Forbidden, NotFound, OpsError, Refused

OLDEST: Version = (8, 0)
_BY_SLUG: Version = (10, 1)  # before, two titles are the same one where their words are (`A: b` and `A - B`)
_ANY_TITLE: Version = (11, 2)  # from here on titles may occur twice
ASIDE = " (set aside by Pulumi)"  # the end of the title of a dashboard that had ours
_MANAGERS = {"repo": "Git Sync", "classic-file-provisioning": "a file that it is provisioned from"}


def connected(props: Props) -> Grafana:
    """The Grafana of a resource, in its organisation."""
    return at(props["url"], props["auth"], props.get("organisation") or 0)


def refuse_server(props: Props) -> None:
    """Raises NotDone for a Grafana that is too old, another organisation, and credentials that may not write."""
    grafana = connected(props)
    version = grafana.version()
    runs = number(version)
    if runs and runs < OLDEST:
        raise NotDone(
            f"Grafana at {grafana.url} is {version}, which knows no folder of a dashboard by its uid: upgrade it to "
            f"{OLDEST[0]}.{OLDEST[1]} or newer, or set grafanaMode to sidecar or off"
        )
    _refuse_organisation(grafana, props)
    permitted = grafana.permitted()
    if permitted is not None and "dashboards:create" not in permitted:
        raise NotDone(
            f"these credentials may not make a dashboard in Grafana at {grafana.url}, as those of a viewer: give "
            "grafanaAuth a token with the role Editor"
        )


def _refuse_organisation(grafana: Grafana, props: Props) -> None:
    """Say which organisation it is. Raises NotDone where it is not the one that was set."""
    chosen = props.get("organisation") or 0
    try:
        found, name = grafana.organisation()
    except Forbidden as refused:
        if not chosen or refused.status != 401 or is_login(props["auth"]):  # a wrong password is tried once
            raise
        found, name = at(props["url"], props["auth"]).organisation()
    if chosen and found != chosen:
        raise NotDone(
            f"grafanaOrgId is {chosen}, and these credentials are of organisation {found} ({name!r}) of Grafana at "
            f"{grafana.url}: set grafanaOrgId to {found}, or use credentials of organisation {chosen}"
        )
    other = "" if chosen or not is_login(props["auth"]) else "; grafanaOrgId names another"
    info(f"the dashboard goes to organisation {found} ({name!r}) of Grafana at {grafana.url}{other}")


def standing(props: Props) -> tuple[JsonObject, JsonObject] | None:
    """The dashboard under our uid with its number and version, and what Grafana says of it; None without one.

    Raises NotDone for one that this API cannot read.
    """
    grafana = connected(props)
    try:
        return grafana.dashboard(props["uid"])
    except NotFound:
        return None
    except Refused as error:
        if error.status != 406:
            raise
        rows = grafana.search(dashboardUIDs=props["uid"])
        raise NotDone(
            f"{_there(props, next((row['title'] for row in rows if row['uid'] == props['uid']), None))}, stored in "
            f"another schema than this program writes, so that it could not be put back ({error.words}): delete it, "
            "or save a copy of it under another uid first"
        ) from None


def refuse_standing(props: Props, model: JsonObject, meta: JsonObject) -> None:
    """Raises NotDone where what stands under our uid can never be taken over."""
    grafana = connected(props)
    if meta.get("isFolder"):
        raise NotDone(
            f"Grafana has a folder of the uid {props['uid']} ({model.get('title')!r}, "
            f"{grafana.url}/dashboards/f/{props['uid']}), which our dashboard needs: delete that folder, or move what "
            "is in it to a folder of another uid"
        )
    where = f"{_there(props, model.get('title'))[:-1]} in {meta.get('folderTitle') or 'General'!r})"
    if meta.get("provisioned"):
        raise NotDone(f"{where}, provisioned from a file, which Grafana lets nobody replace: remove that file first")
    if kind := _manager(grafana, props["uid"], meta):
        raise NotDone(
            f"{where}, managed by {_MANAGERS.get(kind, kind)}, which would write over ours or refuse it: take it out "
            "there first"
        )


def _there(props: Props, title: object) -> str:
    return f"Grafana has a dashboard {props['uid']} already ({title!r})"


def _manager(grafana: Grafana, uid: str, meta: JsonObject) -> str:
    """What manages a dashboard; "" for nothing. Some Grafanas tell it in `meta`, others as an annotation."""
    told = meta.get("managedBy") or (meta.get("annotations") or {}).get("grafana.app/managedBy")
    if isinstance(told, dict):
        told = told.get("kind")
    return str(told or grafana.manager(uid, grafana.organisation()[0]))


def namesakes(props: Props, title: str | None = None, folder: str | None = None) -> list[JsonObject]:
    """The dashboards of other uids that have our title in our folder, or `title` in the folder of uid `folder`."""
    rows = _titled(connected(props), title or props["title"])
    inside = props["folder"] if folder is None else folder
    return [
        row
        for row in rows
        if row["type"] == "dash-db" and row["uid"] != props["uid"] and (row.get("folderUid") or "") == inside
    ]


def refuse_titles(props: Props) -> None:
    """Raises NotDone where others have our title: a dashboard in our folder that is not to be adopted, or a folder."""
    grafana = connected(props)
    for row in namesakes(props):
        what = (
            f"Grafana has a dashboard {row['title']!r} already in our folder, with another uid ({row['uid']}, "
            f"{grafana.url}/d/{row['uid']})"
        )
        if not props["adopt"]:
            raise NotDone(f"{what}: give it another title, or set grafanaAdopt to true, which does so until destroy")
        info(f"{what}: it is given the title {row['title'] + ASIDE!r} until destroy")
    if not titles_may_repeat(grafana):
        for row in _titled(grafana, props["title"]):
            if row["type"] == "dash-folder":
                raise NotDone(
                    f"Grafana has a folder with the title of our dashboard ({row['title']!r}, "
                    f"{grafana.url}/dashboards/f/{row['uid']}), which this version does not allow: give that folder "
                    "another title"
                )


def titles_may_repeat(grafana: Grafana) -> bool:
    """Whether a title may occur twice in a folder; no where Grafana does not tell its version."""
    runs = number(grafana.version())
    return runs is not None and runs >= _ANY_TITLE


def titled(grafana: Grafana, title: str, kind: str) -> list[JsonObject]:
    """The folders (`dash-folder`) or dashboards (`dash-db`) of this title, wherever they are."""
    return [row for row in _titled(grafana, title) if row["type"] == kind]


def _titled(grafana: Grafana, title: str) -> list[JsonObject]:
    runs = number(grafana.version())
    if runs and runs >= _BY_SLUG:
        return [row for row in grafana.search(query=title) if _same(row["title"]) == _same(title)]
    return [row for row in grafana.search() if _slug(row["title"]) == _slug(title)]


def _same(title: str) -> str:
    """A database may take titles for one that differ in the case of letters."""
    return title.strip().casefold()


def _slug(title: str) -> str:
    return re.sub(r"[\W_]+", "-", title.casefold()).strip("-")


def set_aside(props: Props) -> list[str]:
    """Give those that have our title another, and return their uids; also of those that a killed `up` had renamed."""
    grafana = connected(props)
    moved = [str(row["uid"]) for row in namesakes(props, props["title"] + ASIDE)]
    for row in namesakes(props):
        model, meta = grafana.dashboard(row["uid"])
        _refuse_fixed(grafana, row, meta)
        title, folder = row["title"] + ASIDE, meta.get("folderUid") or ""
        refuse_overwriting({**props, "uid": row["uid"]}, title, folder)
        grafana.save_dashboard({**model, "title": title}, folder_uid=folder)
        moved.append(str(row["uid"]))
    return moved


def _refuse_fixed(grafana: Grafana, row: JsonObject, meta: JsonObject) -> None:
    """Raises NotDone for a dashboard of which nobody can change the title in Grafana."""
    if meta.get("provisioned") or _manager(grafana, row["uid"], meta):
        raise NotDone(
            f"dashboard {row['uid']} ({row['title']!r}, {grafana.url}/d/{row['uid']}) has the title of ours and is "
            "managed by a file or by Git Sync: give it another title there"
        )


def put_titles_back(props: Props) -> None:
    """Give those that `set_aside` renamed their titles again, unless somebody has named them otherwise meanwhile."""
    grafana = connected(props)
    for uid in props.get("aside") or ():
        try:
            model, meta = grafana.dashboard(uid)
        except NotFound:
            warn(f"dashboard {uid}, which was set aside, has been deleted meanwhile")
            continue
        title = str(model["title"])
        if title.endswith(ASIDE):
            folder = meta.get("folderUid") or ""
            refuse_overwriting({**props, "uid": uid}, title.removesuffix(ASIDE), folder)
            grafana.save_dashboard({**model, "title": title.removesuffix(ASIDE)}, folder_uid=folder)


def refuse_overwriting(props: Props, title: str, folder: str) -> None:
    """Raises NotDone where saving `title` into the folder of uid `folder` would replace a dashboard of another uid."""
    grafana = connected(props)
    if titles_may_repeat(grafana):
        return
    for row in namesakes(props, title, folder):
        raise NotDone(
            f"dashboard {props['uid']} cannot get the title {title!r}: {grafana.url}/d/{row['uid']} has it now in the "
            "same folder, and would be lost; give that one another title, and run the command again"
        )


def could_not_look(props: Props, problem: OpsError) -> str:
    """The warning where Grafana does not answer."""
    return f"could not check whether Grafana has a dashboard {props['uid']}: {problem}"
