"""The state of a running sandbox, in HOME/state.json; only this module reads and writes it."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypedDict

from ops.errors import Misconfigured

_FILE = "state.json"


class Process(TypedDict):
    """A process of the sandbox, and the path of its log."""

    pid: int
    log: str


class PulumiAccess(TypedDict):
    """With which stack, environment and stack file the engine runs."""

    stack: str
    env: dict[str, str]
    config_file: str


@dataclass(frozen=True)
class State:
    """A running sandbox.

    `ports`: name → number. `processes`: by name. `pulumi`: None where it was deployed without an engine.
    """

    prometheus_url: str
    alertmanager_url: str
    application_url: str
    mail_url: str
    smtp_smarthost: str = ""
    smtp_password_file: str = ""
    smtp_ca_file: str | None = None
    grafana_url: str | None = None
    kubeconfig: str | None = None
    namespace: str = "monitoring"
    ports: Mapping[str, int] = field(default_factory=dict)
    processes: Mapping[str, Process] = field(default_factory=dict)
    pulumi: PulumiAccess | None = None

    @property
    def engine(self) -> bool:
        """Whether it has a Kubernetes API and a Pulumi engine."""
        return self.kubeconfig is not None


def home() -> Path:
    """The folder in which the sandbox keeps its files: `$SANDBOX_HOME`, or `.sandbox` in the checkout."""
    return Path(os.environ.get("SANDBOX_HOME") or Path(__file__).resolve().parents[2] / ".sandbox")


def read(folder: Path) -> State | None:
    """What runs in that folder; None where nothing does. Raises Misconfigured where the file is damaged."""
    path = folder / _FILE
    try:
        return State(**json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        raise Misconfigured(f"{path} is damaged; stop the sandbox with make sandbox-down and start it again") from None


def running() -> State:
    """What runs in `home()`. Raises Misconfigured where nothing does."""
    state = read(home())
    if state is None:
        raise Misconfigured("the sandbox is not running; start it with make sandbox")
    return state


def write(folder: Path, state: State) -> None:
    """Write `state` to the file, which only its owner may read, as it has the stack's passphrase."""
    fresh = folder / f".{_FILE}.new"
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(asdict(state), indent=2) + "\n", encoding="utf-8")
    fresh.replace(folder / _FILE)


def remove(folder: Path) -> None:
    """Delete the file."""
    (folder / _FILE).unlink(missing_ok=True)
