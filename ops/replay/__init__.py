"""What the alerts would have done in the past, computed from the history in Prometheus.

replay(prometheus, alert, start, end, limit) → Replay      one alert, with its own limit or another
observe(prometheus, alert, start, end) → Signal            the signal, queried once; .replay(limit) for each limit
run(prometheus, versions, names, start, end, config)       several alerts and versions, with the mails → Outcome
"""

from ops.replay.mails import Message
from ops.replay.run import Outcome, Rules, Version, observe, replay, run
from ops.replay.semantics import Interval, alert_states
from ops.replay.signals import Episode, Replay, Signal, crosses

__all__ = [
    "Episode",
    "Interval",
    "Message",
    "Outcome",
    "Replay",
    "Rules",
    "Signal",
    "Version",
    "alert_states",
    "crosses",
    "observe",
    "replay",
    "run",
]
