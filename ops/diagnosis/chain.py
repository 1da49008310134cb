"""Walking a chain of links: each is looked at only if all before it hold, and the first that does not is named."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from rich.markup import escape

from ops.checks import Check, findings, skipped
from ops.errors import OpsError
from ops.options import console
from ops.targets import Target

NOT_REACHED = "not reached"
AS_INTENDED = "as meant, "


@dataclass(frozen=True, slots=True)
class Step:
    """What was found at a link: it holds, it is broken, or it does not apply. `next`: the command to go on with."""

    status: Literal["pass", "fail", "skip"]
    detail: str
    next: str = ""


def ok(detail: str) -> Step:
    """The link holds."""
    return Step("pass", detail)


def intended(detail: str) -> Step:
    """The link holds an alert back, and was made to: no fault, but the answer to why nothing comes."""
    return Step("pass", AS_INTENDED + detail)


def broken(detail: str, next: str) -> Step:
    """The link is broken; `next` is the command that shows more or mends it."""
    return Step("fail", detail, next)


def not_applicable(detail: str) -> Step:
    """The link does not apply, or cannot be seen from here; the walk goes on."""
    return Step("skip", detail)


def from_check(check: Check, next: str) -> Step:
    """A check as a link."""
    return Step(check.status, check.detail, next if check.status == "fail" else "")


class Link(NamedTuple):
    """`when_unanswered`: the command to go on with when what the link asks does not answer."""

    name: str
    check: Callable[[], Step]
    when_unanswered: str


@dataclass(frozen=True)
class Diagnosis:
    """A chain, walked. `broken`: the name of the first broken link; `incomplete`: it could not even be looked at."""

    target: str
    tree: str
    links: tuple[Check, ...]
    broken: str | None
    next: str | None
    incomplete: bool

    @property
    def as_intended(self) -> str:
        """What holds back an alert as it should, in a sentence; empty when nothing does."""
        return "".join(
            f" As{one.detail.removeprefix('as')}." for one in self.links if one.detail.startswith(AS_INTENDED)
        )

    @property
    def exit_code(self) -> int:
        """0: nothing is broken. 1: a link is. 2: a link could not be looked at."""
        return 2 if self.incomplete else 1 if self.broken else 0

    def as_json(self) -> dict[str, object]:
        """The shape that programs read."""
        return {
            "target": self.target,
            "tree": self.tree,
            "links": [{"name": one.name, "status": one.status, "detail": one.detail} for one in self.links],
            "broken": self.broken,
            "next": self.next,
        }


def walk(target: str, tree: str, links: Sequence[Link]) -> Diagnosis:
    """Look at one link after the other, up to the first broken one; the rest is listed as not reached."""
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
    """Print it for people: as verify does, then the first broken link and the next command, or `all_ok`."""
    findings.show(findings.Report(diagnosis.target, diagnosis.links, diagnosis.incomplete))
    out = console()
    if diagnosis.broken is None:
        out.print(escape(all_ok))
        return
    out.print(f"First broken link: [bold]{escape(diagnosis.broken)}[/]")
    out.print(f"Next: {escape(diagnosis.next or '')}")


def log_command(target: Target, deployment: str) -> str:
    """The command that shows the log of one of the servers."""
    if target.is_sandbox:
        return "make sandbox"
    return f"kubectl -n {target.settings.namespace} logs deployment/{deployment} --tail=50"


def deploy_command(target: Target) -> str:
    """The command that brings what the repository says to where it runs."""
    if target.is_sandbox:
        return "make sandbox-down sandbox"
    return f"pulumi up --stack {target.name}"


def verb_command(target: Target, verb: str) -> str:
    """One of our verbs on this target."""
    return f"bin/ops {verb} --target {target.name}"
