"""What others have in Grafana in the place of our dashboard: refused, or kept and put back."""

import contextlib
import json

from pulumi import dynamic

from components.live.handlers import grafana_mode_change as mode_change
from components.live.handlers import grafana_obstacles as obstacles
from components.live.handlers.handler import Handler
from components.live.provider import NotDone, Props, warn
from formats.json_types import JsonObject
from ops.errors import NotFound, OpsError

_ACCESS = ("url", "auth", "organisation")


class PreviousDashboardHandler(Handler):
    """`before` in the state: JSON of {"model", "folder"}; "" where there was no dashboard.

    `aside`: the uids of the dashboards that had our title. `made` counts how often our dashboard has to be made: once,
    and again each time somebody has deleted it.
    """

    identity = ("uid", "organisation")
    compared = ("mode", "url", "adopt", "auth", "title", "made")

    def check(self, _olds: Props, news: Props) -> dynamic.CheckResult:
        """Refuse what is of others, and count up where ours was deleted."""
        ours = _is_ours(_olds, news)
        news["made"] = (_olds.get("made") or 1) if ours else 1
        try:
            if news["mode"] == "sidecar":
                mode_change.refuse_leaving_behind(_olds, news)
                return dynamic.CheckResult(news, [])
            if not ours or any(_olds.get(name) != news[name] for name in _ACCESS):
                obstacles.refuse_server(news)
            if mode_change.from_sidecar(_olds if ours else {}, news):
                mode_change.refuse_other_file(news)
            elif not ours:
                _previous_dashboard(news)
            else:
                stands = obstacles.standing(news)
                if _olds["url"] != news["url"]:
                    _refuse_another_grafana(_olds, news, stands and stands[0])
                if stands is None:
                    news["made"] += 1
            obstacles.refuse_titles(news)
        except NotDone as refused:
            return dynamic.CheckResult(news, [dynamic.CheckFailure("uid", str(refused))])
        except OpsError as problem:  # a preview passes while Grafana is down; `up` asks again
            warn(obstacles.could_not_look(news, problem))
        return dynamic.CheckResult(news, [])

    def has_drifted(self, _olds: Props, _news: Props) -> bool:
        """Whether there is a further dashboard of our title to be set aside."""
        with contextlib.suppress(OpsError):
            return bool(_news["mode"] == "api" and _news["adopt"] and obstacles.namesakes(_news))
        return False

    def create(self, props: Props) -> dynamic.CreateResult:
        """Keep the dashboard that stands there. Raises NotDone, ops.errors."""
        if props["mode"] == "api" and mode_change.from_sidecar({}, props):
            mode_change.take_back_file(props)
        return dynamic.CreateResult(f"{props['uid']}", _kept(props))

    def update(self, _id: str, _olds: Props, _news: Props) -> dynamic.UpdateResult:
        """Keep what was kept; with another mode, take back what the former one made. Raises NotDone, ops.errors."""
        if _news["mode"] == "sidecar":
            if _olds["mode"] == "api":
                mode_change.delete_ours(_olds)
            return dynamic.UpdateResult({**_news, "before": "", "aside": []})
        if _olds["mode"] == "sidecar":
            mode_change.take_back_file(_news)
            return dynamic.UpdateResult(_kept(_news))
        aside = [*(_olds.get("aside") or ()), *_set_aside(_news)]
        return dynamic.UpdateResult({**_news, "before": _olds.get("before") or "", "aside": list(dict.fromkeys(aside))})

    def delete(self, _id: str, _props: Props) -> None:
        """Put back what was kept, or delete ours where there was nothing. Raises NotDone, ops.errors."""
        if _props["mode"] == "sidecar":
            return  # the ConfigMap has gone, and Grafana deletes what came from it
        if _props.get("before"):
            _put_back(_props)
        else:
            mode_change.delete_ours(_props)
        obstacles.put_titles_back(_props)


def _is_ours(olds: Props, news: Props) -> bool:
    return all((olds.get(name) or 0) == (news[name] or 0) for name in PreviousDashboardHandler.identity)


def _kept(props: Props) -> Props:
    if props["mode"] == "sidecar":
        return {**props, "before": "", "aside": []}
    return {**props, "before": _previous_dashboard(props), "aside": _set_aside(props)}


def _set_aside(props: Props) -> list[str]:
    """The uids of those that had our title. Raises NotDone for one that nobody allowed us to change."""
    if not props["adopt"]:
        obstacles.refuse_titles(props)
        return []
    return obstacles.set_aside(props)


def _refuse_another_grafana(olds: Props, news: Props, model: JsonObject | None) -> None:
    """Raises NotDone where the former URL still shows our dashboard and the new one does not: two Grafanas."""
    try:
        left = obstacles.standing(olds)
    except (OpsError, NotDone):
        return
    if left and left[0] != model:
        raise NotDone(
            f"{news['url']} is another Grafana than {olds['url']}, where dashboard {news['uid']} would be left "
            "behind: first set grafanaMode to off and grafanaUrl to the former, and run `pulumi up`"
        )


def _put_back(props: Props) -> None:
    """The kept dashboard, over ours. Raises NotDone where another one would be lost."""
    grafana, kept = obstacles.connected(props), json.loads(props["before"])
    stands = obstacles.standing(props)
    if stands:
        obstacles.refuse_standing(props, *stands)
    folder = kept["folder"]
    try:
        if folder:
            grafana.folder(folder)
    except NotFound:
        warn(f"Grafana has no folder {folder} any more: the dashboard that was in it goes to General")
        folder = ""
    obstacles.refuse_overwriting(props, str(kept["model"]["title"]), folder)
    grafana.save_dashboard(kept["model"], folder_uid=folder)


def _previous_dashboard(props: Props) -> str:
    """The dashboard to put back, as `before`. Raises NotDone where it may not be taken over."""
    if not (stands := obstacles.standing(props)):
        return ""
    model, meta = stands
    obstacles.refuse_standing(props, model, meta)
    if not props["adopt"]:
        raise NotDone(
            f"Grafana has a dashboard {props['uid']} already ({model.get('title')!r} in "
            f"{meta.get('folderTitle') or 'General'!r}): set grafanaAdopt to true to take it over (destroy then puts "
            "it back), or delete it"
        )
    return json.dumps({"model": model, "folder": meta.get("folderUid") or ""}, ensure_ascii=False)
