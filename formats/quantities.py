"""Numbers as people read them, with units."""

import math


def number(value: float, digits: int = 3) -> str:
    """A number with so many significant digits, never in powers of ten: `830`, `0.0125`, `14.4`."""
    if not math.isfinite(value):
        return str(value)
    if value == 0:
        return "0"
    rounded = round(value, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{rounded:.{max(0, digits - 1 - math.floor(math.log10(abs(rounded))))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(share: float, digits: int = 6) -> str:
    """`99.5 %` for 0.995, with so many significant digits at most."""
    return f"{number(share * 100, digits)} %"


def with_unit(value: float | None, unit: str, digits: int = 3) -> str:
    """A value with its unit in Grafana's spelling: `830 ms`, `1.25%` for percentunit, only the number for no unit."""
    if value is None or not math.isfinite(value):
        return "no data"
    if unit == "percentunit":
        return f"{number(value * 100, digits)}%"
    unit = {"reqps": "req/s"}.get(unit, unit)
    return f"{number(value, digits)} {unit}" if unit not in ("", "none", "short") else number(value, digits)
