"""How long Prometheus takes to evaluate our rules, and whether it keeps up."""

from collections.abc import Iterable, Sequence

from ops.checks import Check, failed, passed, skipped
from ops.checks.live_rules import matching_groups
from ops.clients.prometheus import Prometheus, RunningGroup, RunningRule
from ops.words import brief, count_noun
from rules import RuleFile

NAME = "evaluation"
MOST = 0.1  # of its interval: a group that takes more is near to being late on a busy day
# A group's name there is its file, a semicolon, and its own.
MISSED = "increase(prometheus_rule_group_iterations_missed_total[5m]) >= 0.5"


def keeps_up(prometheus: Prometheus, files: Sequence[RuleFile]) -> Check:
    """No group of ours takes a tenth of its interval, and none left out an evaluation within five minutes.

    What was left out is only known where Prometheus scrapes itself. Raises ops.errors.
    """
    ours = our_groups(prometheus.rules(), files)
    groups = [group for group in ours if is_evaluated(group)]
    if not groups:
        return skipped(NAME, "no group of ours has been evaluated yet; look again in two minutes")
    missed = {one.labels["rule_group"]: one.value for one in prometheus.query(MISSED)}
    faults = [fault for group in groups if (fault := _fault(group, missed.get(f"{group.file};{group.name}", 0.0)))]
    if faults:
        return failed(
            NAME,
            f"{brief(faults, 2)}: alerts come late, or not at all; give the group a longer interval, or record once "
            "what several of its rules read",
        )
    slowest = max(groups, key=share)
    took = sum(group.evaluation_time for group in groups)
    what = count_noun(len(ours), "group") if len(groups) == len(ours) else f"{len(groups)} of {len(ours)} groups so far"
    return passed(
        NAME,
        f"{what} took {in_ms(took)} in all; nearest to its interval is {slowest.name} with {_of_interval(slowest)}, "
        f"its slowest rule {_slowest_rule(slowest)}",
    )


def our_groups(live: Sequence[RunningGroup], files: Iterable[RuleFile]) -> list[RunningGroup]:
    """The running groups that are ours, each once, in the order of the files."""
    return [found for file in files for group in file.groups for found in matching_groups(group, live)[:1]]


def is_evaluated(group: RunningGroup) -> bool:
    """Whether each of its rules has been: when a group has changed, Prometheus keeps its own time, and not theirs."""
    return group.evaluation_time > 0 and all(rule.evaluation_time > 0 for rule in group.rules)


def share(group: RunningGroup) -> float:
    """How much of its interval the last evaluation of a group took."""
    return group.evaluation_time / group.interval


def in_ms(seconds: float) -> str:
    """`0.42 ms`, `31 ms`, `0.12 s`, `2.5 s`."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.2g} ms" if seconds < 0.1 else f"{seconds:.2f} s"


def _fault(group: RunningGroup, missed: float) -> str | None:
    takes = f"takes {_of_interval(group)}"
    if missed:
        return f"{group.name} left out {count_noun(round(missed), 'evaluation')} within five minutes, as it {takes}"
    return f"{group.name} {takes}, its slowest rule {_slowest_rule(group)}" if share(group) > MOST else None


def _of_interval(group: RunningGroup) -> str:
    return f"{in_ms(group.evaluation_time)} of {group.interval:g} s ({share(group) * 100:.2f} %)"


def _slowest_rule(group: RunningGroup) -> str:
    slowest: RunningRule = max(group.rules, key=lambda rule: rule.evaluation_time)
    return f"{slowest.name} with {in_ms(slowest.evaluation_time)}"
