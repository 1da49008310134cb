"""The verb `tune`: proposes a limit from what was observed, and records the change."""

import time
from pathlib import Path
from typing import Annotated

import typer

import rules
from formats.durations import humanize
from ops import targets
from ops import window as windows
from ops.errors import Findings, Misconfigured
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
from ops.repo import files, tracking
from ops.repo.tracking import Change
from ops.rows import print_rows
from ops.tuning import limit_edits
from ops.tuning.incidents import Incidents, incidents
from ops.tuning.margins import margin
from ops.tuning.tuning import Tuning, fired_text, tuning
from ops.words import count_noun, no_such_alert
from rules import Alert


def tune(
    alert: Annotated[
        str | None, typer.Argument(help="The alert whose limit is to change; a proposal for each alert if left out.")
    ] = None,
    target: TargetOption = PROD,
    because: Annotated[
        str | None, typer.Option("--because", help="The reason, recorded with the change; needed for a change.")
    ] = None,
    to: Annotated[str | None, typer.Option("--to", help="A limit to set instead of the proposed one.")] = None,
    window: WindowOption = "24h",
    end: EndOption = None,
    document: Annotated[
        Path | None,
        typer.Option(
            "--document",
            help="The tracking document that records the change. With --target sandbox: tracking.md in its folder.",
            show_default=files.shown(tracking.DOCUMENT),
        ),
    ] = None,
    limits: Annotated[
        Path | None,
        typer.Option(
            "--limits",
            help="The list of changed limits; the change is added. With --target sandbox: limits.md in its folder.",
            show_default=files.shown(tracking.LIMITS),
        ),
    ] = None,
    dry_run: DryRunOption = False,
    format_: FormatOption = Format.text,
) -> None:
    """Propose a limit from what was observed, show what it would have done, and record it with the reason.

    The record says where and when that was observed, and which alerts fired meanwhile; if any did, a warning says so.
    """
    in_files = rules.alerts(stack=target)
    if alert is None:
        if to is not None or because is not None:
            raise Misconfigured("--to and --because need an alert; name one, such as APIP95LatencyHigh")
        _overview(target, window, end, format_)
        return
    chosen = _chosen(alert, in_files)
    value = _number(to) if to is not None else None
    reason = " ".join((because or "").split())
    if not reason and not dry_run:
        raise Misconfigured(
            'a limit is not changed without a reason; give --because "…", or --dry-run to see the proposal only'
        )
    own = rules.stack_limits(target).get(chosen.name)
    if own and not dry_run:
        raise Misconfigured(f"the limit of {chosen.name} for {target} stands in {own.place}: change it there")
    over = windows.window(window, end, interval=chosen.interval)
    servers = targets.load(target)
    record = tracking.place(document, tracking.DOCUMENT, targets.documents(target))
    log = tracking.place(limits, tracking.LIMITS, targets.documents(target))
    limit_edits.refuse_unwritable(chosen, document=record, limits=log, dry_run=dry_run)
    progress(f"reading {humanize(over.span)} of {chosen.name} from {servers.prometheus.url} …")
    alerts = rules.alerts(stack=target, native=servers.native)
    recordings = servers.recordings
    found = tuning(servers.prometheus, alerts[chosen.name], over, value, alerts, servers.contract, recordings)
    during = incidents(servers.prometheus, over, alerts)
    change = Change(
        date=time.strftime("%Y-%m-%d", time.gmtime()),
        alert=chosen.name,
        before=chosen.limit.text,
        after=found.proposal.limit.text,
        target=target,
        window=str(over),
        fired=during.text,
        evidence=found.evidence,
        reason=reason,
    )
    edits = (
        limit_edits.edits(chosen, found.proposal.limit.value, change, document=record, limits=log)
        if found.proposal.changes and not own
        else []
    )
    if not dry_run:
        files.write(edits)
    written = [files.shown(edit.path) for edit in edits if edit.changes]
    if format_ is Format.json:
        emit(
            {"target": target, "window": over.as_json()}
            | found.as_json()
            | {"alerts": during.as_json(), "warnings": during.warnings}
            | {"written": [] if dry_run else written, "because": reason or None}
        )
        return
    _show(found, during)
    out = console()
    if own:
        out.print(f"Nothing was written; the limit of {target} stands in {own.place}.", markup=False)
    elif not edits:
        out.print(f"The limit is already {chosen.limit.text}; nothing to change.", markup=False)
    elif dry_run:
        how = "without --dry-run" if reason else 'with --because "…" instead of --dry-run'
        out.print(f"Nothing was written; {how} this goes into {', '.join(written)}.", markup=False)
    else:
        panels = limit_edits.changed_panels(edits[2])
        out.print(f"Written: {', '.join(written)} ({count_noun(panels, 'panel')} redrawn).", markup=False)
        if record.fresh is not None or log.fresh is not None:
            out.print(
                "These are figures of the sandbox: production's record has none of them, unless --document and "
                "--limits name it; but the limit in rules/ is that of every stack.",
                markup=False,
            )
        out.print("Look at it with git diff, then open a pull request; merging deploys it.", markup=False)


def _overview(target: str, window: str, end: str | None, format_: Format) -> None:
    """Print the proposed limit of every alert, or why there is none; nothing is written."""
    servers = targets.load(target)
    alerts, contract = rules.alerts(stack=target, native=servers.native), servers.contract
    rows: list[tuple[Alert, Tuning | None, str]] = []
    recordings = servers.recordings
    tunable = [one for one in alerts.values() if not one.is_watchdog]
    for number, one in enumerate(tunable, 1):
        progress(f"{number}/{len(tunable)} {one.name} …")
        over = windows.window(window, end, interval=one.interval)
        try:
            if (reason := margin(one).keep) is not None:
                rows.append((one, None, f"kept: {reason}"))
                continue
            proposal = tuning(servers.prometheus, one, over, None, alerts, contract, recordings)
            rows.append((one, proposal, proposal.evidence))
        except Findings as none:
            rows.append((one, None, str(none).removeprefix(f"{one.name}: ")))
    if format_ is Format.json:
        emit(
            {
                "target": target,
                "proposals": [
                    found.as_json() if found else {"alert": one.name, "from": one.limit.text, "to": None, "why": why}
                    for one, found, why in rows
                ],
            }
        )
        return
    shown = []
    for one, found, why in rows:
        to = "–" if found is None else found.proposal.limit.text if found.proposal.changes else "as it is"
        shown.append((one.name, one.limit.text, to, why))
    print_rows(console(), ("alert", "now", "proposed", "why"), shown)


def _show(found: Tuning, during: Incidents) -> None:
    proposal, out = found.proposal, console()
    out.print(f"{proposal.alert.name}: {proposal.alert.limit.text} → {proposal.limit.text}", markup=False, style="bold")
    out.print(f"  observed: {proposal.evidence}", markup=False)
    for note in proposal.notes:
        out.print(f"  note: {note}", markup=False)
    for warning in during.warnings:
        out.print(f"  warning: {warning}", markup=False, style="yellow")
    for word, replay in (("before", found.before), ("after", found.after)):
        out.print(f"  {word:>8} ({replay.limit.text}): would have fired {fired_text(replay)}", markup=False)


def _chosen(name: str, alerts: dict[str, Alert]) -> Alert:
    if name in alerts:
        return alerts[name]
    raise Misconfigured(no_such_alert(name, alerts, rules.other_alerts()))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Misconfigured(f"--to {text!r} is not a number; give one such as 1200 or 0.02") from None
