"""What is left of the error budget, from the series that Prometheus records."""

from collections.abc import Iterable
from dataclasses import dataclass

import rules
from formats.quantities import percent
from ops.checks import Check, failed, passed
from ops.checks.metric_sources import Sources
from ops.clients.prometheus import Prometheus
from ops.words import agree, count_noun
from rules import RuleFile

DAYS = 30
HOURS = DAYS * 24
LEFT = "api:http_request_errors:budget_left30d"
REQUESTS = "api:http_requests:increase1h"
# The errors of hours that count: recorded values, one an hour, where the requests are recorded too.
_ERRORS = f"(api:http_request_errors:increase1h and {REQUESTS})"
_BURN = f"(api:http_request_errors:ratio_rate1h / {rules.BUDGET})"
_LATELY = "[10m]"  # several evaluations of each group
_LOOK = "5m"  # between two looks at the burn rate


@dataclass(frozen=True, slots=True)
class ErrorBudget:
    """The budget of 30 days at one moment.

    `objective`: the share of requests that must succeed. `left`: 1 is untouched, below 0 overspent. `hours`: how many
    of the 720 hours are recorded.
    """

    objective: float
    left: float
    hours: int

    @property
    def kept(self) -> str:
        """How much of the 30 days is recorded, in words; "" where it is all of them, or nearly."""
        days = round(self.hours / 24)
        if days >= DAYS:
            return ""
        if days >= 2:
            return f"{days} of {DAYS} days are kept"
        return f"{count_noun(self.hours, 'full hour')} of {DAYS} days {agree(self.hours, 'is', 'are')} kept"


@dataclass(frozen=True, slots=True)
class Spent:
    """What a window used: a share of the budget of 30 days, and the highest burn rate over one hour, if it is known."""

    used: float
    fastest: float | None


def budget(prometheus: Prometheus, at: float | None = None) -> ErrorBudget | None:
    """The budget now or `at` a moment (seconds since the epoch); None where it is not recorded.

    Raises what the client raises.
    """
    left = _least(prometheus, f"last_over_time({LEFT}{_LATELY})", at)
    allowed = _least(prometheus, f"last_over_time({rules.BUDGET}{_LATELY})", at)
    if left is None or allowed is None:
        return None
    hours = _least(prometheus, f"count_over_time({_ERRORS}[{DAYS}d:1h])", at)
    return ErrorBudget(1 - allowed, left, min(HOURS, round(hours or 0)))


def spent(prometheus: Prometheus, seconds: float, at: float) -> Spent:
    """What the full hours in the `seconds` before `at` used. Raises what the client raises."""
    window = f"[{seconds:.0f}s"
    # What 30 days may have as errors; without requests there is nothing to be used up.
    allowed = f"(sum_over_time({REQUESTS}[{DAYS}d:1h]) > 0) * last_over_time({rules.BUDGET}{_LATELY})"
    used = _least(prometheus, f"sum_over_time({_ERRORS}{window}:1h]) / ({allowed})", at)
    return Spent(used or 0.0, _least(prometheus, f"max_over_time({_BURN}{window}:{_LOOK}])", at))


def is_recorded(files: Iterable[RuleFile]) -> bool:
    """Whether these rules record the budget."""
    return any(one.name == LEFT for file in files for one in file.recordings)


def recorded(prometheus: Prometheus, sources: Sources) -> Check:
    """The budget is recorded, and how much of it is left."""
    name = "error-budget"
    found = budget(prometheus)
    if found is None:
        return failed(name, sources.early(LEFT) or sources.absent(LEFT), sources.grace(LEFT))
    return passed(name, in_words(found))


def in_words(found: ErrorBudget) -> str:
    """`72.2 % of the error budget of 30 days is left, at an objective of 99 %; 6 of 30 days are kept`."""
    state = f"{percent(found.left, 3)} of the error budget of {DAYS} days is left"
    if found.left < 0:
        state = f"the error budget of {DAYS} days is overspent by {percent(-found.left, 3)}"
    kept = f"; {found.kept}" if found.kept else ""
    return f"{state}, at an objective of {percent(found.objective)}{kept}"


def _least(prometheus: Prometheus, query: str, at: float | None) -> float | None:
    """The lowest value of a query, where several stacks record into one Prometheus; None for no value."""
    return min((one.value for one in prometheus.query(query, at) if one.value == one.value), default=None)
