"""A stage of a scenario: what goes wrong, from when to when, on how many instances."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ops.sandbox.servers.traffic import SCENARIOS, Scenario

DEAD = "dead"
CLOCK_AHEAD = "clock_ahead"

# What the application can do by itself, and what is done to its process.
KINDS = {**SCENARIOS, DEAD: Scenario(DEAD, "the process is not there; its counters begin at 0 when it is back")}


@dataclass(frozen=True)
class Stage:
    """From `start` to `end`, in seconds. `faults`: kind → intensity. `instances`: on the first so many; None: all."""

    start: float
    end: float
    faults: Mapping[str, float]
    instances: int | None = None

    def within(self, times: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of `times` lie in it."""
        return (times > self.start) & (times <= self.end)

    def concerns(self, instance: int) -> bool:
        """Whether the instance of that number, from 0, has these faults."""
        return self.instances is None or instance < self.instances

    def later(self, seconds: float) -> "Stage":
        """The same, so much later."""
        return Stage(self.start + seconds, self.end + seconds, self.faults, self.instances)
