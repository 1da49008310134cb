"""From grafanaMode api to sidecar and back: what the former mode has made goes before the new one makes its own.

Pulumi itself would delete it last. Grafana refuses to delete a dashboard that a file provisions by then, and to save
one that a file still provisions.
"""

import contextlib
import time

from components.live.cluster import connections, own_object
from components.live.handlers import grafana_obstacles as obstacles
from components.live.provider import NotDone, Props, info, warn
from formats.json_types import JsonObject
from ops.errors import NotFound, OpsError, Refused

_EVERY = 1.0  # seconds between two looks


def from_sidecar(olds: Props, news: Props) -> bool:
    """Whether the same dashboard was delivered by the sidecar before, and is by the API now.

    The state says so; without one it is known by our ConfigMap, where Grafana provisions a file of that name.
    """
    if olds.get("uid") == news["uid"]:
        return bool(olds.get("mode") == "sidecar")
    stands = obstacles.standing(news)
    if not stands or not _is_our_file(news, stands[1]):
        return False
    with contextlib.suppress(OpsError):  # without a cluster it counts as a file of others
        return own_object.is_there(connections.kubernetes(news), _path(news), news["manager"])
    return False


def refuse_leaving_behind(olds: Props, news: Props) -> None:
    """Raises NotDone where a dashboard of others was taken over: the file would replace it once it is put back."""
    if olds.get("mode") == "api" and (olds.get("before") or olds.get("aside")):
        raise NotDone(
            f"dashboard {news['uid']} took the place of one of others, which a change to grafanaMode sidecar would "
            "lose: first set grafanaMode to off and run `pulumi up`, which puts it back, and move that one to "
            "another uid"
        )


def refuse_other_file(props: Props) -> None:
    """Raises NotDone where what stands in Grafana does not come from our ConfigMap and may not be taken over."""
    if (stands := obstacles.standing(props)) and not _is_our_file(props, stands[1]):
        obstacles.refuse_standing(props, *stands)
        if not props["adopt"]:
            raise NotDone(
                f"Grafana has a dashboard {props['uid']} already ({stands[0].get('title')!r}), which our ConfigMap "
                "did not make: set grafanaAdopt to true to take it over (destroy then puts it back), or delete it"
            )


def delete_ours(props: Props) -> None:
    """Delete our dashboard; one that a file provisions by now stays. Raises ops.errors."""
    try:
        obstacles.connected(props).delete_dashboard(props["uid"])
    except NotFound:
        return
    except Refused as error:
        if error.status != 400 or not (stands := obstacles.standing(props)) or not stands[1].get("provisioned"):
            raise
        warn(f"dashboard {props['uid']} stays in Grafana at {props['url']}, as a file provisions it now: {error.words}")


def take_back_file(props: Props) -> None:
    """Delete our ConfigMap, and wait until Grafana has let go of its dashboard. Raises NotDone, ops.errors."""
    named = f"ConfigMap {props['namespace']}/{props['config_map']}"
    if own_object.delete(connections.kubernetes(props), _path(props), props["manager"]):
        info(f"{named} is deleted; waiting until Grafana has let go of its dashboard")
    end, from_file = time.monotonic() + props["timeout"], False
    while (stands := obstacles.standing(props)) and _is_our_file(props, stands[1]):
        from_file = True
        if time.monotonic() > end:
            raise NotDone(
                f"Grafana at {props['url']} still provisions dashboard {props['uid']} from a file, "
                f"{props['timeout']:g} s after {named} was deleted: does its sidecar run? Then run `pulumi up` again"
            )
        time.sleep(_EVERY)
    if stands and from_file:  # what came from our file stays where Grafana is told disableDeletion
        delete_ours(props)


def _path(props: Props) -> str:
    """Of our ConfigMap in the Kubernetes API."""
    return f"/api/v1/namespaces/{props['namespace']}/configmaps/{props['config_map']}"


def _is_our_file(props: Props, meta: JsonObject) -> bool:
    """Whether it is provisioned from a file that is called as the key of our ConfigMap."""
    file = str(meta.get("provisionedExternalId") or "").replace("\\", "/").rpartition("/")[2]
    return bool(meta.get("provisioned") and file == f"{props['uid']}.json")
