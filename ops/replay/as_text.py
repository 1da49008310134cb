"""A backtest for people: a table of the alerts, then each time that one fired."""

import textwrap
from collections.abc import Iterable, Mapping

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from formats.durations import humanize
from ops import window
from ops.replay.run import Outcome, Version
from ops.replay.signals import Episode, Replay
from ops.words import count_noun, times

MOST, FEW = 12, 4  # intervals shown per alert, and in a comparison; the rest is counted
NARROW, LISTED = 150, 104  # columns: below, the table has fewer columns; below, it is a list
COLOURS = {"critical": "red", "warning": "yellow"}
_OWN = ("alertname",)
_COMPARED = ("Limit", "For", "Fired", "Firing", "Longest", "Mails")  # of two versions


def show(console: Console, outcome: Outcome, *, pending: bool = False) -> None:
    """Print a table of the alerts, then when each one fired; with `pending`, also when it was only pending."""
    ours, *other = outcome.versions
    against = other[0] if other else None
    asked = f"{window.stamp(outcome.start)} to {window.stamp(outcome.end)} UTC"
    console.print(f"{asked} ({humanize(outcome.end - outcome.start)})", markup=False)
    for note in outcome.notes:
        _say(console, f"• {note}", "  ", "dim")
    console.print()
    names = list(dict.fromkeys([*ours.replays, *(against.replays if against else ())]))
    if against is None:
        table = _table(ours, names, narrow=console.width < NARROW)
        if _fits(console, table):
            console.print(table)
            _say(console, _sum(ours))
        else:
            _list(console, ours, names)
        for name in names:
            _intervals(console, ours.replays[name], pending)
    else:
        _compare(console, ours, against, names, pending)


def _table(version: Version, names: Iterable[str], *, narrow: bool) -> Table:
    table = _frame(("Limit", "For", "Fired", "Firing", "Longest", "Only pending", "Mails"), narrow)
    if not narrow:  # the list below has the times
        table.add_column("First")
        table.add_column("Last")
    for name in names:
        replay = version.replays[name]
        firing = replay.firing
        style = COLOURS.get(str(replay.alert.labels.get("severity")), "") if firing else "dim"
        table.add_row(
            Text(name, style=style),
            replay.limit.text,
            _span(replay.alert.for_),
            _count(replay.times_fired),
            _span(replay.seconds_firing),
            _span(replay.longest),
            _count(replay.near_misses),
            str(version.sent(name)) if firing else _count(version.sent(name)),
            *([] if narrow else [window.stamp(one.start) for one in firing[:1] + firing[-1:]]),
            style="" if firing else "dim",
        )
    return table


def _sum(version: Version) -> str:
    """All messages, counted."""
    mails = sum(message.kind == "email" for message in version.messages)
    others = len(version.messages) - mails
    found = f"{count_noun(mails, 'mail')} in all" + (f", {count_noun(others, 'other message')}" if others else "")
    if any(replay.firing and not version.sent(name) for name, replay in version.replays.items()):
        found += "; an alert that fired without a mail was inhibited, or its receiver sends no mail"
    return found


def _list(console: Console, version: Version, names: Iterable[str]) -> None:
    """The table's facts below each name, where there is no room for columns; first what has fired."""
    quiet = []
    for name in names:
        replay = version.replays[name]
        if not replay.firing and not replay.near_misses:
            quiet.append(name)
            continue
        style = COLOURS.get(str(replay.alert.labels.get("severity")), "") if replay.firing else "dim"
        console.print(Text(name, style=style), soft_wrap=True)
        waits = f" for {humanize(replay.alert.for_)}" if replay.alert.for_ else ""
        _say(console, f"  limit {replay.limit.text}{waits}", "    ")
        if replay.firing:
            often = f"fired {times(replay.times_fired)}, {humanize(replay.seconds_firing)} in all"
            _say(console, f"  {often}, longest {humanize(replay.longest)}", "    ")
            _say(console, f"  {count_noun(version.sent(name), 'mail')}")
        if replay.near_misses:
            _say(console, f"  only pending {times(replay.near_misses)}")
    if quiet:
        console.print(f"{count_noun(len(quiet), 'alert')} did not fire:", style="dim", markup=False)
        for name in quiet:
            _say(console, f"  {name}", style="dim")
    _say(console, _sum(version))


def _fits(console: Console, table: Table) -> bool:
    """Whether there is room for a table with every word in it whole; else a list is printed."""
    return console.width >= LISTED and _least(console, table) <= console.width


def _least(console: Console, table: Table) -> int:
    """The columns that a table needs with no word cut, whatever the console has."""
    return console.measure(table, options=console.options.update_width(10_000)).minimum


def _say(console: Console, text: str, indent: str = "", style: str = "") -> None:
    """Print a text, folded between words for a terminal or where there is little room; `indent`: of the further lines.

    A word that is longer than a line stays whole: a name or a label that was cut could not be searched or copied.
    """
    lines = [text]
    if console.is_terminal or console.width < LISTED:
        lines = textwrap.wrap(
            text, console.width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
    for line in lines:
        console.print(line, style=style, markup=False, soft_wrap=True)


def _frame(titles: Iterable[str], narrow: bool) -> Table:
    """A table with a row for each alert. On a narrow terminal a cell takes several lines; none is cut."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0 if narrow else 1), header_style="bold")
    table.add_column("Alert", no_wrap=True)  # the other columns give way
    for title in titles:
        table.add_column(title, justify="right")
    return table


def _intervals(console: Console, replay: Replay, pending: bool, most: int = MOST) -> None:
    """`2026-11-20 10:14  firing for 25 min after 5 min pending`, one line each time."""
    lines = list(_lines(replay, pending))
    if not lines:
        return
    console.print(Text(replay.alert.name, style="bold"), soft_wrap=True)
    for line in lines[-most:]:
        _say(console, f"  {line}", "    ")
    if len(lines) > most:
        _say(console, f"  and {len(lines) - most} earlier; --format json has them all", "    ", "dim")


def _lines(replay: Replay, pending: bool) -> Iterable[str]:
    led = {(_key(episode), episode.end): episode for episode in replay.pending}
    for episode in sorted([*replay.firing, *replay.pending], key=lambda one: one.start):
        labels = _labels(episode.labels, replay)
        if episode.state == "firing":
            before = led.get((_key(episode), episode.start))
            wait = f" after {humanize(before.seconds)} pending" if before is not None else ""
            end = ", still" if episode.open else ""
            yield f"{window.stamp(episode.start)}  firing for {humanize(episode.seconds)}{wait}{end}{labels}"
        elif episode.open:
            yield f"{window.stamp(episode.start)}  pending for {humanize(episode.seconds)}, still{labels}"
        elif pending and (_key(episode), episode.end) not in {(_key(one), one.start) for one in replay.firing}:
            yield f"{window.stamp(episode.start)}  only pending, for {humanize(episode.seconds)}{labels}"


def _compare(console: Console, ours: Version, against: Version, names: Iterable[str], pending: bool) -> None:
    """Only the alerts that differ have a row; each cell is `before → after`, or one value where both agree."""
    table = _frame(_COMPARED, console.width < NARROW)
    same: list[str] = []
    changed: list[str] = []
    for name in names:
        before, after = _cells(against, name), _cells(ours, name)
        if before == after and against.replays[name].episodes == ours.replays[name].episodes:
            same.append(name)
            continue
        changed.append(name)
        pairs = zip(before, after, strict=True)
        table.add_row(name, *(old if old == new else f"{old or 'none'} → {new or 'none'}" for old, new in pairs))
    if changed:
        console.print(f"{against.name} → {ours.name}:", markup=False)
        if _fits(console, table):
            console.print(table)
        else:
            _differences(console, ours, against, changed)
        for version in (against, ours):
            for name in changed:
                if name in version.replays and any(True for _ in _lines(version.replays[name], pending)):
                    console.print(f"{version.name}: ", end="", style="dim", markup=False)
                    _intervals(console, version.replays[name], pending, FEW)
    if same:
        whom = count_noun(len(same), "alert") if changed else "All alerts"
        does = "does" if changed and len(same) == 1 else "do"
        _say(console, f"{whom} {does} the same in {against.name} and in the {ours.name}.")


def _differences(console: Console, ours: Version, against: Version, names: Iterable[str]) -> None:
    """What differs, a line each below the alert's name, where there is no room for columns."""
    for name in names:
        console.print(Text(name, style="bold"), soft_wrap=True)
        for title, old, new in zip(_COMPARED, _cells(against, name), _cells(ours, name), strict=True):
            if old != new:
                _say(console, f"  {title.lower()}: {old or 'none'} → {new or 'none'}", "    ")


def _cells(version: Version, name: str) -> list[str]:
    replay = version.replays.get(name)
    if replay is None:
        return [""] * 6
    return [
        replay.limit.text,
        _span(replay.alert.for_) or "0 s",
        str(replay.times_fired),
        _span(replay.seconds_firing) or "0 s",
        _span(replay.longest) or "0 s",
        str(version.sent(name)),
    ]


def _labels(labels: Mapping[str, str], replay: Replay) -> str:
    """The labels that the rule does not set itself."""
    own = {name: value for name, value in labels.items() if name not in replay.alert.labels and name not in _OWN}
    return f"  {', '.join(f'{name}={value}' for name, value in own.items())}" if own else ""


def _key(episode: Episode) -> frozenset[tuple[str, str]]:
    return frozenset(episode.labels.items())


def _span(seconds: float) -> str:
    return humanize(seconds) if seconds else ""


def _count(number: int) -> str:
    return str(number) if number else ""
