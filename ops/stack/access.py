"""The Pulumi stack of a target, with the environment and stack file of the engine."""

from pathlib import Path

from ops import targets
from ops.errors import Misconfigured
from ops.sandbox import state
from ops.stack.engine import Engine, StackAccess


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


def shell_environment(target: str) -> dict[str, str]:
    """What a shell has to have for plain `pulumi` to act on the target's stack, from this checkout.

    The engine on PATH, its backend and passphrase, the stack and its file. Raises as `stack_access` and Engine do.
    """
    access = stack_access(target)
    file = {"PULUMI_OPTION_CONFIG_FILE": str(access.config_file)} if access.config_file else {}
    return {**Engine(access).env, "PULUMI_OPTION_STACK": access.stack, **file}
