"""The verb `backtest`: what the alerts would have done in the past."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

import routing
import rules
from formats.durations import humanize
from ops import targets
from ops import window as windows
from ops.countdown import countdown
from ops.drawing import timeline
from ops.errors import Misconfigured
from ops.options import (
    PROD,
    EndOption,
    Format,
    FormatOption,
    TargetOption,
    WindowOption,
    console,
    emit,
    progress,
)
from ops.replay import as_text
from ops.replay.as_document import document
from ops.replay.run import Rules, run
from ops.repo import revision
from ops.words import count_noun, no_such_alert
from routing.on_call import with_on_call
from rules import Alert


def backtest(
    alerts: Annotated[list[str] | None, typer.Argument(help="Names of alerts; all if left out.")] = None,
    target: TargetOption = PROD,
    window: WindowOption = "7d",
    end: EndOption = None,
    against: Annotated[
        str | None,
        typer.Option("--against", help="A git revision; its rules are replayed too, and compared."),
    ] = None,
    drawing: Annotated[
        Path | None, typer.Option("--picture", help="Draw a timeline into this file, .png or .svg.")
    ] = None,
    format_: FormatOption = Format.text,
) -> None:
    """Replay the alerts over past days: when they would have fired, for how long, and how many mails were sent.

    Prometheus computes each alert's expression at the interval of its group, and at the same moments if it runs the
    group. `for` and `keep_firing_for` are applied as Prometheus does; mails follow from our routing, with grouping,
    repeats and inhibitions. Where a recording rule has no data, its expression is computed instead.

    The exit code is 0 whatever would have fired, and 2 if the data could not be read.
    """
    if drawing is not None:
        timeline.check(drawing)
    start, until = windows.period(window, end)
    servers = targets.load(target)
    native = servers.native  # of every version: the metrics are those of one Prometheus
    ours = Rules(
        "working tree", rules.alerts(stack=target, native=native), rules.recordings(stack=target, native=native)
    )
    with ExitStack() as stack:
        versions = [ours]
        if against is not None:
            folder = stack.enter_context(revision.folder(against))
            theirs = rules.alerts(folder, stack=target, native=native)
            versions.append(Rules(against, theirs, rules.recordings(folder, stack=target, native=native)))
        names = _names(alerts or [], versions)
        config = with_on_call(routing.load(), servers.settings.on_call).config
        what = f"{count_noun(len(names), 'alert')} over {humanize(until - start)}"
        progress(f"replaying {what} from {servers.prometheus.url} …")
        sender = servers.prometheus.sender()
        said = countdown("queries answered", progress)
        outcome = run(servers.prometheus, versions, names, start, until, config, said, sender)
    if drawing is not None:
        timeline.draw(outcome, drawing)
    if format_ is Format.json:
        emit(document(target, outcome) | {"picture": str(drawing) if drawing is not None else None})
        return
    as_text.show(console(), outcome, pending=bool(alerts))
    if drawing is not None:
        console().print(f"The timeline is in {drawing}.", markup=False)


def _names(wanted: list[str], versions: list[Rules]) -> list[str]:
    """The names to replay: those given, else all but watchdogs, which always fire. Raises Misconfigured."""
    known: dict[str, Alert] = {name: alert for version in reversed(versions) for name, alert in version.alerts.items()}
    for name in wanted:
        if name not in known:
            raise Misconfigured(no_such_alert(name, known, rules.other_alerts()))
    if wanted:
        return list(dict.fromkeys(wanted))
    return [name for name, alert in known.items() if not alert.is_watchdog]
