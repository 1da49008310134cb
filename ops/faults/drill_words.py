"""What a drill found, as lines for people and as a document for programs."""

from collections.abc import Iterator, Sequence

from formats.durations import humanize
from formats.json_types import JsonObject
from ops.faults.live_drill import Drill
from ops.faults.scenario_files import Scenario
from ops.words import count_noun, listed

_TITLES = ("alert", "fired after", "should within", "mail after", "told")


def as_lines(drill: Drill) -> Iterator[str]:
    """What happened, alert by alert, then what is wrong. Times are those of the clock of the drill."""
    rows = [_TITLES, *rows_of(drill)]
    if len(rows) > 1:
        widths = [max(len(row[column]) for row in rows) for column in range(len(_TITLES))]
        for row in rows:
            yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    else:
        yield "  No alert fired."
    if drill.wrong:
        yield f"{count_noun(len(drill.wrong), 'thing')} not as {drill.scenario.name} says:"
        yield from (f"  {one}" for one in drill.wrong)
    else:
        yield "All of it is as it should be."


def rows_of(drill: Drill) -> Sequence[tuple[str, ...]]:
    """A row for each alert that fired or should have: its name, after how long, within how long, mail, receivers."""
    happened, scenario = drill.happened, drill.scenario
    names = dict.fromkeys((*happened.fired, *scenario.fires))
    return [
        (
            name,
            humanize(happened.fired[name]) if name in happened.fired else "did not",
            _should(scenario, name),
            humanize(happened.mailed[name]) if name in happened.mailed else "–",
            _told(drill, name),
        )
        for name in names
    ]


def _should(scenario: Scenario, name: str) -> str:
    if name in scenario.fires:
        return humanize(scenario.fires[name])
    return "may" if name in scenario.may_fire else "never"


def _told(drill: Drill, name: str) -> str:
    if receivers := drill.happened.receivers.get(name):
        return listed(receivers)
    if muted := drill.muted.get(name):
        return f"nobody, inhibited by {listed(muted)}"
    return "nobody"


def as_document(drill: Drill) -> JsonObject:
    """All of it, times in seconds of the clock of the drill."""
    happened, scenario = drill.happened, drill.scenario
    return {
        "scenario": scenario.name,
        "what": scenario.what,
        "lasts_seconds": scenario.lasts,
        "speed": drill.speed,
        "alerts": [
            {
                "alert": name,
                "fired_after_seconds": round(happened.fired[name], 1) if name in happened.fired else None,
                "within_seconds": scenario.fires.get(name),
                "mail_after_seconds": round(happened.mailed[name], 1) if name in happened.mailed else None,
                "receivers": list(happened.receivers.get(name, ())),
                "inhibited_by": list(drill.muted.get(name, ())),
            }
            for name in dict.fromkeys((*happened.fired, *scenario.fires))
        ],
        "wrong": list(drill.wrong),
    }


def listing(scenarios: Sequence[Scenario]) -> Iterator[str]:
    """A line for each scenario: its name, how long it lasts, and what goes wrong."""
    width = max(len(one.name) for one in scenarios)
    lengths = [humanize(one.lasts) for one in scenarios]
    longest = max(map(len, lengths))
    for one, length in zip(scenarios, lengths, strict=True):
        nobody = "; wakes nobody" if one.wakes_nobody else ""
        yield f"  {one.name.ljust(width)}  {length.ljust(longest)}  {one.what}{nobody}"
