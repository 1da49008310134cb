"""Deploys to the sandbox without a Pulumi engine: writes the declared files to disk, and makes the servers reload.

The program, the files and the servers are the same; only Pulumi's state, preview and rollback are missing.
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
from ops.targets import SANDBOX, stack_values

LIVE_WITHIN = 60.0  # seconds; both servers run the new files when they answer a reload, so this only ends a hang

# The mounts of the hand-made stack's ConfigMaps: (server, path).
CONFIG_MAPS = {
    "prometheus-config": (PROMETHEUS, ""),
    "prometheus-rules": (PROMETHEUS, "rules"),
    "alertmanager-config": (ALERTMANAGER, ""),
}


def settings(state: State) -> dict[str, object]:
    """The settings of a sandbox without an engine.

    The rules are a further key in a mounted ConfigMap, and alertmanager.yml is replaced: no live text is edited.
    """
    return {
        **stack_values("prod"),
        "namespace": state.namespace,
        "histograms": "classic",
        "rulesMode": "shared",
        "alertmanagerReplace": True,
        "prometheusUrl": state.prometheus_url,
        "alertmanagerUrl": state.alertmanager_url,
        "applicationUrl": state.application_url,
        "smtpSmarthost": state.smtp_smarthost,
        "smtpPasswordFile": state.smtp_password_file,
    }


def deploy(mounts: Mounts, state: State, progress: Progress) -> None:
    """Write what the program declares, reload, and wait until both servers run it.

    Raises SandboxError where they do not, Misconfigured where the program fails, and what the clients raise.
    """
    progress("writing the declared files to disk, as there is no engine")
    projected = project(collect(settings(state), stack=SANDBOX), mounts)
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

    Returns `ConfigMap/key` of all that was written. What is in no mount, such as a dashboard's folder, is left out.
    Raises SandboxError for a text that is merged into a live one, as that needs an engine.
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
            raise SandboxError(
                f"{resource.name} edits a live text ({inputs['editor']}), which needs a Pulumi engine; "
                "start the sandbox with --engine"
            )
        return [(inputs["config_map"], {inputs["key"]: inputs["ours"]})]
    return []


def _until(missing: Callable[[], set[str]], complaint: str) -> None:
    deadline = time.monotonic() + LIVE_WITHIN
    while left := missing():
        if time.monotonic() > deadline:
            raise SandboxError(f"{complaint} {', '.join(sorted(left))} after {LIVE_WITHIN:.0f} s, though it reloaded")
        time.sleep(0.1)
