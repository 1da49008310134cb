"""A sandbox's whole life with the servers that $SANDBOX_PROMETHEUS and $SANDBOX_ALERTMANAGER name.

    python -m tests.compat.life

Deployed by a real `pulumi up` from a copy of the program, in which one alert fires sooner; then looked at, and taken
back, by the same commands that a person has. Prints a line of JSON a step.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import routing
import rules
from formats.versions import number
from ops.clients.http import Http
from ops.clients.mailbox import Mail, MailSink
from ops.errors import OpsError
from tests.e2e.rig import Rig
from tests.support.our_routes import receiver_of
from tests.support.waiting import PATIENCE, until

STEPS = ("deploy", "nothing to do", "verify", "test alert", "fault to mail", "too new", "destroy")

ALERT = "APIErrorRateCritical"  # the one that is brought about
SCENARIO = "errors"


# Something that a server does not know: since when it is known, and a change that uses it (file, what, by what).
_END = "groups:\n  - name: n\n    interval: 1m\n    rules:\n      - record: a:b\n        expr: vector(end())\n"
_GROUP, _RULES = "    interval: 1s\n", "rules/api-performance-alerts.yml"
_SLACK = "    slack_configs:\n      - {api_url_file: /nowhere, update_message: true}\n"
_RECEIVER, _ROUTING = f"  - name: {receiver_of(ALERT)}\n", "routing/alertmanager.yml"
TOO_NEW: Mapping[str, Sequence[tuple[str, str, str, str]]] = {
    "prometheus": (
        ("2.53", _RULES, _GROUP, f"{_GROUP}    query_offset: 1s\n"),
        ("3.0", _RULES, _GROUP, f"{_GROUP}    labels:\n      team: one\n"),
        ("3.12", "rules/watchdog.yml", "", _END),
    ),
    "alertmanager": (("0.32", _ROUTING, _RECEIVER, f"{_RECEIVER}{_SLACK}"),),
}


@dataclass(frozen=True)
class Step:
    """`said`: why it failed, in a sentence; "" where it passed. `tried`: whether there was anything to be done."""

    name: str
    seconds: float
    said: str
    tried: bool = True


class Failed(Exception):
    """A step did not do what it should."""


class NothingToDo(Exception):
    """The step makes no sense with these servers."""


class Life:
    """The steps, by the names in STEPS; each raises Failed or ops.errors."""

    def __init__(self, folder: Path) -> None:
        self.rig = Rig(folder)

    def begin(self) -> None:
        """Start everything; the program's copy fires ALERT at the first look, and looks each second."""
        self.rig.start()
        alert = rules.alerts()[ALERT]
        path = self.rig.program / "rules" / alert.file.name
        lines = path.read_text("utf-8").splitlines(keepends=True)
        ours = range(alert.line, alert.line + 40)
        at = next(number for number in ours if re.match(r"\s*for: ", lines[number]))
        lines[at] = re.sub(r"for: \S+", "for: 0s", lines[at])
        group = next(number for number, line in enumerate(lines) if f"name: {alert.group}\n" in line)
        lines[group + 1] = re.sub(r"interval: \S+", "interval: 1s", lines[group + 1])
        path.write_text("".join(lines), encoding="utf-8")
        for name, runs in self._versions().items():
            if (own := os.environ.get(f"SANDBOX_{name.upper()}")) and runs not in _told(own):
                raise Failed(f"{name} {runs} runs, and {own} should")

    def deploy(self) -> None:
        self.rig.up()
        missing = {*rules.alerts()} - self.rig.rules()
        if missing:
            raise Failed(f"Prometheus does not run {', '.join(sorted(missing))}")

    def nothing_to_do(self) -> None:
        if changes := self.rig.preview():
            raise Failed(f"a preview right after it wants to change {changes}")

    def verify(self) -> None:
        self._ops("verify", "--target", "sandbox", "--wait", "60")

    def test_alert(self) -> None:
        self._ops("test-alert", "--target", "sandbox")

    def fault_to_mail(self) -> None:
        self.rig.sandbox.control(SCENARIO, already=300)
        try:
            mail = self._mail()
        finally:
            self.rig.sandbox.control("normal")
        summary = rules.alerts()[ALERT].annotations["summary"]
        if not mail.mentions(summary) or "Critical" not in mail.subject:
            raise Failed(f"the mail {mail.subject!r} does not say {summary!r}")

    def too_new(self) -> None:
        """For each server the first thing that its version does not know: a preview refuses it, and says so."""
        changes = [(name, runs, change) for name, runs in self._versions().items() for change in _unknown(name, runs)]
        if not changes:
            raise NothingToDo
        for name, runs, (since, file, old, new) in changes:
            path = self.rig.program / file
            before = path.read_text("utf-8")
            path.write_text(before.replace(old, new, 1) if old else new, encoding="utf-8")
            try:
                said = self.rig.refused(self.rig.preview)
            except AssertionError as problem:
                raise Failed(f"a preview with what {name} knows since {since}: {problem}") from None
            finally:
                path.write_text(before, encoding="utf-8")
            if f"is {runs}, and" not in said or f"knows since {since}: upgrade it" not in said:
                raise Failed(f"a preview with what {name} knows since {since} says: {said}")

    def destroy(self) -> None:
        self.rig.destroy()
        changed = [name for name, was in self.rig.before.items() if self.rig.objects().get(name) != was]
        if changed or self.rig.objects() != self.rig.before:
            raise Failed(f"not as it was before: {', '.join(changed) or 'something is left'}")
        ours = {receiver["name"] for receiver in routing.load().parts(None).receivers}
        if left := ({*rules.alerts()} & self.rig.rules()) | (ours & self.rig.receivers()):
            raise Failed(f"still run: {', '.join(sorted(left))}")

    def end(self) -> None:
        self.rig.sandbox.down()

    def _versions(self) -> dict[str, str]:
        """Server → the version that runs."""
        sandbox = self.rig.sandbox
        return {"prometheus": sandbox.prometheus.version(), "alertmanager": sandbox.alertmanager.version()}

    def _mail(self) -> Mail:
        """The first mail of ALERT."""
        state = self.rig.sandbox.state
        assert state is not None
        with Http(state.mail_url, name="the mail sink") as http:
            sink = MailSink(http)
            try:
                return until(lambda: next((mail for mail in sink.messages() if ALERT in mail.subject), None))
            except AssertionError:
                raise Failed(f"no mail of {ALERT} within {PATIENCE:g} s") from None

    def _ops(self, *arguments: str) -> None:
        """A verb of the copy, as a person would run it there."""
        done = subprocess.run(
            [sys.executable, "-m", "ops", *arguments, "--format", "json"],
            cwd=self.rig.program,
            env={**os.environ, "SANDBOX_HOME": str(self.rig.sandbox.home)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Failed(_findings(done.stdout) or done.stderr.strip() or f"it ended with {done.returncode}")


def _told(program: str) -> str:
    """What a program says of its version."""
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


def _unknown(server: str, version: str) -> Sequence[tuple[str, str, str, str]]:
    """The first of TOO_NEW that a version does not know; none where it knows all."""
    return [change for change in TOO_NEW[server] if (number(change[0]) or ()) > (number(version) or ())][:1]


def _findings(text: str) -> str:
    """What a verb's report says of what is not in order."""
    try:
        checks = json.loads(text)["checks"]
    except (ValueError, KeyError, TypeError):
        return text.strip()
    return "; ".join(f"{check['name']}: {check['detail']}" for check in checks if check["status"] == "fail")


def run(say: Callable[[Step], None]) -> None:
    """All steps, each told to `say`; what cannot follow from one that failed is left out."""
    with tempfile.TemporaryDirectory() as folder:
        life = Life(Path(folder))
        try:
            life.begin()
            for name in STEPS:
                step = _timed(name, getattr(life, name.replace(" ", "_")))
                say(step)
                if name == "deploy" and step.said:
                    break
        finally:
            life.end()


def _timed(name: str, act: Callable[[], None]) -> Step:
    started = time.monotonic()
    said, tried = "", True
    try:
        act()
    except NothingToDo:
        tried = False
    except (Failed, OpsError) as problem:
        said = " ".join(str(problem).split())
    return Step(name, round(time.monotonic() - started, 1), said, tried)


if __name__ == "__main__":
    run(lambda step: print(json.dumps(asdict(step)), flush=True))
