"""How far a limit stands from what was observed: margins.yml, and its one reader."""

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from formats.json_types import JsonObject
from ops.errors import Misconfigured
from ops.window import Values
from rules import Alert

FILE = Path(__file__).with_name("margins.yml")
USUAL = 0.95  # of the time


@dataclass(frozen=True, slots=True)
class Margin:
    """For one alert; see margins.yml. `keep` is the reason why the observed values say nothing about its limit."""

    buffer: float = 0.0
    tighten: bool = True
    below: float | None = None
    keep: str | None = None
    because: str = ""


def upward(alert: Alert) -> bool:
    """Whether the alert fires above its limit, and not below it."""
    return not alert.limit.fires_below


def usual_value(alert: Alert, values: Values) -> float | None:
    """What the signal stays below (or above) 95 % of the time; None where it has no value that often.

    A moment without a value is one at which the alert could not have fired, so it counts as the calmest.
    """
    calm = -math.inf if upward(alert) else math.inf
    found = sorted(value if math.isfinite(value) else calm for _, value in values.points)
    if not found:
        return None
    at = (USUAL if upward(alert) else 1 - USUAL) * (len(found) - 1)
    low, high = found[math.floor(at)], found[math.ceil(at)]
    if not math.isfinite(low) or not math.isfinite(high):
        return None
    return low + (high - low) * (at - math.floor(at))


def margin(alert: Alert) -> Margin:
    """The margin of an alert; Misconfigured when margins.yml cannot be read."""
    known = every()
    return known.get(alert.name) or known["other"]


@cache
def every() -> dict[str, Margin]:
    """Every margin by the name of its alert, `other` for the rest; Misconfigured."""
    try:
        raw: dict[str, JsonObject] = yaml.safe_load(FILE.read_text("utf-8"))
        found = {name: Margin(**entry) for name, entry in raw.items()}
        wrong = [name for name, entry in found.items() if not 0 <= entry.buffer < 100]
        if wrong or "other" not in found:
            raise ValueError(f"look at {', '.join(wrong) or 'other'}")
    except (OSError, ValueError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise Misconfigured(
            f"ops/tuning/margins.yml cannot be used ({' '.join(str(error).split())}); mend it"
        ) from error
    return found
