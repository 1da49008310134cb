"""How far a limit stands from what was observed: margins.yml, and its one reader."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ops.errors import Misconfigured
from ops.window import Values
from rules import Alert

FILE = Path(__file__).with_name("margins.yml")
_TOLD = {
    "p95": "95 % of the time it was at most",
    "p5": "95 % of the time it was at least",
    "peak": "its peak was",
    "low": "its lowest was",
}


@dataclass(frozen=True, slots=True)
class Margin:
    """For one alert; see margins.yml. `keep` is the reason why the observed values say nothing about its limit."""

    observed: str = "p95"
    buffer: float = 0.0
    below: float | None = None
    tighten: bool = True
    keep: str | None = None
    because: str = ""

    def of(self, values: Values) -> float | None:
        """The observed value that counts; None when there is no number."""
        if self.observed in ("peak", "low"):
            found = values.peak if self.observed == "peak" else values.low
            return found[1] if found else None
        return values.quantile(0.95 if self.observed == "p95" else 0.05)

    @property
    def told(self) -> str:
        """The words that stand before the observed value."""
        return _TOLD[self.observed]


def margin(alert: Alert) -> Margin:
    """The margin of an alert; Misconfigured when margins.yml cannot be read."""
    every = _every()
    return every.get(alert.name) or every["under" if alert.limit.operator.startswith("<") else "above"]


@cache
def _every() -> dict[str, Margin]:
    try:
        raw: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text("utf-8"))
        found = {name: Margin(**entry) for name, entry in raw.items()}
        wrong = [name for name, entry in found.items() if entry.observed not in _TOLD or not 0 <= entry.buffer < 100]
        if wrong or not {"above", "under"} <= found.keys():
            raise ValueError(f"look at {', '.join(wrong) or 'above and under'}")
    except (OSError, ValueError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise Misconfigured(f"ops/tune/margins.yml cannot be used ({' '.join(str(error).split())}); mend it") from error
    return found
