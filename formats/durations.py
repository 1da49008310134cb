"""Durations: as files of Prometheus and Alertmanager have them (`1h30m`), and as people say them (`1 h 30 min`)."""

import re

# https://github.com/prometheus/common/blob/main/model/time.go: the units in this order, each once.
UNITS = {"y": 365 * 86400.0, "w": 7 * 86400.0, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_LONGEST = 2**63 / 1e9  # nanoseconds are what Go counts, in 63 bits: about 292 years
_WRITTEN = re.compile("".join(rf"(?:([0-9]+){unit}(?![a-z]))?" for unit in UNITS))


def seconds(text: str) -> float:
    """`1h30m` → 5400.0, `0` → 0.0. Raises ValueError, with a sentence that begins with the text."""
    found = _WRITTEN.fullmatch(text)
    if text != "0" and (not text or found is None):
        raise ValueError(f"{text!r} is no duration; write it as 30s, 5m or 1h30m")
    parts = found.groups() if found else ()
    if any(part and len(part) > 20 for part in parts):
        total = _LONGEST
    else:
        total = sum((int(part) * size for part, size in zip(parts, UNITS.values(), strict=False) if part), 0.0)
    if total >= _LONGEST:
        raise ValueError(f"{text[:40]!r} is no duration that a server can hold; write one below 292 years")
    return total


def humanize(length: float) -> str:
    """Seconds as people say them, to two units: `3 h 12 min`, `45 s`, `24 h`, `7 d`, `0 s`."""
    left = max(0, round(length))
    if left >= 3 * 3600:
        left = round(left / 60) * 60
    parts: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if unit == "d" and left < 2 * 86400:
            continue
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
        elif parts:
            break
        if len(parts) == 2:
            break
    return " ".join(parts) or "0 s"
