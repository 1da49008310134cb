"""The life of this program on a layout: the same seven steps on every one, each with what has to be true after it.

A layout says how it is made, what of it is looked at, and what somebody else does to it: tests/e2e/layouts.py.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pytest

import routing
import rules
from ops.clients.alertmanager import Alertmanager
from ops.clients.prometheus import Prometheus
from tests.e2e.rig import Rig
from tests.e2e.test_killed import killed
from tests.support.limits import changed, other
from tests.support.waiting import until

RULES = {*rules.alerts(), *rules.recordings()}
RECEIVERS = {str(receiver["name"]) for receiver in routing.load().parts(None).receivers}
ALERT = rules.alerts()["APIP95LatencyHigh"]
EDITED = "# edited by somebody else\n"


class Layout:
    """Others' stack, as they have it. `title`: as docs/compatibility.md has it; `page`: of docs/stacks/, if any.

    `name`: of the test's parameter; `before`, `texts_before`: what stood there when it was made.
    """

    name = ""
    title = ""
    page = ""
    their_rules = frozenset({"PlatformTargetDown", "StripeWebhooksStopped"})
    their_receivers = frozenset({"default", "billing"})
    our_receivers = frozenset(RECEIVERS)

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.before: object = None
        self.texts_before: dict[str, str] = {}

    @contextmanager
    def made(self, request: pytest.FixtureRequest) -> Iterator[None]:
        """The layout stands, and the stack's settings are those for it."""
        with self.stands(request):
            self.before, self.texts_before = self.stored(), self.texts()
            yield

    @contextmanager
    def stands(self, request: pytest.FixtureRequest) -> Iterator[None]:  # noqa: ARG002
        """How it is made; to be replaced. The usual one is the hand-made stack with the usual settings."""
        yield

    # ── what is looked at ─────────────────────────────────────────────────────────────────────────

    def stored(self) -> object:
        """All that a destroy has to give back."""
        return self.rig.objects()

    def servers(self) -> tuple[list[Prometheus], list[Alertmanager]]:
        """Every replica."""
        return [self.rig.sandbox.prometheus], [self.rig.sandbox.alertmanager]

    def texts(self) -> dict[str, str]:
        """The texts of others in which we have a part, or beside which we put ours: name → text."""
        raise NotImplementedError

    def write(self, name: str, text: str) -> None:
        """Somebody else writes one of `texts`."""
        raise NotImplementedError

    def runs(self, our_rules: set[str], our_receivers: set[str]) -> bool:
        """Whether every replica runs exactly these of ours, and all that others have."""
        prometheus, alertmanager = self.servers()
        return all(set(_queries(one)) == our_rules | self.their_rules for one in prometheus) and all(
            set(one.receivers()) == our_receivers | self.their_receivers for one in alertmanager
        )

    def runs_ours(self) -> bool:
        return self.runs(RULES, set(self.our_receivers))

    # ── the seven steps ───────────────────────────────────────────────────────────────────────────

    def preview(self) -> None:
        """It says what it would make, and writes nothing."""
        assert self.rig.preview()["create"] > 0
        assert self.stored() == self.before

    def kill(self) -> None:
        """SIGKILL of the first `up` and all its processes as soon as it has written something."""
        killed(self.rig, lambda: self.stored() != self.before)

    def up(self) -> None:
        """The next one makes all of it; it ends when both servers run it, and what others had runs on."""
        self.rig.up()
        assert self.runs_ours()

    def no_change(self) -> None:
        """The next preview has nothing to do, also after a look at every object."""
        assert self.rig.preview(refresh=True) == {}, "".join(self.rig.said)

    def limit(self) -> None:
        """A changed limit is shown by a preview as an update, and runs after `up`."""
        file = self.rig.program / "rules" / ALERT.file.name
        file.write_text(changed(ALERT, other(ALERT))(file.read_text("utf-8")), encoding="utf-8")
        assert set(self.rig.preview()) == {"update"}
        assert other(ALERT) in "".join(self.rig.said)
        self.rig.up()
        prometheus, _ = self.servers()
        assert all(_queries(one)[ALERT.name].endswith(other(ALERT)) for one in prometheus)

    def foreign_edit(self) -> None:
        """What others write beside ours is theirs; texts that they write anew, without ours, get ours back."""
        for name, text in self.texts().items():
            self.write(name, EDITED + text)
        assert self.rig.preview() == {}, "".join(self.rig.said)
        for name, text in self.texts_before.items():
            self.write(name, EDITED + text)
        assert self.rig.preview()["update"] >= 1
        assert "is gone or was changed by somebody else" in "".join(self.rig.said)
        self.rig.up()
        assert self.runs_ours()

    def destroy(self) -> None:
        """Every object is as before, byte for byte, with the edits of others; the servers run without us."""
        self.rig.destroy()
        self.gives_back()
        assert self.stored() == self.before
        until(lambda: self.runs(set(), set()))

    def gives_back(self) -> None:
        """The texts are those of `foreign_edit`; they are then written as they were at first."""
        assert self.texts() == {name: EDITED + text for name, text in self.texts_before.items()}
        for name, text in self.texts_before.items():
            self.write(name, text)


# The columns of docs/compatibility.md, in the order of a life.
STEPS: Mapping[str, Callable[[Layout], None]] = {
    "preview": Layout.preview,
    "kill": Layout.kill,
    "up": Layout.up,
    "no change": Layout.no_change,
    "limit": Layout.limit,
    "foreign edit": Layout.foreign_edit,
    "destroy": Layout.destroy,
}


def lives(layout: Layout) -> None:
    """All steps, one after the other."""
    for step in STEPS.values():
        getattr(layout, step.__name__)()


def _queries(prometheus: Prometheus) -> dict[str, str]:
    return {rule.name: rule.query for group in prometheus.rules() for rule in group.rules}
