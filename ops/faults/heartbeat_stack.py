"""Prometheus, Alertmanager, the mail relay and a dead man's switch, by a clock that runs faster, each to be killed.

All on loopback, with files in one folder. Prometheus has the watchdog alone: it is what the heartbeat is made of.
"""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import routing
from components.settings import Heartbeat, OnCall
from formats.json_types import JsonObject
from ops import build_tools
from ops.build_tools import Progress
from ops.clients.alertmanager import Alertmanager
from ops.clients.http import Http
from ops.faults import scaled_config
from ops.faults.scaled_clock import Clock
from ops.sandbox import handmade_stack, parts, processes
from ops.sandbox.mounts import ALERTMANAGER, PROMETHEUS, Mounts
from ops.sandbox.past_traffic import TARGET
from ops.sandbox.ports import HOST, choose
from ops.sandbox.sandbox_errors import PortTaken, SandboxError
from routing.on_call import with_on_call

SWITCH, RELAY = "dead-mans-switch", "mail-sink"
INTERVAL, GRACE = 60.0, 300.0  # seconds of the clock: of the heartbeat, and what a switch waits longer
_RESEND = 60.0  # seconds of the clock, as Prometheus has by itself
_PORTS = ("mail", "smtp", "switch", "alertmanager", "prometheus")
_RULES = "watchdog.yml"
_ATTEMPTS = 3  # a free port may be taken before it is used
_PATIENCE = 60.0  # real seconds on top, for a machine that has much to do


@dataclass(frozen=True)
class Heard:
    """What the switch has heard: the moments of the beats, and since when it calls; None while it does not."""

    beats: tuple[float, ...]
    missing_since: float | None


class Stack:
    """What runs. `clock`: by which it goes."""

    def __init__(self, home: Path, ports: Mapping[str, int], clock: Clock, made: Mapping[str, parts.Part]) -> None:
        self.clock = clock
        self._run, self._made = home / "run", made
        self._mail = Http(f"http://{HOST}:{ports['mail']}", name="the mail relay")
        self._switch = Http(f"http://{HOST}:{ports['switch']}", name="the dead man's switch")
        self.alertmanager = Alertmanager(Http(f"http://{HOST}:{ports['alertmanager']}", name="Alertmanager"))

    def kill(self, part: str) -> None:
        """End a part's process at once."""
        processes.stop(self._run, [part], grace=0.0)

    def start(self, *names: str) -> None:
        """Start parts, and wait until they are ready. Raises SandboxError or PortTaken."""
        made = [self._made[name] for name in names]
        children = [processes.start(self._run, one.name, one.command, environment=one.environment) for one in made]
        for one, child in zip(made, children, strict=True):
            processes.wait_ready(child, one.ready, seconds=one.seconds, ports=one.ports)

    def heard(self) -> Heard:
        """What the switch has heard since it was last told to forget."""
        state = self._switch.get_json("/state")
        return Heard(tuple(state["beats"]), state["missing_since"])

    def forget(self) -> None:
        """Let the switch wait for a first beat."""
        self._switch.post("/forget", json={})

    def mails(self) -> list[JsonObject]:
        """The mails that the relay has taken since its start, oldest first."""
        found: list[JsonObject] = self._mail.get_json("/messages")
        return found

    def until(self, holds: Callable[[], object], within: float, what: str) -> None:
        """Wait until `holds`, at most for `within` seconds of the clock and a while. Raises SandboxError."""
        begin = time.monotonic()
        while not holds():
            if time.monotonic() - begin > within / self.clock.speed + _PATIENCE:
                raise SandboxError(f"{what}, for {time.monotonic() - begin:.0f} s; run it again on a machine at rest")
            time.sleep(0.05)


@contextlib.contextmanager
def running(home: Path, speed: float, progress: Progress) -> Iterator[Stack]:
    """A stack in the empty folder `home`; stopped at the end. Raises SandboxError or ToolError."""
    try:
        build_tools.ensure(build_tools.SERVERS, progress)
        yield _started(home, speed, progress)
    finally:
        processes.stop(home / "run")


def _started(home: Path, speed: float, progress: Progress) -> Stack:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            stack = _prepared(home, speed, progress)
            stack.start(SWITCH, RELAY, "alertmanager", "prometheus")
        except PortTaken:
            processes.stop(home / "run")
            if attempt == _ATTEMPTS:
                raise
        else:
            return stack
    raise AssertionError("unreachable")


def _prepared(home: Path, speed: float, progress: Progress) -> Stack:
    """Write what the servers read."""
    ports = choose([*_PORTS, "application"], {})
    made, mounts, clock = parts.parts(home, ports, progress), Mounts(home), Clock(speed, 0.0, 0.0)
    handmade_stack.write(home, ports)  # the certificate, the password; the other texts are replaced
    url = mounts.folder(ALERTMANAGER, "heartbeat/url")
    url.parent.mkdir(parents=True, exist_ok=True)
    url.write_text(f"http://{HOST}:{ports['switch']}/beat", encoding="utf-8")
    heartbeat = Heartbeat(str(url), f"{INTERVAL:.0f}s")
    written = with_on_call(routing.load(), OnCall(None, None, None, None, None, heartbeat))
    smtp = {"smarthost": f"localhost:{ports['smtp']}", "user": "drill", "password_file": str(mounts.smtp_password)}
    text = scaled_config.alertmanager_text(written.config, clock, **smtp)
    mounts.write(ALERTMANAGER, "", {"alertmanager.yml": text})
    mounts.write(PROMETHEUS, "rules", {_RULES: scaled_config.rule_texts(clock)[_RULES]}, only=True)
    text = scaled_config.prometheus_text(
        clock,
        alertmanager=f"{HOST}:{ports['alertmanager']}",
        rule_files=f"{mounts.rules}/*.yml",
        job=TARGET["job"],
        targets={},
    )
    mounts.write(PROMETHEUS, "", {"prometheus.yml": text})
    resend = f"--rules.alert.resend-delay={clock.shortened(_RESEND)}"
    prometheus = replace(made["prometheus"], command=(*made["prometheus"].command, resend))
    return Stack(home, ports, clock, {**made, "prometheus": prometheus, SWITCH: _switch(ports["switch"], clock)})


def _switch(port: int, clock: Clock) -> parts.Part:
    command = (sys.executable, "-m", "ops.sandbox.servers.dead_mans_switch", "--port", str(port))
    patience = ("--period", f"{INTERVAL / clock.speed:.3f}", "--grace", f"{GRACE / clock.speed:.3f}")
    ready = f"http://{HOST}:{port}"
    return parts.Part(
        SWITCH, (*command, *patience), parts.environment(), (port,), lambda: parts.answers(ready, "/state")
    )
