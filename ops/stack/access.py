"""The Pulumi stack of a target, with the environment and stack file of the engine."""

from pathlib import Path

from ops import targets
from ops.errors import Misconfigured
from ops.sandbox import state
from ops.stack.engine import StackAccess


def stack_access(target: str) -> StackAccess:
    """The stack of `target`: named like it, or the one that the running sandbox was deployed with.

    Raises Misconfigured where the sandbox has no engine or does not run, or there is no such stack file.
    """
    if target != targets.SANDBOX:
        targets.stack_values(target)  # raises where there is no such stack
        return StackAccess(target)
    pulumi = state.running().pulumi
    if not pulumi:
        raise Misconfigured(
            "this sandbox has no Pulumi engine, so it has no history; stop it with make sandbox-down, and "
            "start one with an engine with make sandbox"
        )
    return StackAccess(pulumi["stack"], env=pulumi["env"], config_file=Path(pulumi["config_file"]))
