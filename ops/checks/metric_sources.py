"""Where a series comes from (a rule group or a scrape), when its first value can be there, and why there is none.

Prometheus evaluates a group that it has just loaded for the first time up to one interval later.
So it does after a restart.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from formats.durations import humanize
from metrics import Contract, ContractError, selectors
from ops.checks import Grace
from ops.clients.prometheus import RunningGroup, RunningRule
from ops.errors import Misconfigured
from ops.targets import Target
from ops.window import duration
from rules import Recording, RuleFile

SCRAPES = 2  # a rate needs two values
DEFAULT = 60.0  # seconds between two scrapes, where Prometheus does not say
_OF_TARGETS = ("up", "scrape_")


@dataclass(frozen=True, slots=True)
class _Recorder:
    """A rule that records a series, at `place` in its group. `evaluated` is None where Prometheus does not run it."""

    group: str
    place: int
    interval: float
    expr: str
    evaluated: bool | None
    takes: float = 0.0  # seconds that an evaluation of the whole group took


class Sources:
    """The source of each series of a target, by the rules that run there and by the repository's `files`."""

    def __init__(self, target: Target, contract: Contract, files: Iterable[RuleFile]) -> None:
        self._target, self._contract, self._files = target, contract, tuple(files)

    def grace(self, query: str) -> Grace:
        """How long the first value of `query` may take from now on."""
        seconds, steps = self._longest(_names(query), ())
        return Grace(seconds, ", after ".join(reversed(steps)))

    def scrape(self) -> Grace:
        """How long a first scrape of the application may take."""
        return Grace(self._interval, self._scrape_step)

    def early(self, query: str) -> str | None:
        """Which rule that `query` depends on has not been evaluated yet, and when it will be; None where all have."""
        for name, found in self._recorders(_names(query), ()):
            if found.evaluated is False:
                return (
                    f"{name} is not recorded yet: group {found.group}, evaluated every {humanize(found.interval)}, "
                    f"was not evaluated yet; check again in {humanize(found.interval)}, "
                    "or run `verify --wait 20`"
                )
        return None

    def absent(self, name: str) -> str:
        """Why Prometheus has no series of this name, and what to read next."""
        url = self._target.prometheus.url
        found = self._recorded.get(name)
        if found and found.evaluated is None:
            return f"Prometheus does not record {name}; see the line rules/{found.group}"
        if found:
            reads = [one for one in _names(found.expr) if one not in self._recorded]
            lines = sorted({line for one in reads if (line := self._line(one))})
            look = f"see the line {lines[0]}" if lines else "check the metrics that it reads"
            return f"group {found.group} records {name}, but its expression gives no value; {look}, then {url}/rules"
        if line := self._line(name):
            return f"Prometheus has no metric {name}; see the line {line}"
        return (
            f"Prometheus has no metric {name}, and neither rules/ nor metrics/contract.yml knows it; "
            "correct the query, or add the metric there"
        )

    def _line(self, name: str) -> str | None:
        """The line of `verify` that is about a scraped series."""
        if metric := self._contract.series.get(name):
            return f"metric/{metric.name}"
        return "scrape-target" if name.startswith(_OF_TARGETS) else None

    def _longest(self, names: Iterable[str], seen: tuple[str, ...]) -> tuple[float, tuple[str, ...]]:
        """The longest time until all of `names` have a value: seconds, and its steps in order."""
        return max(
            (self._time_to_value(name, seen) for name in names),
            key=lambda found: found[0],
            default=(SCRAPES * self._interval, (self._scrape_step,)),
        )

    def _time_to_value(self, name: str, seen: tuple[str, ...]) -> tuple[float, tuple[str, ...]]:
        found = self._recorded.get(name)
        if found is None or name in seen:
            return SCRAPES * self._interval, (self._scrape_step,)
        seconds, steps = self._longest(_names(found.expr), (*seen, name))
        step = f"group {found.group} is evaluated every {humanize(found.interval)}"
        if steps[-1] == step and self._comes_after(found):
            return seconds, steps  # the rules of a group are evaluated one after the other
        return seconds + found.interval + found.takes, (*steps, step)

    def _comes_after(self, one: _Recorder) -> bool:
        """Whether it stands in its group after all those of the group that it reads."""
        read = (found for name in _names(one.expr) if (found := self._recorded.get(name)))
        return all(found.place < one.place for found in read if found.group == one.group)

    def _recorders(self, names: Iterable[str], seen: tuple[str, ...]) -> Iterable[tuple[str, _Recorder]]:
        """Each recording that `names` depend on, after those that it depends on itself."""
        for name in names:
            found = self._recorded.get(name)
            if found and name not in seen:
                yield from self._recorders(_names(found.expr), (*seen, name))
                yield name, found

    @cached_property
    def _recorded(self) -> dict[str, _Recorder]:
        """Every recording by its name; of several the slowest."""
        found = {
            rule.name: _Recorder(rule.group, place, rule.interval, rule.expr, None)
            for file in self._files
            for group in file.groups
            for place, rule in enumerate(group.rules)
            if isinstance(rule, Recording)
        }
        for group in sorted(self._target.prometheus.rules(), key=lambda one: one.interval):
            for place, rule in enumerate(group.rules):
                if rule.recording:
                    found[rule.name] = _running(group, place, rule)
        return found

    @cached_property
    def _interval(self) -> float:
        """Seconds between two scrapes of the application, those of the slowest of its targets."""
        job = self._target.settings.scrape_job
        found = []
        for one in self._target.prometheus.targets():
            if one.job == job and one.interval:
                try:
                    found.append(duration(one.interval, option="scrape_interval"))
                except Misconfigured:
                    continue  # not a duration as Prometheus writes it today
        return max(found, default=DEFAULT)

    @property
    def _scrape_step(self) -> str:
        return f"{self._target.settings.scrape_job} is scraped every {humanize(self._interval)}"


def _running(group: RunningGroup, place: int, rule: RunningRule) -> _Recorder:
    takes = sum(one.evaluation_time for one in group.rules)
    return _Recorder(group.name, place, group.interval, rule.query, rule.health != "unknown", takes)


def _names(query: str) -> Sequence[str]:
    """The series that a query reads, each once; none where the parser cannot read the query."""
    try:
        return list(dict.fromkeys(one.name for one in selectors(query) if one.name))
    except ContractError:
        return []
