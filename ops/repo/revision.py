"""The files of another git revision."""

import io
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import rules
from ops.errors import Misconfigured


@contextmanager
def folder(revision: str, ours: Path | None = None) -> Iterator[Path]:
    """A temporary folder with the rule files of `revision`. Raises Misconfigured."""
    ours = ours or rules.FOLDER
    with folders(revision, [ours.name], ours.parent) as found:
        yield found / ours.name


@contextmanager
def folders(
    revision: str, names: Sequence[str], root: Path = rules.FOLDER.parent, optional: Sequence[str] = ()
) -> Iterator[Path]:
    """A temporary folder with these folders of `revision`, and those files that it has of `optional`.

    Raises Misconfigured.
    """
    commit = _commit(root, revision)
    with TemporaryDirectory() as temporary:
        for name in (*names, *optional):
            archive = _git(root, "archive", commit, "--", name)
            if archive is None and name in optional:
                continue
            if archive is None:
                raise Misconfigured(f"revision {revision} has no folder {name}/; name a revision that has it")
            with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
                packed.extractall(temporary, filter="data")
        yield Path(temporary)


def branched_off(revision: str, root: Path = rules.FOLDER.parent) -> str:
    """The commit at which the checkout's branch left `revision`; `revision` itself where git does not know that.

    Raises Misconfigured where there is no such revision.
    """
    commit = _commit(root, revision)
    found = _git(root, "merge-base", commit, "HEAD")
    return found.decode().strip() if found else commit


def described(root: Path = rules.FOLDER.parent) -> str:
    """The commit that is checked out, with `+` where files differ from it; "working tree" outside a git checkout."""
    found = _git(root, "describe", "--always", "--dirty=+", "--exclude=*")
    return found.decode().strip() if found else "working tree"


def _commit(root: Path, revision: str) -> str:
    found = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if found is None:
        raise Misconfigured(f"there is no revision {revision!r} in git here; name a commit, a branch or a tag")
    return found.decode().strip()


def _git(root: Path, *arguments: str) -> bytes | None:
    """What git prints; None where it fails. Raises Misconfigured without git."""
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        raise Misconfigured("git is not installed; it is needed to read another revision's files") from None
    return done.stdout if done.returncode == 0 else None
