"""Computes a limit from what was observed, and checks a limit. Pure functions."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from formats import quantities
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
    """A limit for an alert: `evidence`: what was observed; `notes`: warnings about it."""

    alert: Alert
    limit: Limit
    evidence: str
    notes: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether the limit differs from the present one."""
        return self.limit.value != self.alert.limit.value


def limit(alert: Alert, value: float) -> Limit:
    """The alert's limit with another number, as in a rule file."""
    text = str(int(value)) if float(value).is_integer() else repr(float(value))
    return Limit(alert.limit.operator, float(value), f"{alert.limit.operator} {text}")


def enough(alert: Alert, values: Values) -> None:
    """Raise Findings where less than half of the window has data."""
    over = values.window
    if values.coverage < LEAST_COVERAGE:
        seen = humanize(values.covered) if values.coverage > 0 else "nothing"
        raise Findings(
            f"{alert.name}: there is data for {seen} of the {humanize(over.span)} to "
            f"{windows.stamp(over.end)} UTC, less than half; choose a shorter --window or another --end"
        )


def proposed(alert: Alert, values: Values, margin: Margin, contract: Contract) -> float:
    """The limit for the observed values. Raises Findings where there is none.

    It is rounded to a bucket bound close to it, else to two digits, so that the alert fires less.
    """
    if margin.keep is not None:
        raise Findings(
            f"{alert.name} does not depend on what was observed: {margin.keep}; set another limit with --to VALUE"
        )
    seen = usual_value(alert, values)
    if seen is None or len(values.numbers) < LEAST_VALUES:
        raise Findings(
            f"{alert.name}: its signal had a value {_share(values)} of the time from {values.window}, too rarely to "
            "compute a limit (there was too little traffic); set one with --to VALUE"
        )
    up = upward(alert)
    wanted = _wanted(seen, margin, up)
    if wanted <= 0:
        raise Findings(
            f"{alert.name}: {_USUAL_TEXT[up]} {quantities.number(seen)}, "
            "and no limit can be computed from that; set one with --to VALUE"
        )
    near = [bound for bound in _buckets(alert, contract) if abs(bound - wanted) <= NEAR * wanted]
    near = [bound for bound in near if (bound > seen if up else bound < seen)]
    value = min(near, key=lambda bound: abs(bound - wanted)) if near else rounded(wanted, upward=up)
    now = alert.limit.value
    return value if margin.tighten or (value > now if up else value < now) else now


def rounded(value: float, *, upward: bool) -> float:
    """Rounded to two significant digits, up or down: 1234 → 1300 or 1200."""
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    steps = math.ceil(value / unit - 1e-9) if upward else math.floor(value / unit + 1e-9)
    return float(f"{steps * unit:.10g}")


def evidence(alert: Alert, values: Values, margin: Margin, unit: str, value: float, *, chosen: bool) -> str:
    """A sentence on what was observed and how `value` follows from it. `chosen`: a person gave the value."""
    over, up, seen = values.window, upward(alert), usual_value(alert, values)
    found = f"in the {humanize(over.span)} to {windows.stamp(over.end)} UTC "
    far = values.peak if up else values.low
    average = values.average
    if average is None or far is None:
        return f"{found}the signal had no value"
    if seen is None:
        found += f"the signal had a value {_share(values)} of the time"
    else:
        found += f"{_USUAL_TEXT[up]} {quantities.with_unit(seen, unit)}"
    ends = f"{'peak' if up else 'lowest'} {quantities.with_unit(far[1], unit)}"
    found += f" (average {quantities.with_unit(average, unit)}, {ends})"
    if chosen or seen is None:
        return found
    wanted = _wanted(seen, margin, up)
    found += f", {'+' if up else '−'} {margin.buffer * 100:g} % is {quantities.with_unit(wanted, unit)}"
    if value == alert.limit.value and not margin.tighten:
        return f"{found}; this limit is only ever made less strict"
    if value != rounded(wanted, upward=up):
        return f"{found}; {quantities.with_unit(value, unit)} is the closest bucket bound"
    return found


def _wanted(seen: float, margin: Margin, upward: bool) -> float:
    """The limit before rounding."""
    return seen * (1 + margin.buffer if upward else 1 - margin.buffer)


def notes(alert: Alert, value: float, contract: Contract) -> tuple[str, ...]:
    """Warnings about this limit."""
    return tuple(contract.limit_warnings([replace(alert, limit=limit(alert, value))]))


def check(alert: Alert, value: float, alerts: Mapping[str, Alert], contract: Contract, margin: Margin) -> None:
    """Raise Findings for a limit that cannot work: no number, never reached, or on the wrong side of its pair."""
    if not math.isfinite(value):
        raise Findings(f"{alert.name}: {value} is not a finite number; give one such as 1200")
    tuned = replace(alert, limit=limit(alert, value))
    for problem in contract.limit_problems([tuned]):
        raise Findings(problem)
    quantile = bool(_buckets(alert, contract))
    if value <= 0 and (quantile or margin.below is not None):
        raise Findings(f"{alert.name} would always fire above {quantities.number(value)}; give a number above 0")
    if margin.below is not None and value >= margin.below:
        raise Findings(
            f"{alert.name} can never fire above {quantities.number(value)}, its signal is a share of {margin.below:g}; "
            "choose a lower one, or find out why the normal value is so high"
        )
    for other in _pair(alert, alerts.values()):
        strict, lenient = (tuned, other) if alert.severity == "warning" else (other, tuned)
        if not _earlier(strict, lenient):
            raise Findings(
                f"{strict.name} ({strict.limit.text}) would not fire before {lenient.name} ({lenient.limit.text}), "
                "which is the critical alert of the same quantity; tune that one first, or choose another limit"
            )


def _buckets(alert: Alert, contract: Contract) -> tuple[float, ...]:
    """The finite bucket bounds of the alert's histogram; none where it uses no quantile."""
    if "histogram_quantile" not in alert.quantity:
        return ()
    series = contract.series
    read = contract.raw(alert.quantity)
    return next((series[name].buckets for name in read if name in series and contract.is_buckets(name)), ())


def _pair(alert: Alert, alerts: Iterable[Alert]) -> list[Alert]:
    """The alerts on the same quantity and direction with the other severity."""
    wanted = {"warning": "critical", "critical": "warning"}.get(alert.severity)
    return [
        other
        for other in alerts
        if other.quantity == alert.quantity
        and other.severity == wanted
        and not other.is_shadow
        and other.limit.fires_below == alert.limit.fires_below
    ]


def _earlier(warning: Alert, critical: Alert) -> bool:
    low, high = warning.limit.value, critical.limit.value
    return low > high if warning.limit.fires_below else low < high


def _share(values: Values) -> str:
    return f"{quantities.number(len(values.numbers) / max(1, len(values.points)) * 100, 2)} %"
