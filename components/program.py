"""What the program needs of Pulumi: the stack's settings, errors in one sentence, the provider for the cluster."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pulumi
import pulumi_kubernetes as k8s
from pulumi.runtime import config as pulumi_config

import dashboards
import metrics
import routing
import rules
from components import settings
from components.settings import Settings, SettingsError

REFUSALS = (SettingsError, rules.RulesError, routing.RoutingError, metrics.ContractError, dashboards.DashboardError)


@contextmanager
def readable_errors() -> Iterator[None]:
    """Turn what the readers refuse into pulumi.RunError: one sentence, no traceback, before anything is written."""
    try:
        yield
    except REFUSALS as error:
        raise pulumi.RunError(str(error)) from None


@contextmanager
def without_gc() -> Iterator[None]:
    """Turn the garbage collector off: it would take 0.1 s of a 1 s run, most of it when Python ends (ADR 10)."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def require_cli() -> None:
    """Refuse a Pulumi CLI that `requiredPulumiVersion` in Pulumi.yaml excludes. Raises pulumi.RunError.

    The CLI reads that line itself from 3.219 on; an older one ignores it.
    """
    wanted = settings.required_cli()
    try:
        pulumi.require_pulumi_version(wanted)
    except pulumi.RunError:
        raise  # the engine is gone
    except Exception as error:  # noqa: BLE001 - the SDK raises a bare Exception
        asked = "RequirePulumiVersion" not in str(error)  # engines before 3.217 do not know that call
        reason = str(error) if asked else f"This Pulumi CLI is too old to be asked for its version ({wanted} is needed)"
        raise pulumi.RunError(f"{reason}; install a newer one as https://www.pulumi.com/docs/install says") from None


def configured() -> Settings:
    """The settings of the selected stack, and a warning where numbers of its own may stand under a wrong name.

    Raises SettingsError, also for a secret that is in plain text.
    """
    for line in unread_numbers(pulumi.get_stack()):
        pulumi.log.warn(line)
    # Pulumi's Config reads single keys that are known: it would not see a mistyped one.
    every = {**pulumi_config.get_config_env(), **pulumi_config.CONFIG.get()}
    prefix = f"{pulumi.get_project()}:"
    own = {key.removeprefix(prefix): value for key, value in every.items() if key.startswith(prefix)}
    where = f"Pulumi.{pulumi.get_stack()}.yaml"
    plain = {key: value for key, value in own.items() if not pulumi_config.is_config_secret(f"{prefix}{key}")}
    settings.refuse_plain(plain, where=where)
    return settings.read(own, where=where)


def unread_numbers(stack: str, *, folder: Path = rules.FOLDER, project: Path = settings.PROJECT_FILE) -> list[str]:
    """A line for each file in `folder` that has the limits of a stack by its name, and that no stack reads."""
    every = {path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in project.parent.glob("Pulumi.*.yaml")}
    read = {f"limits.{one}.yml" for one in (*every, stack, "sandbox")}
    return [
        f"rules/{path.name} is read by no stack: call it limits.STACK.yml, as in Pulumi.STACK.yaml, or take it out"
        for path in sorted(folder.glob("limits.*"))
        if path.name not in read
    ]


def cluster(of: settings.Cluster) -> k8s.Provider:
    """The Kubernetes provider; explicit, so that no ambient default decides where this goes.

    ConfigMaps are mutable, so a changed one is updated in place. If it were replaced, Prometheus would be without
    rules for a moment.
    """
    return k8s.Provider(
        "cluster",
        # Empty, not None: None becomes the path in KUBECONFIG. The state would keep that path, which other machines do
        # not have, and the provider would leave a copy of the file in the temporary folder.
        kubeconfig=pulumi.Output.secret(of.kubeconfig) if of.kubeconfig else "",
        context=of.context,
        namespace=of.namespace,
        enable_config_map_mutable=True,
        # An `up` that was killed may have made objects that the state does not have. `Withdrawn` has refused those of
        # others by then.
        upsert_existing_objects=True,
    )
