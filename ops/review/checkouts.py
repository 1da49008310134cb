"""What a checkout says: the working tree, or a git revision."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dashboards
import metrics
import routing
import rules
from components import settings
from dashboards import Dashboard
from formats.places import FormatError
from ops import targets
from ops.errors import Misconfigured
from ops.options import PROD
from ops.repo import revision
from ops.repo.files import ROOT
from routing import Routing
from routing.on_call import with_on_call
from rules import Alert, Recording, RuleFile

_FOLDERS = ("rules", "routing", "dashboards")


@dataclass(frozen=True)
class Version:
    """Rules, routing and dashboard of one version; `name` is shown to people.

    `settings`: what its stack file says, without secrets.
    """

    name: str
    settings: Mapping[str, object]
    files: tuple[RuleFile, ...]
    routing: Routing
    dashboard: Dashboard

    @property
    def alerts(self) -> Mapping[str, Alert]:
        """Those in our form, by name, in the order of the files."""
        return {alert.name: alert for file in self.files for alert in file.alerts}

    @property
    def recordings(self) -> Mapping[str, Recording]:
        """By name, in the order of the files; none of a name that several record."""
        return rules.recorded_once(self.files)


def working_tree(target: str) -> Version:
    """The files as they stand, with the stack's on-call settings. Raises FormatError, Misconfigured."""
    return _read(ROOT, "working tree", target)


@contextmanager
def of_revision(name: str, target: str) -> Iterator[Version]:
    """A revision's files, which are there for as long as this lasts. Raises Misconfigured where they cannot be read."""
    with revision.folders(name, _FOLDERS, optional=[f"Pulumi.{_stack(target)}.yaml"]) as folder:
        try:
            yield _read(folder, name, target)
        except FormatError as error:
            raise Misconfigured(f"revision {name} cannot be read by this program: {error}") from None


def _read(folder: Path, name: str, target: str) -> Version:
    stack = _stack(target)
    file = f"Pulumi.{stack}.yaml"
    # A stack that is new has no earlier settings.
    values = targets.stack_values(stack, folder if (folder / file).exists() else ROOT)
    rules_, routes, boards = (folder / one for one in _FOLDERS)
    found = settings.read(values, where=file)
    native = metrics.load().of_form("classic" if target == targets.SANDBOX else found.histograms).native
    return Version(
        name,
        values,
        rules.load(rules_, stack=target, native=native),
        with_on_call(routing.load(routes), found.on_call),
        dashboards.load(boards / dashboards.FILE.name, native=native, rule_folder=rules_),
    )


def _stack(target: str) -> str:
    """Whose settings the target has: the sandbox has those of `prod`."""
    return PROD if target == targets.SANDBOX else target
