"""The dashboard that others have under our uid: refused, or kept and put back."""

import contextlib
import json

from pulumi import dynamic

from components.live.handlers.handler import Handler
from components.live.provider import NotDone, Props, warn
from formats.json_types import JsonObject
from ops.clients.grafana import Grafana, at
from ops.errors import NotFound, OpsError


class PreviousDashboardHandler(Handler):
    """`before` in the state: JSON of {"model", "folder"}; "" where there was no dashboard.

    `made` counts how often our dashboard has to be made: once, and again each time somebody has deleted it.
    """

    identity = ("uid",)
    compared = ("url", "adopt", "auth", "made")

    def check(self, _olds: Props, news: Props) -> dynamic.CheckResult:
        """Refuse a dashboard of others, and count up where ours was deleted."""
        ours = _olds.get("uid") == news["uid"]
        news["made"] = (_olds.get("made") or 1) if ours else 1
        try:
            if not ours:
                _previous_dashboard(news)
                return dynamic.CheckResult(news, [])
            stands = _current_dashboard(news)
            if _olds["url"] != news["url"]:
                _refuse_another_grafana(_olds, news, stands and stands[0])
            if stands is None:
                news["made"] += 1
        except NotDone as refused:
            return dynamic.CheckResult(news, [dynamic.CheckFailure("uid", str(refused))])
        except OpsError as problem:  # a preview passes while Grafana is down; `up` asks again
            warn(f"could not check whether Grafana has a dashboard {news['uid']}: {problem}")
        return dynamic.CheckResult(news, [])

    def create(self, props: Props) -> dynamic.CreateResult:
        """Keep the dashboard that stands there. Raises NotDone, ops.errors."""
        return dynamic.CreateResult(f"{props['uid']}", {**props, "before": _previous_dashboard(props)})

    def update(self, _id: str, _olds: Props, _news: Props) -> dynamic.UpdateResult:
        """Keep what was kept."""
        return dynamic.UpdateResult({**_news, "before": _olds.get("before") or ""})

    def delete(self, _id: str, _props: Props) -> None:
        """Put the kept dashboard back, or delete ours where there was none. Raises ops.errors."""
        grafana = _grafana(_props)
        if _props.get("before"):
            kept = json.loads(_props["before"])
            grafana.save_dashboard(kept["model"], folder_uid=_still_there(grafana, kept["folder"]))
        elif _props["adopt"]:  # there was none to take over, and `retain_on_delete` has kept ours
            with contextlib.suppress(NotFound):
                grafana.delete_dashboard(_props["uid"])


def _grafana(props: Props) -> Grafana:
    return at(props["url"], props["auth"])


def _current_dashboard(props: Props) -> tuple[JsonObject, JsonObject] | None:
    """The dashboard under our uid with its number and version, and what Grafana says of it; None without one."""
    try:
        return _grafana(props).dashboard(props["uid"])
    except NotFound:
        return None


def _refuse_another_grafana(olds: Props, news: Props, model: JsonObject | None) -> None:
    """Raises NotDone where the former URL still shows our dashboard and the new one does not: two Grafanas."""
    try:
        left = _current_dashboard(olds)
    except OpsError:
        return
    if left and left[0] != model:
        raise NotDone(
            f"{news['url']} is another Grafana than {olds['url']}, where dashboard {news['uid']} would be left behind: "
            "first set grafanaMode to off and grafanaUrl to the former, and run `pulumi up`"
        )


def _still_there(grafana: Grafana, folder: str) -> str:
    """The folder; "" (General) where somebody has deleted it meanwhile."""
    try:
        if folder:
            grafana.folder(folder)
    except NotFound:
        warn(f"Grafana has no folder {folder} any more: the dashboard that was in it goes to General")
        return ""
    return folder


def _previous_dashboard(props: Props) -> str:
    """The dashboard to put back, as `before`. Raises NotDone where it may not be taken over."""
    uid = props["uid"]
    if not (standing := _current_dashboard(props)):
        return ""
    model, meta = standing
    what = f"Grafana has a dashboard {uid} already ({model.get('title')!r} in {meta.get('folderTitle') or 'General'!r})"
    if meta.get("provisioned"):
        raise NotDone(f"{what}, provisioned from a file, which Grafana lets nobody replace: remove that file first")
    if not props["adopt"]:
        raise NotDone(f"{what}: set grafanaAdopt to true to take it over (destroy then puts it back), or delete it")
    return json.dumps({"model": model, "folder": meta.get("folderUid") or ""}, ensure_ascii=False)
