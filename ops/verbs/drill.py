"""The verb `drill`: lets something go wrong on real servers, and says whether the alerts fire as they should."""

import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from formats.durations import humanize
from formats.yaml_nodes import similar
from ops.errors import Misconfigured
from ops.faults import drill_words, live_drill, scenario_files
from ops.faults.scenario_files import Scenario
from ops.options import Format, FormatOption, console, emit, progress

_SLOWEST, _FASTEST = 1.0, 120.0  # the clock; at more, scrapes would be less than an eighth of a second apart


def drill(
    scenario: Annotated[str | None, typer.Argument(help="What goes wrong; left out, the scenarios are listed.")] = None,
    speed: Annotated[
        float,
        typer.Option("--speed", help="How many times as fast the clock runs; lower it on a machine with much to do."),
    ] = live_drill.SPEED,
    format_: FormatOption = Format.text,
) -> None:
    """Let something go wrong on a real Prometheus and Alertmanager, by a clock that runs faster.

    Says which alerts fired, how soon, by which receiver mail came, and what was inhibited. All intervals, windows,
    `for` and the times of Alertmanager are shortened by one factor; the times that are said are those of that clock, as
    they would be in production. All runs on loopback, and nothing is left behind.

    The exit code is 1 where an alert did not fire as the scenario says, or one fired that should not.
    """
    known = scenario_files.load()
    if scenario is None:
        if format_ is Format.json:
            emit({name: {"what": one.what, "lasts_seconds": one.lasts} for name, one in known.items()})
        else:
            for line in drill_words.listing(list(known.values())):
                console().print(line, markup=False)
        return
    wanted = _chosen(scenario, known)
    if not _SLOWEST <= speed <= _FASTEST:
        raise Misconfigured(f"--speed is {speed:g}; give a number from {_SLOWEST:g} to {_FASTEST:g}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # raises SystemExit, so that what was started is stopped
    say = progress if format_ is Format.text else lambda _: None
    with TemporaryDirectory(prefix="drill-") as home:
        done = live_drill.run(wanted, Path(home), speed, say)
    if format_ is Format.json:
        emit(drill_words.as_document(done))
    else:
        out = console()
        out.print(
            f"{wanted.name}: {wanted.what}, for {humanize(wanted.lasts)} at {speed:g} times the speed", markup=False
        )
        for line in drill_words.as_lines(done):
            out.print(line, markup=False)
    raise typer.Exit(1 if done.wrong else 0)


def _chosen(name: str, known: dict[str, Scenario]) -> Scenario:
    if name in known:
        return known[name]
    near = similar(name, known)
    hint = f"did you mean {near}?" if near else f"there are {', '.join(known)}"
    raise Misconfigured(f"there is no scenario {name!r} in ops/faults/scenarios/; {hint}")
