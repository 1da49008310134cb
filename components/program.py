"""What the program needs of Pulumi itself: its settings, its way of refusing, its connection to the cluster."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

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
    """Turn what the readers refuse into one sentence of Pulumi's, with no traceback and before anything is written."""
    try:
        yield
    except REFUSALS as error:
        raise pulumi.RunError(str(error)) from None


@contextmanager
def without_gc() -> Iterator[None]:
    """For a process that lives a second: to look for garbage takes a tenth of that, most of it when Python ends."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def require_cli() -> None:
    """Refuse a Pulumi CLI that `requiredPulumiVersion` in Pulumi.yaml excludes; raises RunError.

    From 3.219 on the CLI reads that line itself, and an older one would go on.
    """
    wanted = settings.required_cli()
    try:
        pulumi.require_pulumi_version(wanted)
    except pulumi.RunError:
        raise  # the engine is gone
    except Exception as error:  # noqa: BLE001 - the SDK has no class of its own for it
        asked = "RequirePulumiVersion" not in str(error)  # which an engine before 3.217 does not know
        reason = str(error) if asked else f"This Pulumi CLI is too old to be asked for its version ({wanted} is needed)"
        raise pulumi.RunError(f"{reason}; install a newer one as https://www.pulumi.com/docs/install says") from None


def configured() -> Settings:
    """The settings of the selected stack; raises SettingsError, also for a secret that is in plain text."""
    # Pulumi's own Config reads one known key at a time and would never see a mistyped one.
    every = {**pulumi_config.get_config_env(), **pulumi_config.CONFIG.get()}
    prefix = f"{pulumi.get_project()}:"
    own = {key.removeprefix(prefix): value for key, value in every.items() if key.startswith(prefix)}
    where = f"Pulumi.{pulumi.get_stack()}.yaml"
    plain = [key for key, value in own.items() if value and not pulumi_config.is_config_secret(f"{prefix}{key}")]
    settings.refuse_plain(plain, where=where)
    return settings.read(own, where=where)


def cluster(of: settings.Cluster) -> k8s.Provider:
    """The Kubernetes provider, explicit so that no ambient default decides where this goes.

    ConfigMaps are mutable: a changed one is updated in place; replaced, there would be a moment with no rules at all.
    """
    return k8s.Provider(
        "cluster",
        # Empty, as None becomes the path in KUBECONFIG: that would be in the state, where it is of no use to another
        # machine, and the provider leaves a copy of a kubeconfig that it is told of in the temporary folder.
        kubeconfig=pulumi.Output.secret(of.kubeconfig) if of.kubeconfig else "",
        context=of.context,
        namespace=of.namespace,
        enable_config_map_mutable=True,
        # An `up` that was killed may have made what the state does not know. Others' are refused by then (`Withdrawn`).
        upsert_existing_objects=True,
    )
