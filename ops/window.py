"""A time window in the past, the values of a query in it, and times and numbers as texts."""

import math
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from formats import durations
from formats.durations import humanize
from ops.clients.prometheus import Prometheus, Series
from ops.errors import Misconfigured

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
LONGEST = 10 * durations.UNITS["y"]  # seconds of a span
_CHUNK = 2880  # points per request: a day at the usual 30 s interval


@dataclass(frozen=True, slots=True)
class Window:
    """The moments `start + step`, …, `end`, in seconds since the epoch; both ends are multiples of `step`."""

    start: float
    end: float
    step: float

    @property
    def span(self) -> float:
        """Seconds from start to end."""
        return self.end - self.start

    @property
    def moments(self) -> int:
        """How many moments there are."""
        return round(self.span / self.step)

    def as_json(self) -> dict[str, object]:
        """The window for programs."""
        return {"start": iso(self.start), "end": iso(self.end), "seconds": self.span, "step": self.step}

    def __str__(self) -> str:
        return f"{stamp(self.start)} to {stamp(self.end)} UTC"


@dataclass(frozen=True, slots=True)
class Values:
    """The values (seconds since the epoch, value) in a window, in order; NaN where a quantile had no observations."""

    window: Window
    points: tuple[tuple[float, float], ...]

    @property
    def numbers(self) -> list[float]:
        """The values that are numbers (NaN and infinity: there was no traffic)."""
        return [value for _, value in self.points if math.isfinite(value)]

    @property
    def coverage(self) -> float:
        """The share of the window's moments, 0 to 1, at which there was data."""
        return min(1.0, len(self.points) / self.window.moments)

    @property
    def covered(self) -> float:
        """Seconds of the window with data."""
        return self.coverage * self.window.span

    @property
    def average(self) -> float | None:
        """The mean over time; None without a number."""
        numbers = self.numbers
        return math.fsum(numbers) / len(numbers) if numbers else None

    @property
    def peak(self) -> tuple[float, float] | None:
        """(moment, value) of the highest number, the first of equals."""
        found = [(at, value) for at, value in self.points if math.isfinite(value)]
        return max(found, key=lambda point: (point[1], -point[0])) if found else None

    @property
    def low(self) -> tuple[float, float] | None:
        """(moment, value) of the lowest number, the first of equals."""
        found = [(at, value) for at, value in self.points if math.isfinite(value)]
        return min(found, key=lambda point: (point[1], point[0])) if found else None


def window(span: str, end: str | None = None, *, interval: float, now: float | None = None) -> Window:
    """The window of length `span` (`24h`) that ends at `end` (as `moment` reads it; None: now).

    The step is the rules' `interval` (seconds), or a multiple of it, so that a series has at most about 6000 points.
    Raises Misconfigured.
    """
    length = duration(span, option="--window")
    _, until = period(span, end, now=now)
    step = interval * max(1, math.ceil(length / (6000 * interval)))
    if length < 10 * step:
        raise Misconfigured(f"--window {span} is too short; give at least {humanize(10 * step)}")
    last = math.floor(until / step) * step
    return Window(last - math.ceil(length / step) * step, last, step)


def period(
    span: str, end: str | None = None, *, least: float = 0.0, most: float = LONGEST, now: float | None = None
) -> tuple[float, float]:
    """(start, end) in seconds since the epoch, not rounded: the length `span` (`24h`) up to `end` (None: now).

    The words are those of the options `--window` and `--end`, which every verb with a period has. Raises Misconfigured,
    also where the length is not between `least` and `most` seconds.
    """
    length = duration(span, option="--window")
    now = time.time() if now is None else now
    until = now if end is None else moment(end, option="--end", now=now)
    if until > now + MINUTE:
        raise Misconfigured(f"--end {end} lies in the future; give a moment that has passed, or leave it out")
    if length < least:
        raise Misconfigured(f"--window {span} is too short; give at least {humanize(least)}")
    if length > most:
        raise Misconfigured(f"--window {span} is too long; give at most {humanize(most)}")
    return until - length, until


def history(prometheus: Prometheus, query: str, over: Window) -> list[Series]:
    """Every series of `query` at the window's moments, queried in pieces, as Prometheus limits the points of an answer.

    Raises what the client raises.
    """
    pieces: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = {}
    first = 1
    while first <= over.moments:
        last = min(first + _CHUNK - 1, over.moments)
        found = prometheus.query_range(
            query, over.start + first * over.step, over.start + last * over.step, over.step, timeout=60.0
        )
        for series in found:
            pieces.setdefault(tuple(sorted(series.labels.items())), []).extend(series.points)
        first = last + 1
    return [Series(dict(labels), tuple(points)) for labels, points in pieces.items()]


def worst(series: Iterable[Series], over: Window, *, lowest: bool = False) -> Values:
    """Several series as one: at each moment their highest value (or lowest), NaN only where all are NaN."""
    found: dict[float, float] = {}
    for one in series:
        for at, value in one.points:
            held = found.get(at, math.nan)
            if math.isnan(held) or (value < held if lowest else value > held):
                found[at] = value
    return Values(over, tuple(sorted(found.items())))


def weighted(values: Values, weights: Values) -> float | None:
    """The mean of `values`, weighted by `weights` at the same moments; None without weight.

    For a share (errors / requests) this is the share of all requests, not the mean of the shares.
    """
    by_moment = dict(weights.points)
    pairs = [
        (value, weight)
        for at, value in values.points
        if math.isfinite(value) and math.isfinite(weight := by_moment.get(at, math.nan))
    ]
    total = math.fsum(weight for _, weight in pairs)
    return math.fsum(value * weight for value, weight in pairs) / total if total > 0 else None


def duration(text: str, *, option: str) -> float:
    """Seconds of a span as Prometheus writes it (`24h`, `1h30m`, `7d`). Raises Misconfigured, which names `option`."""
    try:
        seconds = durations.seconds(text)
    except ValueError:
        raise Misconfigured(f"{option} {text!r} is no duration up to 10 years; write it as 90m, 24h or 7d") from None
    if not 0 < seconds <= LONGEST:
        raise Misconfigured(f"{option} {text} is not between 0 and 10 years; give a span such as 24h or 7d")
    return seconds


def moment(text: str, *, option: str, now: float | None = None) -> float:
    """Seconds since the epoch, from ISO 8601 (UTC without an offset), from that number, or from how long ago it was.

    `2h` is two hours before `now` (None: the present). Raises Misconfigured, which names `option`.
    """
    if re.fullmatch(r"\d{9,11}(\.\d+)?", text):
        return float(text)
    if re.fullmatch(r"(\d+[a-z]+)+", text) and _is_duration(text):
        return (time.time() if now is None else now) - duration(text, option=option)
    try:
        parsed = datetime.fromisoformat(text)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise Misconfigured(
            f"{option} {text!r} cannot be read as a moment; write it as 2026-01-31T12:00Z, as 2h for two hours ago, "
            "or as seconds since 1970"
        ) from None


def _is_duration(text: str) -> bool:
    try:
        durations.seconds(text)
    except ValueError:
        return False
    return True


def parse_moment(text: str) -> float:
    """A moment as Prometheus and Alertmanager write it (RFC 3339), in seconds since the epoch."""
    return datetime.fromisoformat(text).timestamp()


def age(moment: str) -> float:
    """Seconds since a moment as Prometheus and Alertmanager write it (RFC 3339)."""
    return time.time() - parse_moment(moment)


def stamp(at: float, *, seconds: bool = False) -> str:
    """`2026-11-23 10:00`, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def iso(at: float) -> str:
    """`2026-11-23T10:00:00Z`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
