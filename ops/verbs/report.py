"""The verb `report`: writes the state of the monitoring to a page."""

import time
from pathlib import Path
from typing import Annotated

import typer

import dashboards
import rules
from ops import fleet, targets
from ops import window as windows
from ops.countdown import countdown
from ops.errors import Misconfigured
from ops.options import (
    PROD,
    AllStacksOption,
    DryRunOption,
    EndOption,
    Format,
    FormatOption,
    TargetOption,
    WindowOption,
    console,
    emit,
    progress,
)
from ops.replay.history import History
from ops.repo import files
from ops.repo.files import Edit
from ops.reporting import facts, gathering, page, panels
from ops.targets import Target
from ops.window import Window

HTML, MARKDOWN = (".html", ".htm"), (".md", ".markdown")


def report(
    target: TargetOption = PROD,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The file to write; report.html if left out. With a name in .md it is Markdown."),
    ] = None,
    format_: FormatOption = Format.text,
    window: WindowOption = "24h",
    end: EndOption = None,
    by: Annotated[str, typer.Option("--by", help="Who deployed; shown in the report.")] = "",
    note: Annotated[str, typer.Option("--note", help="A note; shown in the report.")] = "",
    previous: Annotated[
        Path | None, typer.Option("--previous", help="An earlier report to compare with; the one at --out if left out.")
    ] = None,
    all_stacks: AllStacksOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Write the state of the monitoring to one page: for the weekly review, or as the record of a deployment.

    The pictures are of the window; the values are those at its end. Which alerts fire is always that of now.

    With --format json the facts go to stdout, and a page is written only if --out is given.
    """
    path = out or Path("report.html")
    wanted = out is not None or format_ is Format.text
    if all_stacks:
        raise typer.Exit(_every_stack(path, window, end, by, note, dry_run=dry_run, as_json=format_ is Format.json))
    if path.suffix.lower() not in (*HTML, *MARKDOWN):
        raise Misconfigured(f"{files.shown(path)} is no page and no Markdown; name a file in .html or .md with --out")
    before = files.read(path) if path.exists() and wanted else None
    compared = _earlier(previous or path, required=previous is not None) if previous or path.exists() else None
    if before is not None and page.earlier(before) is None:
        raise Misconfigured(f"{files.shown(path)} exists and is not a report; name another file with --out")
    if wanted and not dry_run:
        files.must_be_writable(path)
    over = windows.window(window, end, interval=30.0)
    if over.step < over.span / 1440:  # a picture cannot show more points
        over = windows.window(window, end, interval=60.0 * max(1, round(over.span / 1440 / 60)))

    servers = targets.load(target)
    progress(f"checking {target} …")
    moment = (
        float(int(time.time())) if end is None else over.end
    )  # not over.end: a window ends at a full step, up to minutes ago
    found = gathering.gather(servers, over, moment, by=by, note=note)
    if compared is not None:
        found = facts.compared(found, compared)
    if wanted:
        edit = Edit(path, before, _page(servers, found, over, path))
        if not dry_run:
            files.write([edit])
    if format_ is Format.json:
        emit(found.as_json() | {"written": files.shown(path) if wanted and not dry_run else None})
        return
    state = "Nothing was written; it would be" if dry_run else "Written:"
    console().print(f"{found.verdict}. {state} {files.shown(path)}", markup=False)


def _every_stack(path: Path, window: str, end: str | None, by: str, note: str, *, dry_run: bool, as_json: bool) -> int:
    """A report for each stack, at `path` with the stack's name; returns the worst exit code."""

    def arguments(stack: str) -> list[str]:
        words = ["report", "--target", stack, "--out", str(path.with_stem(f"{path.stem}-{stack}")), "--window", window]
        words += ["--end", end] if end else []
        return [*words, "--by", by, "--note", note, *(["--dry-run"] if dry_run else [])]

    return fleet.show(fleet.ask(arguments), lambda said: f"{said['verdict']}; {said['written']}", as_json=as_json)


def _page(target: Target, found: facts.Facts, over: Window, path: Path) -> str:
    """The report, as Markdown or HTML by the file's name."""
    if path.suffix.lower() in MARKDOWN:
        return page.markdown(found)
    progress("drawing the panels …")
    drawn = countdown("panels drawn", progress)
    alerts, board = rules.alerts(stack=target.name, native=target.native), dashboards.load(native=target.native)
    return page.html(
        found, panels.draw(History(target.prometheus, target.recordings, over), board.panels, alerts, drawn)
    )


def _earlier(path: Path, *, required: bool) -> dict[str, object] | None:
    """The facts of an earlier report; None where the file is none. Raises Misconfigured where it is `required`."""
    facts_ = page.earlier(files.read(path, remedy="name an earlier report with --previous"))
    if facts_ is None and required:
        raise Misconfigured(f"{files.shown(path)} is not a report; name an earlier one with --previous")
    return dict(facts_) if facts_ is not None else None
