"""Diagnosis of alerts that may never fire: how near each came to its limit, and what makes it impossible."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial

import rules
from formats.durations import humanize
from metrics import Contract
from ops import window as windows
from ops.checks import Check, failed, passed, skipped
from ops.checks.metric_presence import live_contract
from ops.countdown import Counted, untold
from ops.diagnosis import live_metrics, same_metrics
from ops.diagnosis.chain import Diagnosis, deploy_command, verb_command
from ops.errors import BadAnswer
from ops.replay import coverage, fetch, recorded
from ops.replay.fetch import Answer, Question
from ops.replay.notes import GAP
from ops.replay.signals import crosses, observed
from ops.targets import Target
from ops.tuning import margins
from ops.window import DAY
from ops.words import brief
from rules import Alert, Recording

SHORTEST, LONGEST = 600.0, 90 * DAY  # a window, in seconds
FINENESS, COARSEST = 10, 300.0  # steps in `for`; seconds between two
TREE = "coverage"
_NO_SAMPLE = "Prometheus keeps no sample of"


@dataclass(frozen=True)
class Nearness:
    """How near an alert's signal came to its limit in the window; its quantity, where the guards were never true.

    `share`: the worst value's part of the limit, 1 at the limit (of a limit of 0 there is none), at `at` (seconds since
    the epoch). `longest`: seconds of the longest stretch over the limit without a break, `of_for` as a share of `for`.
    `with_value`: for which share of the time the signal had a value. `held_back`: seconds of the longest stretch over
    the limit in which a guard was not true. `impossible`: why it cannot fire; "" where nothing hinders it.
    """

    alert: str
    value: float | None
    at: float | None
    share: float | None
    longest: float
    of_for: float | None
    fires: bool
    with_value: float
    held_back: float
    impossible: str


@dataclass(frozen=True)
class Coverage:
    """Of all alerts, from `start` to `end` (seconds since the epoch), of which Prometheus keeps `kept` seconds."""

    start: float
    end: float
    kept: float
    alerts: Sequence[Nearness]
    diagnosis: Diagnosis

    def as_json(self) -> dict[str, object]:
        """The result for programs."""
        return self.diagnosis.as_json() | {
            "from": windows.iso(self.start),
            "to": windows.iso(self.end),
            "kept_seconds": self.kept,
            "alerts": [
                asdict(one) | {"at": windows.iso(one.at) if one.at is not None else None} for one in self.alerts
            ],
        }


def measure(target: Target, between: tuple[float, float], told: Counted = untold) -> Coverage:
    """Ask about every alert but watchdogs, between two moments (seconds since the epoch).

    `told` is called with (requests done, all). Raises BadAnswer where Prometheus keeps nothing of that time, what the
    client raises, and errors of the data packages.
    """
    start, end = between
    known = rules.alerts(stack=target.name, native=target.native)
    alerts = {name: one for name, one in known.items() if not one.is_watchdog}
    contract, prometheus = target.contract, target.prometheus
    recordings = _running(target)
    read = {name: recorded.read_through(one.signal, recordings) for name, one in alerts.items()}
    names = set[str]().union(*read.values())
    asked = coverage.question(names, round(start * 1000), round(end * 1000))
    seen = coverage.coverage(names, asked, fetch.ask(prometheus, [asked])[asked])
    kept = coverage.overlap(seen.anything, round(start * 1000), round(end * 1000))
    if kept <= 0:
        raise BadAnswer(
            f"Prometheus at {prometheus.url} keeps nothing between {windows.stamp(start)} and {windows.stamp(end)} "
            "UTC; choose another --window or --end"
        )
    began = max(start, seen.anything[0][0] / 1000)
    questions = {name: _questions(one, recordings, seen, began, end) for name, one in alerts.items()}
    answers = fetch.ask(prometheus, [one for pair in questions.values() for one in pair], told)
    last = (seen.anything[-1][1] - coverage.COARSE / 2) / 1000  # the last sample counts then
    live = live_contract(prometheus, contract)
    found = []
    for name, alert in alerts.items():
        signal, bare = questions[name]
        moments = observed(signal.at, seen.anything)
        missing = [one for one in read[name] if one not in recordings and not seen.metrics[one]]
        why = partial(_impossible, target, contract, live, alert, missing, last)
        found.append(_nearness(alert, moments, answers[signal], answers[bare], why))
    checks = [
        _kept(kept, start, end),
        *(_check(alerts[one.alert], one) for one in found),
        *same_metrics.checks(target, alerts.values()),
        _unread(contract, alerts.values()),
    ]
    broken = next((check.name for check in checks if check.status == "fail"), None)
    reason = next((one.impossible for one in found if one.alert == broken), "")
    next_ = _next(target, broken, alerts, reason)
    diagnosis = Diagnosis(target.name, TREE, tuple(checks), broken, next_, incomplete=False)
    return Coverage(began, end, kept, found, diagnosis)


def _running(target: Target) -> dict[str, Recording]:
    """Our recordings that Prometheus evaluates: what they have no sample of was before it did, and can be computed."""
    ours = target.recordings
    runs = {rule.name: rule.query for group in target.prometheus.rules() for rule in group.rules if rule.recording}
    return {
        name: one
        for name, one in ours.items()
        if name in runs and rules.normalise(runs[name]) == rules.normalise(one.expr)
    }


def _questions(
    alert: Alert, recordings: Mapping[str, Recording], seen: coverage.Coverage, start: float, end: float
) -> tuple[Question, Question]:
    """The signal, and what it measures without its guards; computed where it was not recorded yet."""
    step = round(1000 * max(alert.interval, min(alert.for_ / FINENESS, COARSEST)))
    at = range(round(start * 1000) // step * step + step, round(end * 1000) + 1, step)
    runs = {name: one.expr for name, one in recordings.items()}

    def question(text: str) -> Question:
        asked, coarse, _ = recorded.computed(
            text, step / 1000, recordings, runs, seen, round(start * 1000), round(end * 1000)
        )
        return Question(rules.normalise(asked), at, coarse)

    return question(alert.signal), question(alert.quantity)


def _nearness(
    alert: Alert,
    moments: Sequence[int],
    signal: Answer,
    bare: Answer,
    impossible: Callable[[bool, bool, float], str],
) -> Nearness:
    """`impossible`: why, given whether signal and quantity ever had a value, and how long a guard held it back."""
    known = set(moments)
    numbers, unguarded = _numbers(signal, known), _numbers(bare, known)
    pick = min if alert.limit.fires_below else max
    at, worst = pick(numbers or unguarded, key=lambda one: one[1], default=(None, None))
    longest = max((_longest(_crossing(alert, one, known), moments) for one in signal.series.values()), default=0.0)
    crossed = any(_crossing(alert, points, known) for points in signal.series.values())
    with_value = {moment for moment, _ in numbers}
    held = {moment for points in bare.series.values() for moment in _crossing(alert, points, known)} - with_value
    held_back = _longest(sorted(held), moments)
    fires = crossed and longest >= alert.for_
    return Nearness(
        alert=alert.name,
        value=worst,
        at=None if at is None else at / 1000,
        share=_share(alert, worst),
        longest=longest,
        of_for=longest / alert.for_ if alert.for_ else None,
        fires=fires,
        with_value=len(with_value) / len(moments) if moments else 0.0,
        held_back=held_back,
        impossible="" if fires else impossible(bool(numbers), bool(unguarded), held_back),
    )


def _numbers(answer: Answer, known: Collection[int]) -> list[tuple[int, float]]:
    """Every finite value, with its moment (ms)."""
    every = (pair for points in answer.series.values() for pair in points.items())
    return [(at, value) for at, value in every if at in known and math.isfinite(value)]


def _crossing(alert: Alert, points: Mapping[int, float], known: Collection[int]) -> list[int]:
    """The moments (ms) at which a series fulfils the comparison with the limit, in order."""
    return sorted(at for at, value in points.items() if at in known and crosses(alert.limit, value))


def _longest(crossing: Sequence[int], moments: Sequence[int]) -> float:
    """Seconds from the first to the last moment of the longest stretch of `crossing` (ms) without a moment between."""
    place = {at: index for index, at in enumerate(moments)}
    longest = first = 0
    for before, at in zip([None, *crossing], crossing, strict=False):
        if before is None or place[at] != place[before] + 1:
            first = at
        longest = max(longest, at - first)
    return longest / 1000


def _share(alert: Alert, value: float | None) -> float | None:
    limit = alert.limit.value
    if value is None or limit <= 0 or (alert.limit.fires_below and value <= 0):
        return None
    return limit / value if alert.limit.fires_below else value / limit


def _impossible(
    target: Target,
    contract: Contract,
    live: Contract,
    alert: Alert,
    missing: Sequence[str],
    last: float,
    signal: bool,
    quantity: bool,
    held_back: float,
) -> str:
    """Why the alert, which did not fire, cannot; "" where nothing hinders it.

    `last`: a moment near the end of the data, in seconds since the epoch.
    """
    for problem in (*live.limit_problems([alert]), *contract.limit_problems([alert])):
        return problem.partition(" can never fire: ")[2]
    top = margins.margin(alert).below
    if top is not None and not alert.limit.fires_below and alert.limit.value >= top:
        return f"its signal stays below {top:g}, and its limit is {alert.limit.text}; lower the limit"
    if signal:
        return ""
    if missing:
        name = min(missing)
        if ":" not in name:
            return f"{_NO_SAMPLE} {name}, which it reads: {live_metrics.missing(target, contract, name)}"
        if not any(rule.name == name for group in target.prometheus.rules() for rule in group.rules):
            return f"{_NO_SAMPLE} {name}, which it reads, and runs no rule that records it"
        return ""  # it was not recorded then, and is now
    if held_back and held_back >= alert.for_:
        return (
            f"what it measures was over the limit for {humanize(held_back)} on end, longer than its `for`, and its "
            "guards (`and on ()`) were never true; lower what they ask for"
        )
    return "" if quantity else live_metrics.emptying_matchers(target.prometheus, alert.quantity, last) or ""


def _check(alert: Alert, one: Nearness) -> Check:
    if one.impossible:
        return failed(alert.name, f"cannot fire: {one.impossible}")
    if one.value is None:
        return skipped(
            alert.name,
            "had no value: nothing was counted, or what it reads was not recorded yet",
        )
    near = f" ({one.share:.0%} of it)" if one.share is not None else ""
    said = f"came to {one.value:.4g}, limit {alert.limit.text}{near}, on {windows.stamp(one.at or 0.0)} UTC"
    if not one.with_value:
        said += ", without its guards, which were never true"
    if one.longest or one.fires:
        of_for = f", {one.of_for:.0%} of its `for`" if one.of_for is not None else ""
        said += f"; longest over it {humanize(one.longest)}{of_for}"
    if one.held_back:
        said += f"; up to {humanize(one.held_back)} over it while a guard held it back"
    return passed(alert.name, said)


def _kept(kept: float, start: float, end: float) -> Check:
    asked = end - start
    if asked - kept <= GAP:
        return passed("history", f"{humanize(asked)}, all of it")
    return skipped("history", f"Prometheus keeps {humanize(kept)} of {humanize(asked)}: all below is of that time")


def _unread(contract: Contract, alerts: Iterable[Alert]) -> Check:
    read = same_metrics.read_by(alerts)
    idle = [name for name in contract.metrics if same_metrics.family(name) not in read]
    if idle:
        return skipped("metrics", f"no alert reads {brief(idle, 6)} of metrics/contract.yml")
    return passed("metrics", "an alert reads each metric of metrics/contract.yml")


def _next(target: Target, broken: str | None, alerts: Mapping[str, Alert], impossible: str) -> str | None:
    if broken is None:
        return None
    if impossible.startswith(_NO_SAMPLE):
        return verb_command(target, f"diagnose alerts {broken}")
    if broken in alerts:
        return f"correct it in rules/{alerts[broken].file.name}:{alerts[broken].line}, then {deploy_command(target)}"
    return verb_command(target, "diagnose volume")  # how many mails each of them sends
