"""Which stack a target is, and with what environment and stack file the engine runs it."""

from pathlib import Path

from ops import targets
from ops.errors import Misconfigured
from ops.sandbox import state
from ops.stack.engine import StackAccess


def stack_access(target: str) -> StackAccess:
    """The engine's way to `target`: a stack's own, or the one that the running sandbox was deployed with.

    Raises Misconfigured where the sandbox was projected without an engine, or there is no such stack file.
    """
    if target != targets.SANDBOX:
        targets.stack_values(target)  # refuses what is no stack
        return StackAccess(target)
    pulumi = state.running().pulumi
    if not pulumi:
        raise Misconfigured(
            "this sandbox was made without a Pulumi engine, so it has no history; stop it with make sandbox-down, and "
            "start one that has an engine with make sandbox"
        )
    return StackAccess(pulumi["stack"], env=pulumi["env"], config_file=Path(pulumi["config_file"]))
