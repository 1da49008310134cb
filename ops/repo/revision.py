"""The rules of another git revision."""

import io
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import rules
from ops.errors import Misconfigured


@contextmanager
def folder(revision: str, ours: Path | None = None) -> Iterator[Path]:
    """A temporary folder with the rule files of `revision`. Raises Misconfigured."""
    ours = ours or rules.FOLDER
    root = ours.parent
    commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if commit is None:
        raise Misconfigured(f"there is no revision {revision!r} in git here; name a commit, a branch or a tag")
    archive = _git(root, "archive", commit.decode().strip(), "--", ours.name)
    if archive is None:
        raise Misconfigured(f"revision {revision} has no folder {ours.name}/; name a revision that has it")
    with TemporaryDirectory() as temporary, tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        packed.extractall(temporary, filter="data")
        yield Path(temporary) / ours.name


def _git(root: Path, *arguments: str) -> bytes | None:
    """What git prints; None where it fails. Raises Misconfigured without git."""
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        raise Misconfigured("git is not installed; it is needed to read another revision's rules") from None
    return done.stdout if done.returncode == 0 else None
