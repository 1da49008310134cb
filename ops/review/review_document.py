"""A review for programs."""

from ops.replay.as_document import document as replayed
from ops.review.verdict import Review


def document(review: Review) -> dict[str, object]:
    """The answer as JSON."""
    changes, preview = review.changes, review.preview
    outcome = review.past.outcome
    return {
        "target": review.target,
        "base": review.base,
        "head": review.head,
        "verdict": review.verdict,
        "refused": preview.refused,
        "objective": changes.objective or None,
        "alerts": [
            {
                "alert": change.name,
                "kind": change.kind,
                "changes": list(change.words),
                "fired": dict(zip(("before", "now"), review.past.fired(change.name), strict=True)),
            }
            for change in changes.alerts
        ],
        "told": {
            name: {
                "before": list(told.before),
                "now": list(told.now),
                "messages": dict(zip(("before", "now"), map(dict, review.past.messages(name)), strict=True)),
            }
            for name, told in changes.told.items()
        },
        "lines": {part: {"gone": list(gone), "come": list(come)} for part, (gone, come) in changes.lines.items()},
        "missing": list(review.missing),
        "warnings": list(preview.warnings),
        "violations": list(preview.violations),
        "preview": dict(preview.changes) if preview.not_made is None else None,
        "preview_not_made": preview.not_made,
        "backtest": replayed(review.target, outcome) if outcome else None,
        "backtest_not_made": review.past.not_made,
    }
