"""Checks before anything is written; and, as it is deleted last, that nothing of ours runs any more."""

import posixpath
from collections.abc import Callable
from contextlib import nullcontext, suppress
from functools import cache, partial

from pulumi import dynamic

from components.live.cluster import (
    config_map,
    connections,
    operator_preflight,
    operator_secret,
    ownership_checks,
    pod_annotation,
    workload,
)
from components.live.cluster.secret_key import key_of
from components.live.cluster.workload import RunningServer
from components.live.handlers.handler import Handler
from components.live.inputs import COMPARED
from components.live.provider import Props, info, warn
from components.live.running import expressions, histogram_forms, server_versions, wait
from components.live.running.deploy_silence import deploy_silence
from components.live.running.wanted import decode_wanted
from components.live.text import rule_files
from components.live.text.edit_errors import EditRefused
from ops.clients.kubernetes import Kubernetes
from ops.clients.workloads import WantedWorkload
from ops.errors import Forbidden, NotFound, OpsError


class WithdrawnHandler(Handler):
    """Refuses what others have under our names, and what would fail after half is written.

    On delete: reload, and wait until both servers run without us.
    """

    compared = (*COMPARED, "own", "shared", "edited", "manager")

    def check(self, _olds: Props, news: Props) -> dynamic.CheckResult:
        """Look at everything that could be in the way. Raises EditRefused, ops.errors."""
        deploy_silence.prepare(news)
        known = _olds.get("own") or ()  # checked when this was made
        server_versions.refuse_unknown(news)
        expressions.refuse_unknown(_olds, news)
        histogram_forms.warn_other_form(news)
        try:
            cluster = connections.kubernetes(news)

            @cache
            def runs(kind: str) -> RunningServer:
                return workload.read(cluster, WantedWorkload.of(news["namespace"], news[kind]))

            pod_annotation.refuse_forbidden(cluster, news)
            operator_preflight.refuse_what_operator_ignores(cluster, news)
            _refuse_what_would_fail_later(cluster, news, runs)
            ownership_checks.refuse_others(
                cluster, (path for path in news["own"] if path not in known), news["manager"]
            )
            if shared := news.get("shared"):
                keys = set(shared["keys"]) - set((_olds.get("shared") or {}).get("keys") or ())
                ownership_checks.refuse_taken_keys(
                    cluster, {**shared, "keys": sorted(keys)}, news["namespace"], news["manager"]
                )
                runs("prometheus").refuse_dead_mount(shared["config_map"], shared["keys"])
                _refuse_keys_that_are_not_loaded(cluster, news, runs("prometheus"))
        except Forbidden as error:  # a pull request's account may be allowed less
            warn(f"could not check whether somebody else uses a name of ours: {error}")
        return dynamic.CheckResult(news, [])

    def diff(self, _id: str, _olds: Props, _news: Props) -> dynamic.DiffResult:
        """Warn also of what somebody has deleted or changed of ours."""
        with suppress(OpsError):  # `check` has reported it
            cluster = connections.kubernetes(_news)
            for line in ownership_checks.changes_by_others(cluster, _olds.get("own") or (), _news["manager"]):
                warn(line)
        return super().diff(_id, _olds, _news)

    def create(self, props: Props) -> dynamic.CreateResult:
        """Nothing is made: it is there to be deleted last. Raises EditRefused for an address where no server is."""
        server_versions.refuse_unreachable(props)
        deploy_silence.begin()
        return dynamic.CreateResult("withdrawn", props)

    def update(self, _id: str, _olds: Props, _news: Props) -> dynamic.UpdateResult:
        """Nothing is changed. Raises EditRefused for a new address where no server is."""
        moved = [kind for kind in server_versions.SERVERS if _olds.get(kind) != _news.get(kind)]
        server_versions.refuse_unreachable(_news, moved)
        deploy_silence.begin()
        return dynamic.UpdateResult(_news)

    def delete(self, _id: str, _props: Props) -> None:
        """Wait until both servers run without us. Raises EditRefused when the time is up."""
        try:
            wait.until_gone(decode_wanted(_props))
        except NotFound as gone:
            info(f"{gone}: it is gone, and our part with it")


def _refuse_keys_that_are_not_loaded(cluster: Kubernetes, props: Props, prometheus: RunningServer) -> None:
    """Raises EditRefused for keys of ours that no entry of `rule_files` loads, as far as that can be seen."""
    server, shared = props["prometheus"], props["shared"]
    try:
        at = key_of(props["namespace"], server)
        folders = {posixpath.dirname(file) for file in prometheus.files(at.name, [at.key])}
        files = prometheus.files(shared["config_map"], shared["keys"])
        missing = rule_files.not_loaded(config_map.read(cluster, at).text, folders.pop(), files) if folders else []
    except (NotFound, EditRefused):  # Prometheus has its configuration from elsewhere
        return
    if missing:
        them = "it" if len(missing) == 1 else "them"
        raise EditRefused(
            f"{at}: rule_files has no entry for {', '.join(missing)}: add {them} there "
            "(where a chart or Git keeps that text, in its values or in Git), or set rulesMode to dedicated"
        )


def _refuse_what_would_fail_later(cluster: Kubernetes, props: Props, runs: Callable[[str], RunningServer]) -> None:
    """Texts that are missing or never updated, and servers that do not reload: found before anything is written."""
    for kind in server_versions.SERVERS:
        if (props.get(kind) or {}).get("reload") == "signal":
            runs(kind)  # it has to be clear which pods get it
    for kind in props.get("edited") or ():
        server = props[kind]
        with suppress(Forbidden) if server.get("secret_name") else nullcontext():  # SecretText warns of it
            config_map.read(cluster, key_of(props["namespace"], server))
        if server.get("secret_name"):
            operator_secret.refuse_unread(cluster, props["namespace"], server, partial(runs, kind))
        else:
            runs(kind).refuse_dead_mount(server["config_map"], [server["config_key"]])
    match (props.get("prometheus") or {}).get("reload"):
        case "lifecycle":  # Alertmanager always takes requests to reload
            runs("prometheus").refuse_no_reload()
        case "sidecar" if "prometheus" in (props.get("edited") or ()):  # dedicated: a folder of ours
            runs("prometheus").refuse_unwatched(props["folder"])
