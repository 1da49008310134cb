"""A chain of links: each is checked only if all before it hold. The first broken one is shown."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple

from rich.markup import escape

from components.settings import Server
from ops.checks import Check, findings, skipped
from ops.clients import workloads
from ops.clients.kubernetes import Kubernetes
from ops.clients.workloads import WantedWorkload
from ops.errors import OpsError
from ops.options import console
from ops.targets import Target

NOT_REACHED = "not reached"
AS_INTENDED = "as intended, "


@dataclass(frozen=True, slots=True)
class Step:
    """The result of a link: it holds, is broken, or does not apply. `next`: the next command."""

    status: Literal["pass", "fail", "skip"]
    detail: str
    next: str = ""


def ok(detail: str) -> Step:
    """The link holds."""
    return Step("pass", detail)


def intended(detail: str) -> Step:
    """The link holds, but mutes an alert as intended: no fault, but the reason why no mail comes."""
    return Step("pass", AS_INTENDED + detail)


def broken(detail: str, next: str) -> Step:
    """The link is broken; `next`: the command that shows more or corrects it."""
    return Step("fail", detail, next)


def not_applicable(detail: str) -> Step:
    """The link does not apply, or cannot be checked from here."""
    return Step("skip", detail)


def from_check(check: Check, next: str) -> Step:
    """A check as a link."""
    return Step(check.status, check.detail, next if check.status == "fail" else "")


class Link(NamedTuple):
    """A link. `when_unanswered`: the next command where the server does not answer."""

    name: str
    check: Callable[[], Step]
    when_unanswered: str


@dataclass(frozen=True)
class Diagnosis:
    """The result of a chain. `broken`: the name of the first broken link; `incomplete`: it could not be checked."""

    target: str
    tree: str
    links: tuple[Check, ...]
    broken: str | None
    next: str | None
    incomplete: bool

    @property
    def as_intended(self) -> str:
        """What mutes an alert as intended, as sentences; empty where nothing does."""
        return "".join(
            f" As{one.detail.removeprefix('as')}." for one in self.links if one.detail.startswith(AS_INTENDED)
        )

    @property
    def exit_code(self) -> int:
        """0: no link is broken. 1: a link is. 2: a link could not be checked."""
        return 2 if self.incomplete else 1 if self.broken else 0

    def as_json(self) -> dict[str, object]:
        """The diagnosis for programs."""
        return {
            "target": self.target,
            "tree": self.tree,
            "links": [{"name": one.name, "status": one.status, "detail": one.detail} for one in self.links],
            "broken": self.broken,
            "next": self.next,
        }


def check_links(target: str, tree: str, links: Sequence[Link]) -> Diagnosis:
    """Check one link after the other, up to the first broken one; the others are listed as not reached."""
    found: list[Check] = []
    for index, link in enumerate(links):
        incomplete = False
        try:
            step = link.check()
        except OpsError as error:
            step, incomplete = broken(str(error), link.when_unanswered), True
        found.append(Check(link.name, step.status, step.detail))
        if step.status == "fail":
            rest = tuple(skipped(later.name, NOT_REACHED) for later in links[index + 1 :])
            return Diagnosis(target, tree, (*found, *rest), link.name, step.next, incomplete)
    return Diagnosis(target, tree, tuple(found), None, None, incomplete=False)


def show(diagnosis: Diagnosis, all_ok: str) -> None:
    """Print a diagnosis for people: the links, then the first broken one and the next command, or `all_ok`."""
    findings.show(findings.Report(diagnosis.target, diagnosis.links, diagnosis.incomplete))
    out = console()
    if diagnosis.broken is None:
        out.print(escape(all_ok))
        return
    out.print(f"First broken link: [bold]{escape(diagnosis.broken)}[/]")
    out.print(f"Next: {escape(diagnosis.next or '')}")


def log_command(target: Target, server: Server) -> str:
    """The command that shows the log of one of the servers."""
    if target.is_sandbox:
        return "make sandbox"
    kind, _, name = _workload(target.kubernetes, target.settings.namespace, server).partition("/")
    return f"kubectl -n {target.settings.namespace} logs {kind.lower()}/{name} --tail=50"


@cache
def _workload(kubernetes: Kubernetes | None, namespace: str, server: Server) -> str:
    """KIND/NAME of the workload that runs a server; as the settings have it where the cluster does not tell."""
    if kubernetes is not None:
        with suppress(OpsError):
            return workloads.find(kubernetes, WantedWorkload.of(namespace, vars(server))).reference
    return server.named


def deploy_command(target: Target) -> str:
    """The command that deploys."""
    if target.is_sandbox:
        return "make sandbox-down sandbox"
    return f"pulumi up --stack {target.name}"


def verb_command(target: Target, verb: str) -> str:
    """One of our verbs on this target."""
    return f"bin/ops {verb} --target {target.name}"
