"""The Pulumi engine: a person's own, or the one that is built here.

A person's `pulumi` comes first, with the plugins that it fetches itself: nothing of ours is put before those. What is
built stands in the cache and on the PATH of the commands that use it, never in `~/.pulumi`.
"""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from ops import build_tools

LANGUAGE_HOST, PROVIDER = "pulumi-language-python", "pulumi-resource-kubernetes"


@dataclass(frozen=True)
class Engine:
    """How a `pulumi` is run. `root`: the folder whose `bin` has it; None: it is a person's own, on PATH.

    `folders`: what has to stand first on its PATH.
    """

    root: Path | None
    folders: tuple[Path, ...]

    @property
    def environment(self) -> dict[str, str]:
        """PATH, on which it finds its language host, its plugins and this program's Python."""
        first = map(str, (*self.folders, Path(sys.executable).parent))
        return {"PATH": os.pathsep.join([*first, os.environ.get("PATH", os.defpath)])}


def find() -> Engine | None:
    """The engine that is on this machine; None where there is none yet."""
    if _own():
        return Engine(None, ())
    programs = [build_tools.built(name) for name in _needed()]
    return None if None in programs else _engine([program for program in programs if program])


def missing() -> list[str]:
    """The tools that would have to be built for an engine; none where a person's own is here."""
    return [] if _own() else _needed()


def _own() -> bool:
    """Whether a person has installed a `pulumi` that is new enough, with its host for Python beside it or on PATH."""
    pulumi = build_tools.installed("pulumi")
    if pulumi is None:
        return False
    return bool(shutil.which(LANGUAGE_HOST) or shutil.which(LANGUAGE_HOST, path=str(pulumi.resolve().parent)))


def _needed() -> list[str]:
    """What is built of an engine: the provider too, unless a person has it."""
    own = shutil.which(PROVIDER) or any(plugins().glob("resource-kubernetes-v*"))
    return [name for name in build_tools.ENGINE if not (own and name == PROVIDER)]


def plugins() -> Path:
    """Where a person's `pulumi` keeps the plugins that it has fetched; it may be missing."""
    return Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi") / "plugins"


def _engine(programs: list[Path]) -> Engine:
    (root,) = [program.parent.parent for program in programs if program.name == "pulumi"]
    return Engine(root, tuple(program.parent for program in programs))
