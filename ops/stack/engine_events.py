"""A preview of the stack, from the engine's own events."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pulumi.automation.events import EngineEvent

from ops.errors import OpsError, Refused
from ops.stack import access
from ops.stack.engine import Engine

RESTART = "its pods restart"  # in the warning of a mount
_COLOUR = re.compile(r"<\{%[^%]*%\}>")
# Warnings of every preview in which the engine's parts come from PATH.
_NOISE = ("using pulumi-", "resource plugin ")


@dataclass(frozen=True)
class Previewed:
    """A preview: operation → how many resources, its warnings, and all that it printed.

    `refused`: why the engine or a policy refused it. `not_made`: why there is none. `violations`: of policies, each
    with whether it is mandatory.
    """

    changes: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    text: str = ""
    refused: str | None = None
    not_made: str | None = None
    violations: tuple[str, ...] = ()

    @property
    def restarts(self) -> list[str]:
        """The warnings that say what restarts."""
        return [line for line in self.warnings if RESTART in line]


def preview(target: str, policy_packs: Sequence[Path] = ()) -> Previewed:
    """Preview the working tree on the target's stack. A preview that fails is an answer too: nothing is raised."""
    try:
        engine = Engine(access.stack_access(target))
    except OpsError as error:
        return Previewed(not_made=str(error))
    return of_engine(engine, policy_packs)


def of_engine(engine: Engine, policy_packs: Sequence[Path] = ()) -> Previewed:
    """The same for a stack at hand."""
    warnings, violations, printed = list[str](), list[str](), list[str]()

    def seen(event: EngineEvent) -> None:
        if said := event.diagnostic_event:
            line = _plain(said.message)  # our providers can only print theirs
            warns = said.severity == "warning" or line.startswith("warning: ")
            line = line.removeprefix("warning: ")
            if warns and not line.startswith(_NOISE) and line not in warnings:
                warnings.append(line)
        if broken := event.policy_event:
            violations.append(f"{_plain(broken.message)} ({broken.policy_name}, {broken.enforcement_level})")

    def say(text: str) -> None:
        printed.extend(line for line in text.splitlines() if not line.startswith("warning: "))

    def result(**more: str) -> Previewed:
        return Previewed(changes, tuple(warnings), "\n".join(printed), violations=tuple(violations), **more)

    changes: Mapping[str, int] = {}
    try:
        changes = engine.preview(say, seen=seen, policy_packs=policy_packs)
    except Refused as error:
        return result(refused=str(error))
    except OpsError as error:
        return result(not_made=str(error))
    return result()


def _plain(text: str) -> str:
    """One line, without the engine's marks for colours."""
    return " ".join(_COLOUR.sub("", text).split())
