"""Chooses the deployment to roll back to."""

from collections.abc import Sequence

from ops.errors import Misconfigured
from ops.stack.engine import Update


def deployed(history: Sequence[Update]) -> Update | None:
    """The newest update that succeeded; `history` is newest first. None where there is none."""
    return next((update for update in history if update.kind == "update" and update.result == "succeeded"), None)


def last_good(history: Sequence[Update]) -> Update:
    """The newest usable deployment of another commit than the newest update. Raises Misconfigured where there is none.

    After a failed update it is the last one that succeeded; after one that succeeded, the one before.
    """
    updates = [update for update in history if update.kind == "update"]
    if not updates:
        raise Misconfigured("this stack has never been deployed; there is nothing to go back to")
    newest = updates[0]
    for update in updates[1:] if newest.result == "succeeded" else updates:
        if update.usable and (update.commit != newest.commit or newest.dirty or newest.result != "succeeded"):
            return update
    raise Misconfigured(
        "the history holds no earlier deployment of a clean commit to go back to; name a commit, or deploy a revert"
    )


def by_commit(history: Sequence[Update], commit: str) -> Update:
    """The deployment of that commit. Raises Misconfigured unless the commit was deployed clean, and that succeeded."""
    same = [update for update in history if update.kind == "update" and update.commit == commit]
    good = next((update for update in same if update.usable), None)
    if good:
        return good
    short = commit[:10]
    if not same:
        raise Misconfigured(
            f"{short} was never deployed to this stack; see `rollback --list`, or deploy it by `pulumi up`"
        )
    if any(update.dirty for update in same):
        raise Misconfigured(
            f"{short} was deployed with uncommitted changes, so the commit is not what ran; choose another"
        )
    raise Misconfigured(f"{short} was deployed and failed; choose one that succeeded, see `rollback --list`")
