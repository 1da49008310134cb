"""The Pulumi engine, through its Automation API.

The engine prints many lines for an error; here it becomes one sentence (`ops.errors`).
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pulumi import automation as auto
from pulumi.automation.errors import CommandError, ConcurrentUpdateError, StackNotFoundError

from formats.json_types import JsonValue
from ops import build_tools
from ops.build_tools import pulumi
from ops.errors import EngineMissing, Misconfigured, Refused, Unreachable
from ops.repo.files import ROOT
from ops.stack import grafana_messages
from ops.stack.command import Pulumi

NEWER = "install a newer one as https://www.pulumi.com/docs/install says"
# In a pipeline or on an isolated machine, the engine must not look for newer versions.
QUIET = {"PULUMI_SKIP_UPDATE_CHECK": "true"}

Say = Callable[[str], None]


@dataclass(frozen=True)
class StackAccess:
    """A stack, with the engine's environment (backend, passphrase, kubeconfig) and stack file."""

    stack: str
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    config_file: Path | None = None  # None: Pulumi.STACK.yaml of the program's folder


@dataclass(frozen=True)
class Update:
    """One entry of the stack's history."""

    kind: str  # update, destroy, refresh, rename …
    result: str  # succeeded, failed, in-progress
    started: datetime
    seconds: float | None
    message: str
    commit: str | None  # the full hash, None outside a git checkout
    dirty: bool
    author: str
    changes: Mapping[str, int]  # operation (create, update, delete, same …) → how many

    @property
    def usable(self) -> bool:
        """Whether it can be rolled back to: a clean commit that was deployed without errors."""
        return self.kind == "update" and self.result == "succeeded" and self.commit is not None and not self.dirty


def find_pulumi() -> Pulumi:
    """The `pulumi` on PATH, else the one that was built on this machine.

    Raises EngineMissing where there is neither, Misconfigured where the one on PATH is too old.
    """
    found = pulumi.find()
    if found is None:
        oldest = build_tools.dotted(build_tools.get("pulumi").minimum)
        raise EngineMissing(
            f"there is no Pulumi engine {oldest} or newer with its Python host: install one as "
            "https://www.pulumi.com/docs/install says, or build one with `make tools`"
        )
    try:
        return Pulumi(found)
    except auto.InvalidVersionError as error:
        raise Misconfigured(f"the pulumi on PATH is too old ({error}); {NEWER}") from None


class Engine:
    """One stack, with the program in one folder. Methods raise `ops.errors` errors only."""

    def __init__(self, access: StackAccess, work_dir: Path = ROOT, *, pulumi: Pulumi | None = None) -> None:
        self._access, self._dir = access, work_dir
        self._pulumi = pulumi or find_pulumi()
        self._made: auto.Stack | None = None

    @property
    def access(self) -> StackAccess:
        """How the stack is reached."""
        return self._access

    @property
    def env(self) -> Mapping[str, str]:
        """The environment variables of a command on this stack, added to those of this process."""
        return {**QUIET, **self._pulumi.env, **self._access.env}

    def at(self, work_dir: Path) -> "Engine":
        """The same stack, with the program of another folder (a git worktree)."""
        return Engine(self._access, work_dir, pulumi=self._pulumi)

    def create(self) -> None:
        """Make the stack where there is none."""
        with _readable_errors(self._access.stack):
            self._made = auto.create_or_select_stack(self._access.stack, work_dir=str(self._dir), opts=self._options())

    def set_secrets(self, values: Mapping[str, str]) -> None:
        """Write settings (keys without the project's prefix) into the stack file, encrypted.

        Other users of this machine can see the values meanwhile, so this is for the sandbox and for tests.
        """
        pairs = [word for key, value in values.items() for word in ("--secret", f"{key}={value}")]
        file = ["--config-file", str(self._access.config_file)] if self._access.config_file else []
        self._run(["config", "set-all", *pairs, "--stack", self._access.stack, *file])

    def history(self, limit: int | None = None) -> list[Update]:
        """The stack's updates, newest first; all of them unless `limit` says how many."""
        # The Automation API's history() fails for a failed update, so the CLI's JSON is read.
        command = ["stack", "history", "--json", "--stack", self._access.stack]
        if limit:
            command += ["--page-size", str(limit), "--page", "1"]
        return [_update(entry) for entry in json.loads(self._run(command) or "[]")]

    def preview(
        self,
        say: Say = lambda _: None,
        *,
        refresh: bool = False,
        seen: Callable[[auto.EngineEvent], None] | None = None,
        policy_packs: Sequence[Path] = (),
    ) -> dict[str, int]:
        """What `up` would do: operation → how many resources. Its lines go to `say`, its events to `seen`."""
        with _readable_errors(self._access.stack):
            result = self._stack().preview(
                on_output=say,
                on_error=_warnings(say),  # a preview's warnings come on stderr
                diff=True,
                color="never",
                refresh=refresh,
                config_file=self._config_file(),
                on_event=seen,
                policy_packs=[str(pack) for pack in policy_packs] or None,
            )
        return {str(getattr(op, "value", op)): count for op, count in result.change_summary.items()}

    def up(self, say: Say = lambda _: None, *, message: str | None = None, refresh: bool = False) -> dict[str, int]:
        """Deploy; returns operation → how many resources. Its lines go to `say`."""
        with _readable_errors(self._access.stack):
            result = self._stack().up(
                on_output=say,
                message=message,
                color="never",
                refresh=refresh,
                config_file=self._config_file(),
                show_secrets=False,
                suppress_progress=True,
                on_error=_discard,
            )
        return {str(op): count for op, count in (result.summary.resource_changes or {}).items()}

    def refresh(self, say: Say = lambda _: None, *, clear_pending: bool = False) -> None:
        """Read the live state into the stack's; `clear_pending`: drop the creations that a crash interrupted."""
        with _readable_errors(self._access.stack):
            self._stack().refresh(
                on_output=say,
                color="never",
                clear_pending_creates=clear_pending,
                config_file=self._config_file(),
                show_secrets=False,
                on_error=_discard,
            )

    def destroy(self, say: Say = lambda _: None) -> None:
        """Delete all resources of the stack."""
        with _readable_errors(self._access.stack):
            self._stack().destroy(
                on_output=say, color="never", config_file=self._config_file(), show_secrets=False, on_error=_discard
            )

    def cancel(self) -> None:
        """Remove the lock that a killed update left."""
        with _readable_errors(self._access.stack):
            self._stack().cancel()

    def pending(self) -> list[str]:
        """URNs of the operations that a crash interrupted."""
        with _readable_errors(self._access.stack):
            state = self._stack().export_stack().deployment or {}
        return [str(entry["resource"]["urn"]) for entry in state.get("pending_operations") or ()]

    def _stack(self) -> auto.Stack:
        if self._made is None:
            self._made = auto.select_stack(self._access.stack, work_dir=str(self._dir), opts=self._options())
        return self._made

    def _options(self) -> auto.LocalWorkspaceOptions:
        return auto.LocalWorkspaceOptions(env_vars=dict(self.env), pulumi_command=self._pulumi)

    def _config_file(self) -> str | None:
        return str(self._access.config_file) if self._access.config_file else None

    def _run(self, arguments: list[str]) -> str:
        with _readable_errors(self._access.stack):
            done = self._pulumi.run(arguments, str(self._dir), self.env)
        return str(done.stdout)


def _warnings(say: Say) -> Say:
    """Pass warnings to `say`, and drop the lines of an error, which is raised."""
    return lambda line: say(line) if line.startswith("warning: ") else None


def _discard(_: str) -> None:
    """Drop the lines of an error, which is raised: without a function the Automation API prints them."""


def _update(entry: Mapping[str, JsonValue]) -> Update:
    environment = entry.get("environment") or {}
    started = datetime.fromisoformat(entry["startTime"]).astimezone(UTC)
    ended = datetime.fromisoformat(entry["endTime"]) if entry.get("endTime") else None
    return Update(
        kind=str(entry.get("kind", "update")),
        result=str(entry.get("result", "in-progress")),
        started=started,
        seconds=(ended - started).total_seconds() if ended else None,
        message=str(entry.get("message", "")),
        commit=environment.get("git.head"),
        dirty=environment.get("git.dirty") == "true",
        author=str(environment.get("git.author") or environment.get("git.committer") or ""),
        changes={str(op): int(count) for op, count in (entry.get("resourceChanges") or {}).items()},
    )


@contextlib.contextmanager
def _readable_errors(stack: str) -> Iterator[None]:
    """Turn an error of the engine into one of `ops.errors`, with one sentence."""
    try:
        yield
    except StackNotFoundError:
        raise Misconfigured(
            f"there is no stack {stack} in this backend; run `pulumi stack init {stack}`, or log in to the right "
            "one with `pulumi login`"
        ) from None
    except ConcurrentUpdateError as error:
        raise Unreachable(
            f"the stack {stack} is locked{_locked_by(str(error))}: another update runs, or one was killed; wait for "
            "it, or if none runs, use `pulumi cancel`"
        ) from None
    except CommandError as error:
        raise Refused(f"Pulumi stopped: {' '.join(reasons(str(error)))}", status=0, words=str(error)) from None


def _locked_by(text: str) -> str:
    found = re.search(r"locked by .*?created by (\S+) \(pid (\d+)\) at (\S+)", text, re.DOTALL)
    return f" by {found[1]} (pid {found[2]}) since {found[3]}" if found else ""


def reasons(text: str) -> list[str]:
    """The lines of an engine's output that say why it stopped, without tracebacks and repetitions."""
    lines = [line.strip().removeprefix("stderr: ") for line in text.splitlines()]
    errors = [re.sub(r"^(error:|\*)\s*", "", line) for line in lines if re.match(r"(error:|\* )", line)]
    noise = re.compile(
        r"(update|preview|destroy|resource .*) failed|KeyboardInterrupt|exit status"
        r"|an unhandled error occurred: program exited|program exited with"
        r"|\d+ errors? occurred|Resource monitor has terminated"
        r"|urn:pulumi:\S+, interrupted while"  # of a killed update; every later one repeats it
    )
    found = list(dict.fromkeys(grafana_messages.readable(line) for line in errors if line and not noise.match(line)))
    found = [
        f"{line}; {NEWER}" if re.search(r'not satisfy the version range "[^"]*"$', line) else line for line in found
    ]
    if any(line.startswith("Program failed with an unhandled exception") for line in found):
        found += [line for line in lines if re.match(r"[\w.]+(Error|Exception): ", line)][-1:]
    return found or [next((line for line in reversed(lines) if line), "it gave no reason")]
