"""A commit: who wrote it, and what it says."""

from dataclasses import dataclass

from ops.repo import worktree


@dataclass(frozen=True, slots=True)
class Commit:
    """`commit`: the whole hash. `author`: the name that git has. `subject`: the first line of the message."""

    commit: str
    author: str
    subject: str


def read(revision: str) -> Commit:
    """The commit of that name. Raises Misconfigured where this clone has none, or git is missing."""
    commit = worktree.resolve(revision)
    author, _, subject = worktree.git("log", "-1", "--format=%an%n%s", "--end-of-options", commit).partition("\n")
    return Commit(commit, author, subject)
