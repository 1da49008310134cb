"""The verb `baseline`: measures normal traffic and records it in the tracking document."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

import dashboards
import rules
from formats.durations import humanize
from ops import targets
from ops import window as windows
from ops.drawing.line_chart import Picture
from ops.drawing.signal_pictures import draw
from ops.options import (
    PROD,
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
from ops.repo import files, tracking
from ops.tuning.normal_traffic import Baseline, measure
from ops.words import count_noun


def baseline(
    target: TargetOption = PROD,
    window: WindowOption = "24h",
    end: EndOption = None,
    document: Annotated[
        Path | None,
        typer.Option(
            "--document",
            help="The tracking document, which has our markers. With --target sandbox: tracking.md in its folder.",
            show_default=files.shown(tracking.DOCUMENT),
        ),
    ] = None,
    pictures_folder: Annotated[
        Path | None, typer.Option("--pictures", help="A folder for pictures: one for each signal, with its limits.")
    ] = None,
    picture_format: Annotated[Picture, typer.Option("--picture-format", help="png or svg.")] = Picture.svg,
    dry_run: DryRunOption = False,
    format_: FormatOption = Format.text,
) -> None:
    """Measure normal traffic and record it in the tracking document.

    A document has one record for each target: its window, the alerts that fired in it, and the values. Where an alert
    fired, a warning says so.
    """
    servers = targets.load(target)
    alerts = rules.alerts(stack=target, native=servers.native)
    interval = alerts["APIP95LatencyHigh"].interval if "APIP95LatencyHigh" in alerts else 30.0
    over = windows.window(window, end, interval=interval)
    into = tracking.place(document, tracking.DOCUMENT, targets.documents(target))
    tracking.record_edit(into, target, "")  # refuses what cannot be written, before the queries
    if not dry_run:
        files.must_be_writable(into.path)
    progress(f"reading {humanize(over.span)} from {servers.prometheus.url} …")
    history = History(servers.prometheus, servers.recordings, over)
    found = measure(history, alerts)
    edit = tracking.record_edit(into, target, found.record(target))
    drawn: dict[str, Path] = {}
    if not dry_run:
        if pictures_folder is not None:
            units = dashboards.units(dashboards.load(native=servers.native).panels)
            drawn = draw(history, alerts, pictures_folder, picture_format, units)
        files.write([edit])
    if format_ is Format.json:
        emit(_json(target, found, edit, drawn, dry_run))
        return
    out = console()
    out.print(found.record(target), markup=False)
    out.print()
    for warning in found.incidents.warnings:
        out.print(f"warning: {warning}", markup=False, style="yellow")
    if dry_run:
        out.print(f"Nothing was written; without --dry-run this is written to {files.shown(edit.path)}.", markup=False)
        return
    state = "Recorded in" if edit.changes else "Recorded already in"
    kept = "" if into.fresh is None else ", the sandbox's own document; --document names another"
    out.print(f"{state} {files.shown(edit.path)}{kept}.", markup=False)
    if drawn and pictures_folder is not None:
        out.print(
            f"{count_noun(len(set(drawn.values())), 'picture')} written to {files.shown(pictures_folder)}.",
            markup=False,
        )


def _json(
    target: str, found: Baseline, edit: files.Edit, drawn: Mapping[str, Path], dry_run: bool
) -> dict[str, object]:
    return {
        "target": target,
        "window": found.window.as_json(),
        "values": {
            figure.key: {
                "label": f"{figure.section}: {figure.label}",
                "value": figure.value,
                "unit": figure.unit,
                "at": windows.iso(figure.at) if figure.at is not None else None,
            }
            for figure in found.figures
        },
        "coverage": {section: round(values.coverage, 4) for section, values in found.covered.items()},
        "gaps": found.gaps,
        "alerts": found.incidents.as_json(),
        "warnings": found.incidents.warnings,
        "document": {"path": files.shown(edit.path), "written": edit.changes and not dry_run},
        "pictures": {name: str(path) for name, path in drawn.items()},
    }
