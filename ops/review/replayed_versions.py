"""How often the alerts of two versions would have fired, and who would have been told."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from formats.durations import humanize
from ops import targets
from ops.countdown import countdown
from ops.errors import OpsError
from ops.options import progress
from ops.replay.run import Outcome, Rules, run
from ops.review.checkouts import Version
from ops.words import count_noun


@dataclass(frozen=True)
class Past:
    """A backtest of the base and of the working tree, in this order. `not_made`: why there is none."""

    outcome: Outcome | None = None
    not_made: str | None = None

    def fired(self, name: str) -> tuple[int | None, int | None]:
        """How often the alert would have fired, in the base and now; None where it is not there."""
        if self.outcome is None:
            return None, None
        before, now = (version.replays.get(name) for version in self.outcome.versions)
        return before.times_fired if before else None, now.times_fired if now else None

    def messages(self, name: str) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """Receiver → how many messages would have named the alert, in the base and now."""
        if self.outcome is None:
            return {}, {}
        before, now = (
            Counter(message.receiver for message in version.messages if name in message.alerts)
            for version in self.outcome.versions
        )
        return before, now


def replayed(target: str, base: Version, head: Version, names: Collection[str], start: float, until: float) -> Past:
    """Both versions from `start` to `until` (seconds). A Prometheus that cannot be asked is an answer too."""
    names = [name for name in names if not _is_watchdog(name, base, head)]
    if not names:
        return Past(not_made="no route changes, and no alert but one that always fires")
    try:
        servers = targets.load(target)
        what = f"{count_noun(len(names), 'alert')} over {humanize(until - start)}"
        progress(f"replaying {what} from {servers.prometheus.url} …")
        versions = [Rules(one.name, one.alerts, one.recordings, one.routing.config) for one in (base, head)]
        outcome = run(
            servers.prometheus,
            versions,
            names,
            start,
            until,
            head.routing.config,
            countdown("queries answered", progress),
            servers.prometheus.sender(),
        )
    except OpsError as error:
        return Past(not_made=str(error))
    return Past(outcome)


def _is_watchdog(name: str, *versions: Version) -> bool:
    return any(name in version.alerts and version.alerts[name].is_watchdog for version in versions)
