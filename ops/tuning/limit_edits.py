"""The edits for a changed limit: in the rule file, the dashboard and the two records."""

import json

import dashboards
import rules
from ops.errors import Misconfigured
from ops.repo import files, tracking
from ops.repo.files import Edit
from ops.repo.tracking import Change, Place
from rules import Alert


def edits(alert: Alert, value: float, change: Change, *, document: Place, limits: Place) -> list[Edit]:
    """The edits of both records, of the dashboard with the limit drawn, and of the rule file with its number changed.

    The rule file is last, so that a changed limit is always recorded. Raises Misconfigured, RulesError, DashboardError.
    """
    text = files.read(alert.file)
    changed = rules.with_limit(text, alert, value)
    alerts = rules.alerts(alert.file.parent) | {one.name: one for one in rules.parse(changed, alert.file).alerts}
    board = files.read(dashboards.FILE)
    drawn = dashboards.text(dashboards.draw_limits(json.loads(board), alerts))
    where = files.shown(document.path)
    (record, recorded), (log, logged) = _records(document, limits)
    wanted = [
        Edit(document.path, record, tracking.with_change(recorded, change, where=where)),
        Edit(limits.path, log, tracking.with_entry(logged, change)),
        Edit(dashboards.FILE, board, drawn),
        Edit(alert.file, text, changed),
    ]
    paths = [edit.path.resolve() for edit in wanted]
    if len(set(paths)) != len(paths):
        raise Misconfigured(
            "--document and --limits name the same file, or a file that is changed too; name two others"
        )
    return wanted


def refuse_unwritable(alert: Alert, *, document: Place, limits: Place, dry_run: bool) -> None:
    """Raise Misconfigured where a change could not be recorded, or with `dry_run` False not be written."""
    (_, recorded), _ = _records(document, limits)
    tracking.changes(recorded, where=files.shown(document.path))
    if not dry_run:
        for path in (document.path, limits.path, dashboards.FILE, alert.file):
            files.must_be_writable(path)


def _records(document: Place, limits: Place) -> tuple[tuple[str | None, str], tuple[str | None, str]]:
    """The tracking document and the list of limits, each as `Place.read` gives it."""
    return (
        document.read("name the tracking document with --document"),
        limits.read("create it with a title, or name another with --limits"),
    )


def changed_panels(edit: Edit) -> int:
    """How many panels of the dashboard an edit changes."""
    before, after = json.loads(edit.before or "{}"), json.loads(edit.after)
    return sum(one != other for one, other in zip(before.get("panels", []), after["panels"], strict=False))
