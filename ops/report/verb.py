"""The verb `report`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import rules
from ops import files, targets
from ops import window as windows
from ops.errors import Misconfigured
from ops.files import Edit
from ops.options import DryRunOption, TargetOption, console, emit, progress
from ops.report import facts, page, panels


class ReportFormat(StrEnum):
    """How the report is written: a page, Markdown, or its facts for programs (on stdout)."""

    html = "html"
    markdown = "markdown"
    json = "json"


def report(
    target: TargetOption = "prod",
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The file to write; report.html if left out. A name in .md is Markdown."),
    ] = None,
    format_: Annotated[
        ReportFormat | None, typer.Option("--format", help="html, markdown or json; by the name of --out if left out.")
    ] = None,
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
    """Write the state of the monitoring on one page: for the weekly review, and as the record of a deployment."""
    markdown = out is not None and out.suffix.lower() in (".md", ".markdown")
    kind = format_ or (ReportFormat.markdown if markdown else ReportFormat.html)
    path = out or (Path("report.md" if kind is ReportFormat.markdown else "report.html"))
    before = files.read(path) if path.exists() and kind is not ReportFormat.json else None
    compared = _earlier(previous or path, required=previous is not None) if previous or path.exists() else None
    if before is not None and page.earlier(before) is None:
        raise Misconfigured(f"{files.shown(path)} exists and is no report; name another file with --out")
    over = windows.window(window, end, interval=30.0)
    if over.step < over.span / 1440:  # a picture shows no more
        over = windows.window(window, end, interval=60.0 * max(1, round(over.span / 1440 / 60)))

    at = targets.load(target)
    progress(f"Looking at {target} …")
    found = facts.gather(at, over, by=by, note=note)
    if compared is not None:
        found = facts.compared(found, compared)
    if kind is ReportFormat.json:
        emit(found.as_json())
        return
    if kind is ReportFormat.markdown:
        text = page.markdown(found)
    else:
        progress("Drawing the panels …")
        text = page.html(found, panels.draw(at.prometheus, over, rules.alerts()))
    if dry_run:
        console().print(f"{found.verdict}. Nothing was written; it would be {files.shown(path)}.", markup=False)
        return
    files.write([Edit(path, before, text)])
    console().print(f"{found.verdict}. Written: {files.shown(path)}", markup=False)


def _earlier(path: Path, *, required: bool) -> "dict[str, object] | None":
    facts_ = page.earlier(files.read(path, remedy="name an earlier report with --previous"))
    if facts_ is None and required:
        raise Misconfigured(f"{files.shown(path)} is no report; name an earlier one with --previous")
    return dict(facts_) if facts_ is not None else None
