"""The alerts of a diagnosis, with their rules and routing in the repository."""

from collections.abc import Sequence
from dataclasses import dataclass

import routing
import rules
from ops.errors import Misconfigured
from ops.targets import Target
from ops.words import no_such_alert
from routing import Routing
from routing.on_call import with_on_call
from rules import Alert, RuleFile


@dataclass(frozen=True)
class Case:
    """The alerts of a diagnosis. `named`: one was chosen by its name."""

    target: Target
    alerts: Sequence[Alert]
    files: Sequence[RuleFile]
    routing: Routing
    named: bool

    @property
    def argument(self) -> str:
        """The alert's name as an argument of a command, with a space before it; empty for all alerts."""
        return f" {self.alerts[0].name}" if self.named else ""


def load_case(target: Target, name: str | None) -> Case:
    """All alerts of the repository but watchdogs, or the one of that name. Raises Misconfigured where there is none."""
    files = rules.load(stack=target.name, native=target.native)
    known = rules.alerts(stack=target.name, native=target.native)
    if name is None:
        chosen = [alert for alert in known.values() if not alert.is_watchdog]
    elif name in known:
        chosen = [known[name]]
    else:
        raise Misconfigured(no_such_alert(name, known, rules.other_alerts()))
    ours = with_on_call(routing.load(), target.settings.on_call)
    return Case(target, chosen, files, ours, name is not None)
