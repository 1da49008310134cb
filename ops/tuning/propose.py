"""Which limit follows from what was observed, and whether a limit makes sense: pure functions."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from formats.durations import humanize
from metrics import Contract
from ops import window as windows
from ops.errors import Findings
from ops.tuning.margins import Margin, upward, usual_value
from ops.window import Values
from rules import Alert, Limit

LEAST_COVERAGE = 0.5  # of the window's evaluations must have had data
LEAST_VALUES = 20  # values of a signal from which a limit may follow
_USUAL_TEXT = {True: "95 % of the time it was at most", False: "95 % of the time it was at least"}
NEAR = 0.1  # a bucket boundary this close (as a share) to the computed limit is taken instead


@dataclass(frozen=True, slots=True)
class Proposal:
    """A limit for an alert: `evidence` says from what it follows, `notes` what has to be known about it."""

    alert: Alert
    limit: Limit
    evidence: str
    notes: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether it is another limit than the one that stands."""
        return self.limit.value != self.alert.limit.value


def limit(alert: Alert, value: float) -> Limit:
    """The alert's limit with another number, written as the rule file would have it."""
    text = str(int(value)) if float(value).is_integer() else repr(float(value))
    return Limit(alert.limit.operator, float(value), f"{alert.limit.operator} {text}")


def enough(alert: Alert, values: Values) -> None:
    """Findings when too little of the window has data to say anything."""
    over = values.window
    if values.coverage < LEAST_COVERAGE:
        seen = humanize(values.covered) if values.coverage > 0 else "nothing"
        raise Findings(
            f"{alert.name}: there is data for {seen} of the {humanize(over.span)} to "
            f"{windows.stamp(over.end)} UTC, less than half; choose a shorter --window or another --end"
        )


def proposed(alert: Alert, values: Values, margin: Margin, contract: Contract) -> float:
    """The limit that follows from the observed values, rounded; Findings where none follows.

    Rounded to a bucket boundary close by, else to two digits, away from firing.
    """
    if margin.keep is not None:
        raise Findings(f"{alert.name} is not tuned by what was observed: {margin.keep}; --to VALUE changes it anyway")
    seen = usual_value(alert, values)
    if seen is None or len(values.numbers) < LEAST_VALUES:
        raise Findings(
            f"{alert.name}: its signal had a value {_share(values)} of the time from {values.window}, too rarely for a "
            "limit to follow (its guards want more traffic, or nothing of the kind happened); --to VALUE sets one"
        )
    up = upward(alert)
    wanted = _wanted(seen, margin, up)
    if wanted <= 0:
        raise Findings(
            f"{alert.name}: {_USUAL_TEXT[up]} {windows.number(seen)}, "
            "and no limit follows from that; --to VALUE sets one"
        )
    near = [bound for bound in _buckets(alert, contract) if abs(bound - wanted) <= NEAR * wanted]
    near = [bound for bound in near if (bound > seen if up else bound < seen)]
    value = min(near, key=lambda bound: abs(bound - wanted)) if near else rounded(wanted, upward=up)
    now = alert.limit.value
    return value if margin.tighten or (value > now if up else value < now) else now


def rounded(value: float, *, upward: bool) -> float:
    """To two significant digits, up or down: 1234 → 1300 or 1200."""
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    steps = math.ceil(value / unit - 1e-9) if upward else math.floor(value / unit + 1e-9)
    return float(f"{steps * unit:.10g}")


def evidence(alert: Alert, values: Values, margin: Margin, unit: str, value: float, *, chosen: bool) -> str:
    """One sentence on what was observed, and how the limit `value` follows from it (not when it was `chosen`)."""
    over, up, seen = values.window, upward(alert), usual_value(alert, values)
    found = f"in the {humanize(over.span)} to {windows.stamp(over.end)} UTC "
    far = values.peak if up else values.low
    average = values.average
    if average is None or far is None:
        return f"{found}the signal had no value"
    if seen is None:
        found += f"the signal had a value {_share(values)} of the time"
    else:
        found += f"{_USUAL_TEXT[up]} {windows.quantity(seen, unit)}"
    ends = f"{'peak' if up else 'lowest'} {windows.quantity(far[1], unit)}"
    found += f" (average {windows.quantity(average, unit)}, {ends})"
    if chosen or seen is None:
        return found
    wanted = _wanted(seen, margin, up)
    found += f", {'+' if up else '−'} {margin.buffer * 100:g} % is {windows.quantity(wanted, unit)}"
    if value == alert.limit.value and not margin.tighten:
        return f"{found}; calm days do not make this limit stricter"
    if value != rounded(wanted, upward=up):
        return f"{found}; {windows.quantity(value, unit)} is the bucket boundary beside it"
    return found


def _wanted(seen: float, margin: Margin, upward: bool) -> float:
    """The limit before rounding."""
    return seen * (1 + margin.buffer if upward else 1 - margin.buffer)


def notes(alert: Alert, value: float, contract: Contract) -> tuple[str, ...]:
    """What has to be known about this limit."""
    return tuple(contract.limit_warnings([replace(alert, limit=limit(alert, value))]))


def check(alert: Alert, value: float, alerts: Mapping[str, Alert], contract: Contract, margin: Margin) -> None:
    """Findings for a limit that makes no sense: no number, not measurable, or on the wrong side of its pair."""
    if not math.isfinite(value):
        raise Findings(f"{alert.name}: {value} is no limit; give a number")
    tuned = replace(alert, limit=limit(alert, value))
    for problem in contract.limit_problems([tuned]):
        raise Findings(problem)
    quantile = bool(_buckets(alert, contract))
    if value <= 0 and (quantile or margin.below is not None):
        raise Findings(f"{alert.name} would always fire above {windows.number(value)}; give a number above 0")
    if margin.below is not None and value >= margin.below:
        raise Findings(
            f"{alert.name} can never fire above {windows.number(value)}, its signal is a share of {margin.below:g}; "
            "lower it, or look at why so much is normal"
        )
    for other in _pair(alert, alerts.values()):
        strict, lenient = (tuned, other) if alert.severity == "warning" else (other, tuned)
        if not _earlier(strict, lenient):
            raise Findings(
                f"{strict.name} ({strict.limit.text}) would not fire before {lenient.name} ({lenient.limit.text}), "
                "which is the critical one of the same quantity; tune that one first, or choose a limit between"
            )


def _buckets(alert: Alert, contract: Contract) -> tuple[float, ...]:
    """The finite bucket bounds of the histogram that the alert takes a quantile of; none where it takes none."""
    if "histogram_quantile" not in alert.quantity:
        return ()
    series = contract.series
    return next((series[name].buckets for name in series if name.endswith("_bucket") and name in alert.quantity), ())


def _pair(alert: Alert, alerts: Iterable[Alert]) -> list[Alert]:
    """The alerts on the same quantity, in the same direction, of the other of the two severities."""
    wanted = {"warning": "critical", "critical": "warning"}.get(alert.severity)
    return [
        other
        for other in alerts
        if other.quantity == alert.quantity
        and other.severity == wanted
        and other.limit.fires_below == alert.limit.fires_below
    ]


def _earlier(warning: Alert, critical: Alert) -> bool:
    low, high = warning.limit.value, critical.limit.value
    return low > high if warning.limit.fires_below else low < high


def _share(values: Values) -> str:
    return f"{windows.number(len(values.numbers) / max(1, len(values.points)) * 100, 2)} %"
