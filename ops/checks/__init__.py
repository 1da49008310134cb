"""Checks look and return what they found; verbs print it and choose the exit code."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["pass", "fail", "skip"]


@dataclass(frozen=True, slots=True)
class Grace:
    """By when something that is not in order yet may be so by itself: within `seconds`, as `why` says."""

    seconds: float
    why: str


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. `detail` says what was seen, and when it is not in order also where, and what to do.

    `due`: a failed one may only be early.
    """

    name: str
    status: Status
    detail: str
    grace: Grace | None = None


def passed(name: str, detail: str) -> Check:
    """A check that is in order."""
    return Check(name, "pass", detail)


def failed(name: str, detail: str, grace: Grace | None = None) -> Check:
    """A check that is not in order; `detail` ends with the remedy."""
    return Check(name, "fail", detail, grace)


def skipped(name: str, detail: str) -> Check:
    """A check that does not apply here; `detail` says why."""
    return Check(name, "skip", detail)
