"""The page docs/drills.md: what each drill did, and what fired in quiet weeks."""

from collections.abc import Iterator, Sequence

from formats.durations import humanize
from ops.faults.drill_words import rows_of
from ops.faults.live_drill import Drill
from ops.faults.quiet_weeks import DAYS, Weeks
from ops.replay.run import Outcome
from ops.words import count_noun, times

TITLE = "# Drills"
_HEAD = f"""{TITLE}

Written by `make drills`; edits are lost. What goes wrong, and what must fire for it, stands in
[ops/faults/scenarios](../ops/faults/scenarios); `bin/ops drill NAME` runs one of them.

## What a drill is

A real Prometheus scrapes three instances of the sandbox's application, evaluates the rules of this checkout, and sends
to a real Alertmanager with our routing, whose mails arrive in a mail sink. Then something goes wrong. All of it goes by
a clock that runs faster than the real one: the intervals of scrapes and rules, windows, offsets, `for`,
`keep_firing_for`, the times of Alertmanager and the time of day are shortened by one factor, and `rate` counts in
seconds of that clock. Times below are those of the clock, so what production would show. They are exact to about a
minute, as a second that this machine loses is a minute there.

`make test` replays the same scenarios over a written past, to the second, and two stretches of four quiet weeks:
[tests/faults](../tests/faults).
"""


def page(drills: Sequence[Drill], quiet: Sequence[tuple[Weeks, Outcome]], conditions: str) -> str:
    """The page, as Markdown. `conditions`: on what it was measured, a sentence without a full stop."""
    return "\n".join([_HEAD, *_scenarios(drills, conditions), "", *_quiet(quiet), ""])


def _scenarios(drills: Sequence[Drill], conditions: str) -> Iterator[str]:
    alerts = {name for drill in drills for name in drill.scenario.fires}
    found = {name for drill in drills for name in drill.scenario.fires if name in drill.happened.fired}
    as_wanted = sum(not drill.wrong for drill in drills)
    yield "## Scenarios"
    yield ""
    yield (
        f"{len(found)} of {count_noun(len(alerts), 'alert')} fired where they must; {as_wanted} of "
        f"{count_noun(len(drills), 'scenario')} went as they should. {conditions}."
    )
    yield ""
    yield "| scenario | what goes wrong | alert | must fire within | fired after | mail after | told |"
    yield "|---|---|---|---|---|---|---|"
    for drill in drills:
        scenario = drill.scenario
        first = f"`{scenario.name}`", f"{scenario.what}, for {humanize(scenario.lasts)}"
        rows = rows_of(drill) or [("none", "–", "–", "–", "nobody")]
        for name, fired, should, mailed, told in rows:
            yield f"| {' | '.join((*first, name, should, fired, mailed, told))} |"
            first = "", ""
        for wrong in drill.wrong:
            yield f"| | | **not as it should be: {wrong}** | | | | |"


def _quiet(quiet: Sequence[tuple[Weeks, Outcome]]) -> Iterator[str]:
    yield "## Quiet weeks"
    yield ""
    yield (
        f"{DAYS} days of traffic without a fault: nights of 0.01 requests a second, weekends, a holiday, the change of "
        "the clocks, three deployments a week, single errors, and one of a thousand events twenty times as slow."
    )
    yield ""
    yield "| from | customers in | false alarm | fired |"
    yield "|---|---|---|---|"
    for weeks, outcome in quiet:
        first = f"{weeks.first}", weeks.zone
        replays = outcome.versions[0].replays
        fired = [(name, one.times_fired) for name, one in replays.items() if one.firing]
        for name, count in fired or [("none", 0)]:
            yield f"| {' | '.join((*first, name, times(count)))} |"
            first = "", ""
