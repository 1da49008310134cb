"""The Pulumi engine: an installed one, or the one that is built here.

An installed `pulumi` is preferred, with its own plugins. What is built is in the cache and on the PATH of the commands
that use it, never in `~/.pulumi`.
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
    """How a `pulumi` is run. `root`: the folder whose `bin` has it; None: it is the installed one, on PATH.

    `folders`: the first folders of its PATH.
    """

    root: Path | None
    folders: tuple[Path, ...]

    @property
    def environment(self) -> dict[str, str]:
        """A PATH with its language host, its plugins and this program's Python."""
        first = map(str, (*self.folders, Path(sys.executable).parent))
        return {"PATH": os.pathsep.join([*first, os.environ.get("PATH", os.defpath)])}


def find() -> Engine | None:
    """The installed engine, else the built one; None where there is none yet."""
    if _own():
        return Engine(None, ())
    programs = [build_tools.built(name) for name in _needed()]
    return None if None in programs else _engine([program for program in programs if program])


def missing() -> list[str]:
    """The tools that an engine is built of; none where one is installed."""
    return [] if _own() else _needed()


def _own() -> bool:
    """Whether a `pulumi` is installed that is new enough, with its Python host beside it or on PATH."""
    pulumi = build_tools.installed("pulumi")
    if pulumi is None:
        return False
    return bool(shutil.which(LANGUAGE_HOST) or shutil.which(LANGUAGE_HOST, path=str(pulumi.resolve().parent)))


def _needed() -> list[str]:
    """The tools to build for an engine; the provider only where it is not installed."""
    own = shutil.which(PROVIDER) or any(plugins().glob("resource-kubernetes-v*"))
    return [name for name in build_tools.ENGINE if not (own and name == PROVIDER)]


def plugins() -> Path:
    """The folder of an installed `pulumi`'s plugins; it may not exist."""
    return Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi") / "plugins"


def _engine(programs: list[Path]) -> Engine:
    (root,) = [program.parent.parent for program in programs if program.name == "pulumi"]
    return Engine(root, tuple(program.parent for program in programs))
