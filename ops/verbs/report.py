"""The verb `report`."""

import time
from pathlib import Path
from typing import Annotated

import typer

import rules
from ops import targets
from ops import window as windows
from ops.errors import Misconfigured
from ops.options import PROD, DryRunOption, Format, FormatOption, TargetOption, console, emit, progress
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
        typer.Option("--out", help="The file to write; report.html if left out. A name in .md is Markdown."),
    ] = None,
    format_: FormatOption = Format.text,
    window: Annotated[str, typer.Option("--window", help="How far back the pictures go, such as 24h or 7d.")] = "24h",
    end: Annotated[
        str | None,
        typer.Option("--end", help="Where values and pictures end; now if left out. States are those of now."),
    ] = None,
    by: Annotated[str, typer.Option("--by", help="Who deployed, for the record.")] = "",
    note: Annotated[str, typer.Option("--note", help="Notes for the record.")] = "",
    previous: Annotated[
        Path | None, typer.Option("--previous", help="The report to compare with; the one at --out if left out.")
    ] = None,
    dry_run: DryRunOption = False,
) -> None:
    """Write the state of the monitoring on one page: for the weekly review, and as the record of a deployment.

    With --format json its facts go to stdout, and a page is written only where --out names it.
    """
    path = out or Path("report.html")
    wanted = out is not None or format_ is Format.text
    if path.suffix.lower() not in (*HTML, *MARKDOWN):
        raise Misconfigured(f"{files.shown(path)} is no page and no Markdown; name a file in .html or .md with --out")
    before = files.read(path) if path.exists() and wanted else None
    compared = _earlier(previous or path, required=previous is not None) if previous or path.exists() else None
    if before is not None and page.earlier(before) is None:
        raise Misconfigured(f"{files.shown(path)} exists and is no report; name another file with --out")
    if wanted and not dry_run:
        files.must_be_writable(path)
    over = windows.window(window, end, interval=30.0)
    if over.step < over.span / 1440:  # a picture shows no more
        over = windows.window(window, end, interval=60.0 * max(1, round(over.span / 1440 / 60)))

    at = targets.load(target)
    progress(f"Looking at {target} …")
    moment = float(int(time.time())) if end is None else over.end  # the window ends at a step, up to minutes ago
    found = gathering.gather(at, over, moment, by=by, note=note)
    if compared is not None:
        found = facts.compared(found, compared)
    if wanted:
        edit = Edit(path, before, _page(at, found, over, path))
        if not dry_run:
            files.write([edit])
    if format_ is Format.json:
        emit(found.as_json() | {"written": files.shown(path) if wanted and not dry_run else None})
        return
    state = "Nothing was written; it would be" if dry_run else "Written:"
    console().print(f"{found.verdict}. {state} {files.shown(path)}", markup=False)


def _page(target: Target, found: facts.Facts, over: Window, path: Path) -> str:
    """The report as the file's name asks for it."""
    if path.suffix.lower() in MARKDOWN:
        return page.markdown(found)
    progress("Drawing the panels …")
    return page.html(found, panels.draw(target.prometheus, over, rules.alerts()))


def _earlier(path: Path, *, required: bool) -> "dict[str, object] | None":
    facts_ = page.earlier(files.read(path, remedy="name an earlier report with --previous"))
    if facts_ is None and required:
        raise Misconfigured(f"{files.shown(path)} is no report; name an earlier one with --previous")
    return dict(facts_) if facts_ is not None else None
