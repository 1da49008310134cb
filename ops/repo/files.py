"""Reads and edits files of this repository: all edits are written, or none.

Texts are read and written byte for byte: line ends and bytes that are not UTF-8 stay.
"""

import contextlib
import os
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from components.settings import PROJECT_FILE
from ops import interruption
from ops.errors import Conflict, Misconfigured
from ops.words import listed

ROOT = PROJECT_FILE.parent


@dataclass(frozen=True, slots=True)
class Edit:
    """One file's text before and after. `before` None: the file did not exist."""

    path: Path
    before: str | None
    after: str

    @property
    def changes(self) -> bool:
        """Whether the text changes."""
        return self.before != self.after


def shown(path: Path) -> str:
    """The path as shown to people: relative to the project where it is inside."""
    full = path.absolute()
    return str(full.relative_to(ROOT)) if full.is_relative_to(ROOT) else str(path)


def read(path: Path, *, remedy: str = "check the path") -> str:
    """The text of a file, every byte kept. Raises Misconfigured, ending with `remedy`, where it cannot be read."""
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        raise Misconfigured(f"{shown(path)} does not exist; {remedy}") from None
    except OSError as error:
        raise Misconfigured(f"{shown(path)} cannot be read ({error.strerror}); {remedy}") from error


def must_be_writable(path: Path) -> None:
    """Raise Misconfigured where a file cannot be written. Call it before long work; `write` calls it again.

    Replacing a file needs only permission on its folder, so the file's own permission is checked here.
    """
    name, real = shown(path), Path(os.path.realpath(path))
    if real.is_dir() or (real.exists() and not real.is_file()):
        raise Misconfigured(f"{name} is not a file; name a file")
    if not real.parent.is_dir():
        raise Misconfigured(f"{name} cannot be created, as {shown(real.parent)} does not exist; create that folder")
    if real.exists() and not (real.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)):
        raise Misconfigured(f"{name} is read-only; make it writable (chmod u+w) and run this again")
    if not os.access(real if real.exists() else real.parent, os.W_OK):
        raise Misconfigured(f"{name} may not be written by this user; change its permissions and run this again")


def write(edits: Mapping[Path, Edit] | list[Edit]) -> None:
    """Write every edit that changes something, in order; after a failure all files have their former text again.

    Raises Misconfigured (read-only, no such folder, disk full) or Conflict (a file changed since it was read).
    """
    wanted = [edit for edit in (edits.values() if isinstance(edits, Mapping) else edits) if edit.changes]
    prepared: list[tuple[Edit, Path, Path]] = []  # the edit, the real file behind it, its new text beside it
    replaced: list[tuple[Edit, Path]] = []
    try:
        for edit in wanted:
            real = Path(os.path.realpath(edit.path))
            must_be_writable(edit.path)
            fresh = real.with_name(f".{real.name}.{os.getpid()}.new")
            prepared.append((edit, real, fresh))
            _write_synced(fresh, edit.after, like=real)
        for edit, real, fresh in prepared:
            if _current_text(real) != edit.before:
                raise Conflict(
                    f"{shown(edit.path)} was changed by somebody else meanwhile; nothing was written; run this again",
                    status=409,
                    words="changed",
                )
            replaced.append((edit, real))
            fresh.replace(real)
        if names := [shown(edit.path) for edit in wanted]:
            interruption.changed(f"{listed(names)} {'is' if len(names) == 1 else 'are'} written")
    except BaseException as error:
        for edit, real in reversed(replaced):
            _restore(edit, real)
        if isinstance(error, OSError):
            at = shown(prepared[-1][0].path) if prepared else "a file"
            raise Misconfigured(
                f"{at} cannot be written ({error.strerror}); nothing was changed; "
                "free some space, or change the permissions"
            ) from error
        raise
    finally:
        for _, _, fresh in prepared:
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)


def _write_synced(path: Path, text: str, *, like: Path) -> None:
    with path.open("wb") as file:
        file.write(text.encode("utf-8", "surrogateescape"))
        file.flush()
        os.fsync(file.fileno())
    if like.exists():
        shutil.copymode(like, path)


def _current_text(real: Path) -> str | None:
    return real.read_bytes().decode("utf-8", "surrogateescape") if real.exists() else None


def _restore(edit: Edit, real: Path) -> None:
    if edit.before is None:
        real.unlink(missing_ok=True)
        return
    old = real.with_name(f".{real.name}.{os.getpid()}.old")
    _write_synced(old, edit.before, like=real)
    old.replace(real)
