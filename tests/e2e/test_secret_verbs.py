"""Each verb once on a stack in `alertmanagerMode: secret`, as a person calls it: with a stack file and a history."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

import rules
from ops.sandbox import pulumi_stack
from ops.stack.engine import Engine, StackAccess
from tests.e2e import test_secret_text
from tests.e2e.rig import Rig
from tests.e2e.test_secret_text import MARKER, Kept
from tests.support.limits import changed, other
from tests.support.waiting import PATIENCE, until

STACK = "held"
ALERT = rules.alerts()["APIP95LatencyHigh"]
GIT = {f"GIT_{who}_{what}": "ada@x.test" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@dataclass
class Held:
    """A stack of its own in the sandbox's backend; the program's copy is a git repository, in which its file stands."""

    kept: Kept
    engine: Engine

    @property
    def rig(self) -> Rig:
        return self.kept.rig

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.rig.program, env=os.environ | GIT, check=True, capture_output=True)

    def deploy(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        self.engine.up(self.rig.said.append)

    def ops(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        """What a verb says; no word of the Secret, and no traceback, is in it."""
        done = subprocess.run(
            [sys.executable, "-m", "ops", *arguments, "--target", STACK],
            cwd=self.rig.program,
            env={**os.environ, **self.engine.env, **GIT, "PYTHONPATH": str(self.rig.program), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=3 * PATIENCE,
            check=False,
        )
        said = done.stdout + done.stderr
        print(f"$ ops {' '.join(arguments)} ({done.returncode})\n{said}")
        assert done.returncode in codes, said[-4000:]
        self.is_clean(said)
        return said

    def is_clean(self, text: str) -> None:
        assert "Traceback" not in text
        for secret in (MARKER, self.rig.sandbox.mounts.smtp_password.read_text("utf-8")):
            assert secret not in text

    def running(self) -> str:
        """The expression of the alert that Prometheus runs."""
        groups = self.rig.sandbox.prometheus.rules()
        return next(rule.query for group in groups for rule in group.rules if rule.name == ALERT.name)


@pytest.fixture
def held(rig: Rig) -> Iterator[Held]:
    kept = test_secret_text.mounted(rig, "alertmanager.yaml")
    file = rig.program / f"Pulumi.{STACK}.yaml"
    engine = Engine(StackAccess(STACK, env=rig.engine.access.env, config_file=file), rig.program)
    engine.create()
    found = Held(kept, engine)
    try:
        pulumi_stack.configure(engine, {**rig.usual, **test_secret_text.settings(kept)})
        found.git("init", "-q")
        (rig.program / ".git" / "info" / "exclude").write_text(".venv\n*.md.out\n", encoding="utf-8")
        yield found
    finally:
        engine.destroy()
        shutil.rmtree(rig.program / ".git", ignore_errors=True)
        file.unlink(missing_ok=True)


def test_each_verb_once(held: Held) -> None:
    rig, first = held.rig, held.kept.data()
    held.deploy("As it was")
    before = held.running()
    path = rig.program / "rules" / ALERT.file.name
    path.write_text(changed(ALERT, other(ALERT))(path.read_text("utf-8")), encoding="utf-8")
    held.deploy("Raise a limit")
    assert held.running() != before

    page = rig.program.parent / "report.md"
    held.ops("report", "--out", str(page), "--window", "1h")
    text = page.read_text("utf-8")
    held.is_clean(text)
    assert ALERT.name in text and STACK in text

    said = held.ops("review", "--base", "HEAD~1", "--window", "1h")
    assert "1 alert changes" in said and ALERT.name in said and "13 unchanged" in said

    def has_route() -> bool:  # in its first minutes a recording may have no value yet, and the diagnosis ends there
        return "✓ route" in held.ops("diagnose", "alerts", codes=(0, 1))  # 1: the sandbox has no past here

    until(has_route, "what Alertmanager runs is not found to be ours", every=2)

    said = held.ops("test-alert")
    assert "✓ mail" in said

    held.ops("rollback", "--yes", codes=(0, 1))  # 1: `verify` has findings, as the sandbox has no past here
    assert held.running() == before
    held.kept.nothing_is_seen()
    held.engine.destroy()
    assert held.kept.data() == first
