"""The dashboard of others under our uid: looked for, refused or kept, and put back."""

import contextlib
import json

from pulumi import dynamic

from components.live.handlers.handler import Handler
from components.live.provider import NotDone, Props, warn
from formats.json_types import JsonObject
from ops.clients.grafana import Grafana, at
from ops.errors import NotFound, OpsError


class PreviousDashboardHandler(Handler):
    """Looks before our dashboard is made; `before` is JSON of {"model", "folder"}, "" where nothing stood there.

    `made` counts how often ours has to be made: once, and again whenever somebody has deleted it.
    """

    identity = ("uid",)
    compared = ("url", "adopt", "auth", "made")

    def check(self, _olds: Props, news: Props) -> dynamic.CheckResult:
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
        return dynamic.CreateResult(f"{props['uid']}", {**props, "before": _previous_dashboard(props)})

    def update(self, _id: str, _olds: Props, _news: Props) -> dynamic.UpdateResult:
        return dynamic.UpdateResult({**_news, "before": _olds.get("before") or ""})

    def delete(self, _id: str, _props: Props) -> None:
        grafana = _grafana(_props)
        if _props.get("before"):
            kept = json.loads(_props["before"])
            grafana.save_dashboard(kept["model"], folder_uid=_still_there(grafana, kept["folder"]))
        elif _props["adopt"]:  # nothing was there to be taken over: ours was left standing for us
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
    """A new URL is a new address of the same Grafana; raises NotDone where the old one still shows ours, and it not."""
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
    """The folder, or General where somebody has deleted it meanwhile."""
    try:
        if folder:
            grafana.folder(folder)
    except NotFound:
        warn(f"Grafana has no folder {folder} any more: the dashboard that was in it goes to General")
        return ""
    return folder


def _previous_dashboard(props: Props) -> str:
    """What is to be put back; raises NotDone where it may not be taken over."""
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
