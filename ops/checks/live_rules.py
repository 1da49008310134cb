"""Does Prometheus run the rules of this repository, and exactly them?"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from components.live.running.compare import differing_parts
from ops.checks import Check, failed, passed, skipped
from ops.clients.prometheus import Prometheus, RunningGroup, RunningRule
from ops.errors import Refused
from ops.targets import Target
from ops.words import agree, brief, count_noun
from rules import Alert, Group, Recording, Rule, RuleFile

_LIMIT = re.compile(r"(==|!=|[<>]=?) *[-+.\w]+$")
DEPLOY = "deploy with `pulumi up`"


def running(target: Target, files: Sequence[RuleFile]) -> list[Check]:
    """One check for each rule group of the repository."""
    live = target.prometheus.rules()
    reloaded = reload(target.prometheus)
    groups = [(file, group) for file in files for group in file.groups if group.rules]  # one without is not listed
    return [reloaded, *(_group(target.prometheus, file, group, live) for file, group in groups)]


def reload(prometheus: Prometheus) -> Check:
    """The last reload of Prometheus succeeded."""
    name = "rules/reload"
    if prometheus.of_tenant:
        return skipped(name, "the ruler of Mimir or Cortex reads its store by itself")
    if prometheus.metric("prometheus_config_last_reload_successful") == 0:
        return failed(
            name,
            f"Prometheus at {prometheus.url} could not read its configuration last time and still runs the old one; "
            f"its next restart will fail: read its log for `Error reloading config`, mend the file, and {DEPLOY}",
        )
    return passed(name, "Prometheus' last reload went well")


def _group(prometheus: Prometheus, file: RuleFile, group: Group, live: Sequence[RunningGroup]) -> Check:
    name = f"rules/{group.name}"
    if trouble := group_problem(prometheus, file, group, live):
        return failed(name, trouble)
    sick = [ailing for rule in matching_groups(group, live)[0].rules if (ailing := rule_error(prometheus, rule))]
    if sick:
        return failed(name, f"{brief(sick, 2)}; look at {prometheus.url}/rules")
    counts = Counter("recording" if isinstance(rule, Recording) else "alert" for rule in group.rules)
    kinds = " and ".join(count_noun(count, kind) for kind, count in counts.items())
    healthy = agree(len(group.rules), "healthy", "all healthy")
    return passed(name, f"{kinds} as in rules/{file.name}, {healthy}")


def group_problem(prometheus: Prometheus, file: RuleFile, group: Group, live: Sequence[RunningGroup]) -> str | None:
    """How what runs is not this group of the repository, and what to do; None when it is."""
    found = matching_groups(group, live)
    if not group.rules:
        return None
    if not found:
        return f"Prometheus at {prometheus.url} runs no group {group.name} (rules/{file.name}); {DEPLOY}"
    if len(found) > 1:
        files = " and ".join(candidate.file for candidate in found)
        return f"group {group.name} runs twice, from {files}: every mail would come twice; remove one of them"
    differences = differing(group, found[0])
    return f"{brief(differences, 2)}; {DEPLOY}" if differences else None


def matching_groups(group: Group, live: Sequence[RunningGroup]) -> list[RunningGroup]:
    """The running groups that are this one: one, if all is well."""
    return [candidate for candidate in live if candidate.name == group.name and _is_ours(candidate, group)]


def _is_ours(candidate: RunningGroup, group: Group) -> bool:
    """Another team's group of the same name shares no rule with ours, and its file has another name."""
    names = {rule.name for rule in group.rules}
    return bool(names & {rule.name for rule in candidate.rules}) or not candidate.rules


def differing(group: Group, live: RunningGroup) -> list[str]:
    """What differs between a group of the repository and the same group as it runs, one phrase for each difference."""
    found: list[str] = []
    if group.interval not in (None, live.interval):
        found.append(f"group {group.name} runs every {live.interval:g} s instead of {group.interval or 0:g} s")
    if group.limit != live.limit:
        found.append(f"group {group.name} runs with `limit: {live.limit}`, here {group.limit}")
    others = list(live.rules)  # several may have one name
    left = [rule for rule in group.rules if not _take(others, rule, exactly=True)]
    unlike = [(rule, _take(others, rule, exactly=False)) for rule in left]
    found += [f"{rule.name} is missing" for rule, near in unlike if near is None]
    found += [f"{rule.name} runs but is not in the repository" for rule in others]
    for rule, near in unlike:
        if near is not None:
            found += [_difference(rule, near, part) for part in differing_parts(rule, near)]
    return found


def _take(running: list[RunningRule], rule: Rule, *, exactly: bool) -> RunningRule | None:
    """Take one of `running` with the name of `rule` out of the list; `exactly`: one that runs as it is written."""
    for candidate in running:
        if candidate.name == rule.name and not (exactly and differing_parts(rule, candidate)):
            running.remove(candidate)
            return candidate
    return None


def _difference(ours: Rule, live: RunningRule, part: str) -> str:
    """How a part of a rule runs, and how it is written."""
    match part:
        case "expression":
            here = ours.limit.text if isinstance(ours, Alert) else _last_line(ours.expr)
            there = _last_line(live.query)
            if here == there:
                return f"{ours.name} runs with another expression before its last line ({here})"
            return f"{ours.name}: runs `{there}`, here `{here}`"
        case "labels" | "annotations":
            written: Mapping[str, str] = getattr(ours, part, {})
            runs: Mapping[str, str] = getattr(live, part)
            key = next(key for key in sorted({*written, *runs}) if written.get(key) != runs.get(key))
            there, here = runs.get(key, "(none)"), written.get(key, "(none)")
            return f"{ours.name}: its {part.removesuffix('s')} {key} runs as {there!r}, here {here!r}"
        case "for":
            runs_for, here_for = live.duration, getattr(ours, "for_", 0.0)
        case _:
            runs_for, here_for = live.keep_firing_for, getattr(ours, "keep_firing_for", 0.0)
    return f"{ours.name}: runs with `{part}: {runs_for:g}s`, here {here_for:g}s"


def _last_line(query: str) -> str:
    """The limit of an expression; where it has none at its end, its last characters."""
    limit = _LIMIT.search(query.strip())
    return limit[0] if limit else query.strip().splitlines()[-1].strip()[-60:]


def rule_error(prometheus: Prometheus, rule: RunningRule) -> str | None:
    """What ails a rule that Prometheus evaluates, or will; None when it is well."""
    if rule.health == "err":
        return f"{rule.name} fails ({rule.last_error})"
    if rule.health == "unknown":  # not evaluated yet: try it now
        try:
            prometheus.query(rule.query)
        except Refused as no:
            return f"{rule.name} would fail ({no.words})"
    return None
