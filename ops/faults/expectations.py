"""What happened in a scenario, held against what should have."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from formats.durations import humanize
from ops.faults.scenario_files import Scenario
from ops.words import brief


@dataclass(frozen=True)
class Happened:
    """What the alerts did. `fired`: alert → seconds from the beginning of the fault; below 0: it fired before.

    `receivers`: alert → those who got a mail that it fires. `mailed`: alert → seconds until the first of them.
    """

    fired: Mapping[str, float]
    receivers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mailed: Mapping[str, float] = field(default_factory=dict)

    @property
    def inhibited(self) -> tuple[str, ...]:
        """The alerts that fired and about which no mail was sent."""
        return tuple(name for name in self.fired if not self.receivers.get(name))


def problems(scenario: Scenario, happened: Happened, tolerance: float = 0.0) -> Iterator[str]:
    """What is not as the scenario says, a clause for each. `tolerance`: seconds by which an alert may be late."""
    for name, within in scenario.fires.items():
        after = happened.fired.get(name)
        if after is None:
            yield f"{name} did not fire, though it should within {humanize(within)}"
        elif after > within + tolerance:
            yield f"{name} fired after {humanize(after)}, later than {humanize(within)}"
    for name, after in happened.fired.items():
        if after < 0:
            yield f"{name} fired before anything went wrong"
        elif name not in scenario.fires and name not in scenario.may_fire:
            yield f"{name} fired after {humanize(after)}, though it should not"
    silent = set(happened.inhibited)
    for name in (*scenario.fires, *scenario.may_fire):
        if name not in happened.fired:
            continue
        if name in scenario.inhibited and name not in silent:
            yield f"a mail about {name} was sent to {brief(happened.receivers[name])}, though it should be inhibited"
        if name not in scenario.inhibited and name in silent:
            yield f"no mail about {name} was sent"
