"""A proposed limit, and when the alert would have fired with it and with the present one."""

from collections.abc import Mapping
from dataclasses import dataclass

import dashboards
from formats.durations import humanize
from metrics import Contract
from ops import window as windows
from ops.clients.prometheus import Prometheus, Series
from ops.replay import Replay, Signal, observe
from ops.tuning import propose
from ops.tuning.margins import margin
from ops.tuning.propose import Proposal
from ops.window import Values, Window
from ops.words import times
from rules import Alert, Recording


@dataclass(frozen=True)
class Tuning:
    """A proposal, and the replays with the present and the proposed limit."""

    proposal: Proposal
    before: Replay
    after: Replay

    @property
    def evidence(self) -> str:
        """One sentence: what was observed, and how often the alert would have fired with either limit."""
        now, then = self.proposal.alert.limit.text, self.proposal.limit.text
        if not self.proposal.changes:
            return f"{self.proposal.evidence}; it would have fired {fired_text(self.before)}"
        fired = f"{fired_text(self.before)} with {now}, {fired_text(self.after)} with {then}"
        return f"{self.proposal.evidence}; it would have fired {fired}"

    def as_json(self) -> dict[str, object]:
        """The proposal for programs."""
        return {
            "alert": self.proposal.alert.name,
            "from": self.proposal.alert.limit.text,
            "to": self.proposal.limit.text,
            "changes": self.proposal.changes,
            "evidence": self.proposal.evidence,
            "notes": list(self.proposal.notes),
            "backtest": {
                name: {"fired": replay.times_fired, "seconds": replay.seconds_firing}
                for name, replay in (("before", self.before), ("after", self.after))
            },
        }


def tuning(
    prometheus: Prometheus,
    alert: Alert,
    over: Window,
    to: float | None,
    alerts: dict[str, Alert],
    contract: Contract,
    recordings: Mapping[str, Recording],
) -> Tuning:
    """The proposed limit of an alert, or `to` as its limit; `alerts` and `recordings`: all of the stack.

    Raises Findings where a limit cannot be computed or cannot work, and what `observe` raises.
    """
    if to is not None:
        propose.check(alert, to, alerts, contract, margin(alert))  # before the query
    signal = observe(prometheus, alert, over.start, over.end, recordings)
    values = observed(signal, over)
    propose.enough(alert, values)
    value = propose.proposed(alert, values, margin(alert), contract) if to is None else to
    propose.check(alert, value, alerts, contract, margin(alert))
    unit = dashboards.units(dashboards.load(native=contract.native).panels).get(alert.quantity, "")
    proposal = Proposal(
        alert,
        propose.limit(alert, value),
        propose.evidence(alert, values, margin(alert), unit, value, chosen=to is not None),
        propose.notes(alert, value, contract),
    )
    return Tuning(proposal, signal.replay(), signal.replay(proposal.limit))


def observed(signal: Signal, over: Window) -> Values:
    """The signal's values. An evaluation without a value, though there was data, is NaN."""
    lowest = signal.alert.limit.fires_below
    over = Window(over.start, over.end, signal.alert.interval)
    seen = windows.worst((Series(labels, tuple(points)) for labels, points in signal.values()), over, lowest=lowest)
    moments = {at / 1000: float("nan") for at in signal.evaluations if over.start < at / 1000 <= over.end}
    return Values(over, tuple(sorted((moments | dict(seen.points)).items())))


def fired_text(replay: Replay) -> str:
    """`never`, or how often the alert would have fired, and for how long in all."""
    if not replay.times_fired:
        return times(0)
    return f"{times(replay.times_fired)} ({humanize(replay.seconds_firing)})"
