"""The verb `rollback`: previews an earlier deployment, asks, applies it and verifies."""

import os
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ops import interruption
from ops.errors import Findings, Misconfigured
from ops.options import PROD, DryRunOption, Format, FormatOption, TargetOption, console, emit, progress
from ops.repo import worktree
from ops.rows import print_rows
from ops.sandbox import state as sandbox_state
from ops.stack import access, earlier_update
from ops.stack.engine import Engine, Update
from ops.words import count_noun

Part = StrEnum("Part", [(name, name) for name in worktree.PARTS])  # type: ignore[misc]


def rollback(
    commit: Annotated[
        str | None, typer.Argument(help="The commit to go back to; the last good deployment if left out.")
    ] = None,
    target: TargetOption = PROD,
    list_: Annotated[
        bool, typer.Option("--list", help="List the deployments: when, by whom, with what result.")
    ] = False,
    part: Annotated[Part | None, typer.Option(help="Go back with this part only; the rest stays as deployed.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Apply without asking.")] = False,
    unlock: Annotated[bool, typer.Option("--unlock", help="First remove the lock of a killed update.")] = False,
    dry_run: DryRunOption = False,
    format_: FormatOption = Format.text,
) -> None:
    """Go back to an earlier deployment: preview its commit, ask, apply, verify.

    The program of that commit is deployed like any other, from a git worktree; changes of others since then stay.
    With `--part`, the rest stays as deployed.
    """
    reached = access.stack_access(target)
    engine = Engine(reached)
    if unlock and not dry_run:
        engine.cancel()
        interruption.changed("the lock of the stack is removed")
    history = engine.history()
    if list_:
        return _print_list(history, format_)
    wanted = (
        earlier_update.by_commit(history, worktree.resolve(commit)) if commit else earlier_update.last_good(history)
    )
    to = worktree.resolve(str(wanted.commit))
    base = to
    if part:
        now = earlier_update.deployed(history)
        if now is None or now.commit is None or now.dirty:
            raise Misconfigured(
                "what is deployed now is not a clean commit, so one part of it cannot be rolled back; "
                "roll back without --part"
            )
        base = worktree.resolve(now.commit)
    progress(f"going back to {_name(wanted)}" + (f", {part.value} only" if part else ""))
    with worktree.checked_out(base, stack_file=f"Pulumi.{reached.stack}.yaml") as folder:
        branch = worktree.with_part(folder, part.value, to) if part else None
        return _apply(engine.at(folder), folder, target, wanted, branch, yes=yes, dry_run=dry_run, format_=format_)


def _apply(
    engine: Engine,
    folder: Path,
    target: str,
    wanted: Update,
    branch: str | None,
    *,
    yes: bool,
    dry_run: bool,
    format_: Format,
) -> None:
    answer: dict[str, object] = {"commit": wanted.commit, "changes": {}, "branch": branch, "applied": False}
    agreed = False
    try:
        undecided = engine.pending()
        answer["changes"] = engine.preview(progress)
        if undecided:
            progress(
                f"an update was killed while it made {count_noun(len(undecided), 'resource')}, read again first: "
                f"{', '.join(undecided)}"
            )
        agreed = not dry_run and (yes or _agreed())
    finally:
        if branch and not agreed:
            worktree.drop(branch, folder)
            answer["branch"] = None
    if not agreed:
        return _finish(answer, format_, "Nothing was changed (--dry-run)." if dry_run else "Nothing was changed.")
    with interruption.during("the rollback was stopped on its way: run it again, or `pulumi up`, to complete one"):
        if undecided:
            engine.refresh(progress, clear_pending=True)
        engine.up(progress, message=f"Roll back to {str(wanted.commit)[:10]}")
    interruption.changed(f"the rollback is applied: see `bin/ops verify --target {target}` for whether it runs")
    answer["applied"] = True
    _verify(folder, target)
    kept = f" Branch {branch} holds what runs now; merge it, or the next deployment undoes this." if branch else ""
    if branch and branch.startswith("rollback/rules-"):
        kept += " The dashboard keeps its limit lines; `python -m dashboards` draws those of the rules."
    kept = kept or " The next deployment of main undoes this, unless what was wrong is reverted there."
    return _finish(answer, format_, f"Went back to {_name(wanted)}, and it runs.{kept}")


def _agreed() -> bool:
    """Whether the person says yes. Raises Misconfigured where there is nobody to be asked."""
    if not sys.stdin.isatty():
        raise Misconfigured("there is no terminal to ask on; read the preview above and repeat the command with --yes")
    return typer.confirm("Apply this?")


def _verify(folder: Path, target: str) -> None:
    """Run the commit's own `verify`, as it knows that commit's rules. Raises Findings where it finds faults."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "SANDBOX_HOME": str(sandbox_state.home().resolve())}
    command = [sys.executable, "-m", "ops", "verify", "--target", target, "--wait", "20"]
    done = subprocess.run(command, cwd=folder, env=environment, stdout=sys.stderr, check=False)
    if done.returncode:
        raise Findings(
            "the rollback was applied, but verify found faults, listed above; correct them, or go back further"
        )


def _finish(answer: dict[str, object], format_: Format, sentence: str) -> None:
    if format_ is Format.json:
        emit(answer)
    else:
        console().print(sentence, markup=False)


def _name(update: Update) -> str:
    return f"{str(update.commit)[:10]} of {update.started:%Y-%m-%d %H:%M} UTC"


def _print_list(history: list[Update], format_: Format) -> None:
    if format_ is Format.json:
        return emit(
            [
                {
                    "started": update.started.isoformat(),
                    "kind": update.kind,
                    "result": update.result,
                    "commit": update.commit,
                    "dirty": update.dirty,
                    "author": update.author,
                    "message": update.message,
                    "changes": dict(update.changes),
                    "usable": update.usable,
                }
                for update in history
            ]
        )
    if not history:
        console().print("This stack has no history yet.")
        return None
    rows = []
    for update in history:
        changed = ", ".join(f"{count} {op}" for op, count in update.changes.items() if op != "same") or "nothing"
        commit = f"{update.commit[:10]}{' + uncommitted' if update.dirty else ''}" if update.commit else "unknown"
        message = worktree.subject(update.commit) if update.commit else None
        when = f"{update.started:%Y-%m-%d %H:%M}"
        rows.append((when, update.kind, update.result, commit, update.author, changed, message or update.message))
    print_rows(console(), ("when (UTC)", "what", "result", "commit", "by", "changed", "message"), rows)
    return None
