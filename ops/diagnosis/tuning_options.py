"""Other values for the settings of an alert, with the number of mails that it would have sent."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import rules
from formats.durations import humanize
from formats.json_types import JsonValue
from ops.checks import live_routing
from ops.diagnosis.chain import verb_command
from ops.errors import OpsError
from ops.replay import mails
from ops.replay.alert_history import alert_name
from ops.replay.mails import Firing
from ops.replay.signals import Replay
from ops.targets import Target
from ops.tuning.margins import margin
from ops.tuning.tuning import tuning
from ops.window import HOUR, MINUTE, Window
from routing import tree
from rules import Alert


@dataclass(frozen=True)
class TuningOption:
    """Another value of a setting, and the number of mails with it. `next`: how to change it."""

    setting: str
    old: str
    new: str
    mails: int
    next: str


def tuning_options(
    target: Target, config: tree.Config, firings: Sequence[Firing], alert: Alert, over: Window
) -> Iterator[TuningOption]:
    """Every option for fewer mails of an alert: in its rule, in its routes, and its limit."""
    yield from variants(target, config, firings, alert, over)
    yield from _limit(target, config, firings, alert, over)


def variants(
    target: Target, config: tree.Config, firings: Sequence[Firing], alert: Alert, over: Window
) -> Iterator[TuningOption]:
    """The options in rule and routes, each with about twice the duration."""

    def sent(config: tree.Config, firings: Sequence[Firing]) -> int:
        return sum(alert.name in mail.alerts for mail in mails.send(config, firings, over.end))

    place = f"rules/{alert.file.name}:{alert.line}"
    longer = max(2 * alert.for_, alert.for_ + 5 * MINUTE)
    new, keep = humanize(longer), max(2 * alert.keep_firing_for, 10 * MINUTE)
    retry = f"then bin/ops backtest {alert.name} --target {target.name} --against HEAD"
    delayed = with_longer_for(firings, alert.name, longer - alert.for_)
    yield TuningOption(
        "for", humanize(alert.for_), new, sent(config, delayed), f"set `for` to {new} in {place}, {retry}"
    )
    new = humanize(keep)
    kept = with_longer_keep_firing(firings, alert.name, keep - alert.keep_firing_for)
    yield TuningOption(
        "keep_firing_for", humanize(alert.keep_firing_for), new, sent(config, kept),
        f"set `keep_firing_for` to {new} in {place}, {retry}",
    )  # fmt: skip
    arrived = live_routing.labels_there(target, [alert])
    for match in live_routing.matches(config, arrived[alert.name]):
        for setting, old, value in (
            ("group_wait", match.group_wait, max(5 * MINUTE, 2 * match.group_wait)),
            ("group_interval", match.group_interval, max(15 * MINUTE, 2 * match.group_interval)),
            ("repeat_interval", match.repeat_interval, max(12 * HOUR, 2 * match.repeat_interval)),
        ):
            changed = _with(config, match.position, setting, value)
            where = f"the route to {match.receiver} in routing/alertmanager.yml"
            yield TuningOption(
                setting, humanize(old), humanize(value), sent(changed, firings),
                f"set `{setting}` to {humanize(value)} in {where}, then pulumi preview",
            )  # fmt: skip


def with_longer_for(firings: Sequence[Firing], name: str, seconds: float) -> list[Firing]:
    """The firings with that alert's `for` so much longer: each begins later, and short ones not at all."""
    found = []
    for one in firings:
        if alert_name(one) != name:
            found.append(one)
        elif one.end is None or one.start + seconds < one.end:
            found.append(Firing(one.labels, one.start + seconds, one.end))
    return found


def with_longer_keep_firing(firings: Sequence[Firing], name: str, seconds: float) -> list[Firing]:
    """The firings with that alert's `keep_firing_for` so much longer: each ends later, and short gaps are closed."""
    found = [one for one in firings if alert_name(one) != name]
    last: dict[object, Firing] = {}
    for one in sorted((one for one in firings if alert_name(one) == name), key=lambda one: one.start):
        before = last.get(one.labels)
        end = None if one.end is None else one.end + seconds
        if before is not None and (before.end is None or one.start <= before.end):
            last[one.labels] = Firing(one.labels, before.start, end)
            continue
        if before is not None:
            found.append(before)
        last[one.labels] = Firing(one.labels, one.start, end)
    return [*found, *last.values()]


def _limit(
    target: Target, config: tree.Config, firings: Sequence[Firing], alert: Alert, over: Window
) -> Iterator[TuningOption]:
    """The option of the limit that `tune` proposes, where it proposes one."""
    if margin(alert).keep is not None:
        return
    try:
        native = target.native
        alerts = rules.alerts(stack=target.name, native=native)
        recordings = rules.recordings(stack=target.name, native=native)
        found = tuning(target.prometheus, alert, over, None, alerts, target.contract, recordings)
    except OpsError:  # too little data, or no usable limit: `tune` says which
        return
    if found.proposal.changes:
        others = [one for one in firings if alert_name(one) != alert.name]
        sent = mails.send(config, [*others, *_replayed(found.after)], over.end)
        yield TuningOption(
            "limit",
            alert.limit.text,
            found.proposal.limit.text,
            sum(alert.name in mail.alerts for mail in sent),
            verb_command(target, f'tune {alert.name} --because "too many mails"'),
        )


def _replayed(replay: Replay) -> Iterator[Firing]:
    for episode in replay.firing:
        yield Firing(tuple(sorted(episode.labels.items())), episode.start, None if episode.open else episode.end)


def _with(config: tree.Config, position: Sequence[int], key: str, seconds: float) -> Mapping[str, JsonValue]:
    """The configuration with one setting of one route changed."""
    changed = copy.deepcopy(dict(config))
    route = changed["route"]
    for index in position:
        route = route["routes"][index]
    route[key] = f"{seconds:.0f}s"
    return changed
