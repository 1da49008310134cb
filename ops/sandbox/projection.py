"""Deploys to the sandbox without a Pulumi engine: what the program declares goes straight to disk, then is reloaded.

Everything but Pulumi's own state, preview and rollback is real: the same program, the same files, and servers that take
them up by a reload and are looked at until they run them.
"""

import time
from collections.abc import Callable, Mapping, Sequence

import yaml

from ops.build_tools import Progress
from ops.clients.alertmanager import Alertmanager
from ops.clients.http import Http
from ops.clients.prometheus import Prometheus
from ops.sandbox.mounts import ALERTMANAGER, PROMETHEUS, Mounts
from ops.sandbox.sandbox_errors import SandboxError
from ops.sandbox.state import State
from ops.stack.declared import Declared, collect
from ops.targets import stack_values

LIVE_WITHIN = 60.0  # seconds; both servers have taken a reload up when they answer it, so this only ends a hang

# Which mount the ConfigMaps of the hand-made stack have.
CONFIG_MAPS = {
    "prometheus-config": (PROMETHEUS, ""),
    "prometheus-rules": (PROMETHEUS, "rules"),
    "alertmanager-config": (ALERTMANAGER, ""),
}


def settings(state: State) -> dict[str, object]:
    """The settings under which the program's declarations fit a sandbox without an engine.

    One key more in a ConfigMap that is mounted already, and the whole alertmanager.yml: nothing that edits a live text.
    """
    return {
        **stack_values("prod"),
        "namespace": state.namespace,
        "rulesMode": "shared",
        "alertmanagerReplace": True,
        "prometheusUrl": state.prometheus_url,
        "alertmanagerUrl": state.alertmanager_url,
        "applicationUrl": state.application_url,
        "smtpSmarthost": state.smtp_smarthost,
        "smtpPasswordFile": state.smtp_password_file,
    }


def deploy(mounts: Mounts, state: State, progress: Progress) -> None:
    """Project what the program declares, reload, and wait until both servers run it.

    Raises SandboxError with what was seen if they do not, and whatever the program refuses.
    """
    progress("without an engine: writing what the program declares straight to disk")
    projected = project(collect(settings(state)), mounts)
    if not projected:
        raise SandboxError("the program declares nothing that goes to Prometheus or Alertmanager; look at __main__.py")
    prometheus = Prometheus(Http(state.prometheus_url, name="Prometheus"))
    alertmanager = Alertmanager(Http(state.alertmanager_url, name="Alertmanager"))
    prometheus.reload()
    alertmanager.reload()

    groups = {
        group["name"]
        for file in sorted(mounts.rules.glob("*.yml"))
        for group in (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("groups") or ()
    }
    receivers = {
        receiver["name"]
        for receiver in yaml.safe_load(mounts.alertmanager_config.read_text(encoding="utf-8"))["receivers"]
    }
    _until(lambda: groups - {group.name for group in prometheus.rules()}, "Prometheus does not run the rule groups")
    _until(lambda: receivers - set(alertmanager.receivers()), "Alertmanager does not run the receivers")
    _until(lambda: _unscraped(prometheus), "Prometheus does not scrape the jobs")


def _unscraped(prometheus: Prometheus) -> set[str]:
    """The jobs with a target that has not been scraped yet."""
    targets = prometheus.targets()
    return {target.job for target in targets if target.health != "up"} if targets else {"of its configuration"}


def project(resources: Sequence[Declared], mounts: Mounts) -> list[str]:
    """Write every declared ConfigMap's data, and every text given as a whole, where the servers read them.

    Returns `ConfigMap/key` of all that was written. What belongs to no mount of the sandbox (a dashboard's folder, say)
    is left out; a text that could only be merged into a live one is refused: that takes an engine.
    """
    written = []
    for resource in resources:
        for config_map, data in _texts(resource):
            if config_map in CONFIG_MAPS:
                server, path = CONFIG_MAPS[config_map]
                mounts.write(server, path, data)
                written += [f"{config_map}/{key}" for key in data]
    return written


def _texts(resource: Declared) -> list[tuple[str, Mapping[str, str]]]:
    """What a resource puts into ConfigMaps: (name, key → text)."""
    inputs = resource.inputs
    if resource.type in ("kubernetes:core/v1:ConfigMap", "kubernetes:core/v1:ConfigMapPatch"):
        return [(inputs["metadata"]["name"], inputs.get("data") or {})]
    if "editor" in inputs:
        if inputs["editor"] != "replace":
            raise SandboxError(f"{resource.name} edits a live text ({inputs['editor']}), which takes a Pulumi engine")
        return [(inputs["config_map"], {inputs["key"]: inputs["ours"]})]
    return []


def _until(missing: Callable[[], set[str]], complaint: str) -> None:
    deadline = time.monotonic() + LIVE_WITHIN
    while left := missing():
        if time.monotonic() > deadline:
            raise SandboxError(f"{complaint} {', '.join(sorted(left))} after {LIVE_WITHIN:.0f} s, though it reloaded")
        time.sleep(0.1)
