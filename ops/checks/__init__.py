"""Checks return what they found; verbs print it and choose the exit code."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["pass", "fail", "skip"]


@dataclass(frozen=True, slots=True)
class Grace:
    """How long a failed check may fail without a fault: it may pass by itself within `seconds`, because of `why`."""

    seconds: float
    why: str


@dataclass(frozen=True, slots=True)
class Check:
    """One result. `detail` says what was found; of a failed check also where, and what to do.

    `grace`: the check may have been too early.
    """

    name: str
    status: Status
    detail: str
    grace: Grace | None = None


def passed(name: str, detail: str) -> Check:
    """A check that passed."""
    return Check(name, "pass", detail)


def failed(name: str, detail: str, grace: Grace | None = None) -> Check:
    """A check that failed; `detail` ends with what to do."""
    return Check(name, "fail", detail, grace)


def skipped(name: str, detail: str) -> Check:
    """A check that does not apply here; `detail` says why."""
    return Check(name, "skip", detail)
