"""Deploys to the sandbox by `pulumi up`, with a stack and a backend in the sandbox's folder."""

import contextlib
import secrets
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from components.settings import PROJECT_FILE, SECRETS, project
from ops.build_tools import Progress
from ops.build_tools import pulumi as built_engine
from ops.build_tools.build import cache
from ops.sandbox.cluster import Cluster
from ops.sandbox.state import PulumiAccess, State
from ops.targets import ROOT, stack_values

if TYPE_CHECKING:
    from ops.stack.engine import Engine

STACK = "sandbox"
_DONE = {"create": "created", "update": "updated", "delete": "deleted", "replace": "replaced", "same": "unchanged"}
LIVE_TIMEOUT = 60  # seconds; a restart of Prometheus takes one or two


def settings(home: Path, state: State) -> dict[str, object]:
    """The stack's settings: those of `prod` with the sandbox's addresses, and the dashboard in a ConfigMap."""
    return {
        **stack_values("prod"),
        "namespace": state.namespace,
        "histograms": "classic",
        "kubeconfig": str(Cluster(home).kubeconfig),
        "prometheusUrl": state.prometheus_url,
        "alertmanagerUrl": state.alertmanager_url,
        "applicationUrl": state.application_url,
        "smtpSmarthost": state.smtp_smarthost,
        "smtpPasswordFile": state.smtp_password_file,
        "grafanaMode": "sidecar",
        "liveTimeout": LIVE_TIMEOUT,
    }


def access(home: Path) -> PulumiAccess:
    """How the engine runs this sandbox's stack.

    It has its own PULUMI_HOME, so that neither the login nor the selected stack of this checkout changes. Plugins are
    those of the usual PULUMI_HOME where there is one, else those of earlier sandboxes. An engine that was built here
    downloads no plugins.
    """
    folder = home / "pulumi"
    (folder / "backend").mkdir(parents=True, exist_ok=True)
    (folder / "home").mkdir(exist_ok=True)
    plugins = built_engine.plugins()
    if not plugins.is_dir():
        plugins = cache().parent / "plugins"
        plugins.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        (folder / "home" / "plugins").symlink_to(plugins)
    built = {"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"} if built_engine.missing() else {}
    return {
        "stack": STACK,
        "env": {
            # Without `metadata=skip` Pulumi writes a second file, in place. A kill at that moment leaves it
            # empty, and every later command fails with "failed to load checkpoint: EOF".
            "PULUMI_BACKEND_URL": f"{(folder / 'backend').as_uri()}?metadata=skip",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_CONFIG_PASSPHRASE": secrets.token_hex(16),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            **built,
        },
        "config_file": str(folder / f"Pulumi.{STACK}.yaml"),
    }


def create(home: Path, how: PulumiAccess, values: Mapping[str, object]) -> "Engine":
    """Create the stack and its file; returns the engine with the program of this checkout. Raises ops.errors."""
    from ops.stack.engine import Engine, StackAccess  # the Automation API takes a second to import

    access = StackAccess(how["stack"], env=how["env"], config_file=Path(how["config_file"]))
    init_folder = (
        home / "pulumi" / "init"
    )  # `stack init` writes a stack file beside Pulumi.yaml, which must not be in the checkout
    init_folder.mkdir(exist_ok=True)
    shutil.copy(PROJECT_FILE, init_folder)
    engine = Engine(access, init_folder)
    engine.create()
    configure(engine, values)
    return engine.at(ROOT)


def configure(stack: "Engine", values: Mapping[str, object]) -> None:
    """Write the settings to the stack's file, secrets encrypted; Pulumi's own keys stay. Raises ops.errors."""
    file = stack.access.config_file
    assert file is not None
    kept = yaml.safe_load(file.read_text("utf-8")) if file.exists() else {}
    secret = {key: str(values[key]) for key in SECRETS if values.get(key)}
    config = {f"{project()}:{key}": value for key, value in values.items() if key not in secret}
    file.write_text(yaml.safe_dump({**(kept or {}), "config": config}, sort_keys=False), encoding="utf-8")
    if secret:
        stack.set_secrets(secret)


def deploy(engine: "Engine", progress: Progress) -> None:
    """Run `pulumi up`. Raises ops.errors, with Pulumi's reason."""
    progress("pulumi up: deploying to the sandbox's Kubernetes API, until both servers run it")
    started = time.monotonic()
    changes = engine.up(message="make sandbox")
    done = ", ".join(f"{count} {_DONE.get(what, what)}" for what, count in sorted(changes.items()))
    progress(f"pulumi up: {done}, proved live in {time.monotonic() - started:.1f} s")
