"""The edits for a changed limit: in the rule file, the dashboard and the two records."""

import json
from pathlib import Path

import dashboards
import rules
from ops.errors import Misconfigured
from ops.repo import files, tracking
from ops.repo.files import Edit
from ops.repo.tracking import Change
from rules import Alert


def edits(alert: Alert, value: float, change: Change, *, document: Path, limits: Path) -> list[Edit]:
    """The edits of both records, of the dashboard with the limit drawn, and of the rule file with its number changed.

    The rule file is last, so that a changed limit is always recorded. Raises Misconfigured, RulesError, DashboardError.
    """
    text = files.read(alert.file)
    changed = rules.with_limit(text, alert, value)
    alerts = rules.alerts(alert.file.parent) | {one.name: one for one in rules.parse(changed, alert.file).alerts}
    board = files.read(dashboards.FILE)
    drawn = dashboards.text(dashboards.draw_limits(json.loads(board), alerts))
    where = files.shown(document)
    record, log = _records(document, limits)
    wanted = [
        Edit(document, record, tracking.with_change(record, change, where=where)),
        Edit(limits, log, tracking.with_entry(log, change)),
        Edit(dashboards.FILE, board, drawn),
        Edit(alert.file, text, changed),
    ]
    paths = [edit.path.resolve() for edit in wanted]
    if len(set(paths)) != len(paths):
        raise Misconfigured(
            "--document and --limits name the same file, or a file that is changed too; name two others"
        )
    return wanted


def refuse_unwritable(alert: Alert, *, document: Path, limits: Path, dry_run: bool) -> None:
    """Raise Misconfigured where a change could not be recorded, or with `dry_run` False not be written."""
    record, _ = _records(document, limits)
    tracking.changes(record, where=files.shown(document))
    if not dry_run:
        for path in (document, limits, dashboards.FILE, alert.file):
            files.must_be_writable(path)


def _records(document: Path, limits: Path) -> tuple[str, str]:
    """The texts of the tracking document and of the list of limits."""
    return (
        files.read(document, remedy="name the tracking document with --document"),
        files.read(limits, remedy="create it with a title, or name another with --limits"),
    )


def changed_panels(edit: Edit) -> int:
    """How many panels of the dashboard an edit changes."""
    before, after = json.loads(edit.before or "{}"), json.loads(edit.after)
    return sum(one != other for one, other in zip(before.get("panels", []), after["panels"], strict=False))
