"""Reads margins.yml: the distance of a limit from what was observed."""

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
USUAL = 0.95  # share of the time


@dataclass(frozen=True, slots=True)
class Margin:
    """The margin of one alert; see margins.yml. `keep`: why its limit does not follow from what was observed."""

    buffer: float = 0.0
    tighten: bool = True
    below: float | None = None
    keep: str | None = None
    because: str = ""


def upward(alert: Alert) -> bool:
    """Whether the alert fires above its limit, and not below it."""
    return not alert.limit.fires_below


def usual_value(alert: Alert, values: Values) -> float | None:
    """The value that the signal does not cross 95 % of the time; None where it has no value that often.

    At a moment without a value the alert could not have fired, so it counts as farthest from the limit.
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
    """The margin of an alert. Raises Misconfigured where margins.yml cannot be used."""
    known = every()
    return known.get(alert.name) or known["other"]


@cache
def every() -> dict[str, Margin]:
    """Alert → margin, with `other` for those not listed. Raises Misconfigured."""
    try:
        raw: dict[str, JsonObject] = yaml.safe_load(FILE.read_text("utf-8"))
        found = {name: Margin(**entry) for name, entry in raw.items()}
        wrong = [name for name, entry in found.items() if not 0 <= entry.buffer < 100]
        if wrong or "other" not in found:
            raise ValueError(f"look at {', '.join(wrong) or 'other'}")
    except (OSError, ValueError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise Misconfigured(
            f"ops/tuning/margins.yml cannot be used ({' '.join(str(error).split())}); correct it"
        ) from error
    return found
