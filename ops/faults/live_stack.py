"""Prometheus, Alertmanager, a mail sink and three instances of the application, by a clock that runs faster.

All on loopback, with files in one folder. They are the servers of the sandbox; only the texts that they read differ.
"""

import contextlib
import re
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

import routing
from ops import build_tools
from ops.build_tools import Progress
from ops.clients.alertmanager import Alertmanager
from ops.clients.http import Http
from ops.clients.prometheus import Prometheus
from ops.faults import live_past, scaled_config
from ops.faults.instances import COUNT
from ops.faults.replayed import RHYTHM
from ops.faults.scaled_clock import Clock
from ops.sandbox import handmade_stack, parts, processes
from ops.sandbox.mounts import ALERTMANAGER, PROMETHEUS, Mounts
from ops.sandbox.past_traffic import TARGET
from ops.sandbox.ports import HOST, choose
from ops.sandbox.sandbox_errors import PortTaken, SandboxError

_DAY = datetime(2026, 1, 14, tzinfo=UTC).timestamp()  # a Wednesday without a holiday
_ATTEMPTS = 3  # a free port may be taken before it is used
_LEAD = 600.0  # seconds of the clock from the end of the past to the time at which the scenario should begin
_WRITING = 6.0  # real seconds that writing the past may take, so that it ends when Prometheus starts
_LOOKBACK = 300.0  # seconds of the clock, as Prometheus has by itself
_RESEND = 60.0  # likewise


@dataclass(frozen=True)
class Notice:
    """A mail that alerts fire: `at` a real moment, the receiver by which it came, and the alerts that it names."""

    at: float
    receiver: str
    alerts: tuple[str, ...]


class Stack:
    """What runs. `clock`: by which it goes."""

    def __init__(self, home: Path, ports: Mapping[str, int], clock: Clock) -> None:
        self.home, self.clock = home, clock
        self._ports = ports
        self._run = home / "run"
        self.prometheus = Prometheus(Http(_url(ports["prometheus"]), name="Prometheus"))
        self.alertmanager = Alertmanager(Http(_url(ports["alertmanager"]), name="Alertmanager"))
        self._mail = Http(_url(ports["mail"]), name="the mail sink")

    def control(self, instance: int, faults: Mapping[str, float]) -> None:
        """Set what goes wrong with the traffic of an instance, and its pace to that of the time of day."""
        pace = float(RHYTHM.pace(np.array([self.clock.shows(time.time())]))[0])
        with Http(_url(self._ports[_name(instance)]), name=f"instance {instance} of the application") as http:
            http.post("/control", json={"scenarios": dict(faults), "pace": pace})

    def kill(self, instance: int) -> None:
        """End the process of an instance."""
        processes.stop(self._run, [_name(instance)], grace=0.0)

    def start(self, instance: int) -> None:
        """Start an instance again; its counters begin at 0."""
        _start(self._run, [_instance(instance, self._ports, self.clock.speed)])
        self.control(instance, {})

    def mails(self) -> list[Notice]:
        """Every mail so far that says that an alert fires, oldest first."""
        found = []
        for mail in self._mail.get_json("/messages"):
            alerts = tuple(dict.fromkeys(re.findall(r"^FIRING: (\w+)", mail["text"], re.MULTILINE)))
            receiver = re.search(r"receiver=([\w-]+)", mail["text"])
            if alerts:
                found.append(Notice(float(mail["received"]), receiver[1] if receiver else "?", alerts))
        return found


@contextlib.contextmanager
def running(home: Path, at: float, lasts: float, speed: float, progress: Progress) -> Iterator[Stack]:
    """A stack in the empty folder `home`, whose clock shows about `at` (seconds after midnight); stopped at the end.

    It has a past for a scenario that lasts `lasts` seconds of its clock. Raises SandboxError or ToolError.
    """
    try:
        yield _started(home, at, lasts, speed, progress)
    finally:
        processes.stop(home / "run")


def _started(home: Path, at: float, lasts: float, speed: float, progress: Progress) -> Stack:
    build_tools.ensure(build_tools.SERVERS, progress)
    for attempt in range(1, _ATTEMPTS + 1):
        ports = choose([*map(_name, range(COUNT)), *parts.PORTS[1:]], {})
        ports["application"] = ports[_name(0)]
        try:
            return _start_all(home, ports, at, lasts, speed, progress)
        except PortTaken:
            processes.stop(home / "run")
            if attempt == _ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def _start_all(
    home: Path, ports: Mapping[str, int], at: float, lasts: float, speed: float, progress: Progress
) -> Stack:
    run = home / "run"
    servers = parts.parts(home, ports, progress)
    mounts = Mounts(home)
    handmade_stack.write(home, ports)  # the certificate, the password; the other texts are replaced
    smtp = {"smarthost": f"localhost:{ports['smtp']}", "user": "drill", "password_file": str(mounts.smtp_password)}
    config = scaled_config.alertmanager_text(routing.load().config, Clock(speed, 0.0, 0.0), **smtp)
    mounts.write(ALERTMANAGER, "", {"alertmanager.yml": config})
    instances = [_instance(number, ports, speed) for number in range(COUNT)]
    progress("starting Alertmanager, the mail sink and three instances of the application")
    _start(run, [servers["mail-sink"], servers["alertmanager"], *instances])

    progress("writing the past, a week and a day of it")
    clock = Clock(speed, time.time() + _WRITING, _DAY + at - _LEAD)
    live_past.write(home / "data" / "prometheus", clock, lasts)
    mounts.write(PROMETHEUS, "rules", scaled_config.rule_texts(clock), only=True)
    text = scaled_config.prometheus_text(
        clock,
        alertmanager=f"{HOST}:{ports['alertmanager']}",
        rule_files=f"{mounts.rules}/*.yml",
        job=TARGET["job"],
        targets={instance_label(number): f"{HOST}:{ports[_name(number)]}" for number in range(COUNT)},
    )
    mounts.write(PROMETHEUS, "", {"prometheus.yml": text})
    progress("starting Prometheus with it")
    server = servers["prometheus"]
    flags = (
        f"--query.lookback-delta={clock.shortened(_LOOKBACK)}",
        f"--rules.alert.resend-delay={clock.shortened(_RESEND)}",
    )
    _start(run, [replace(server, command=(*server.command, *flags))])
    stack = Stack(home, ports, clock)
    for number in range(COUNT):
        stack.control(number, {})  # its pace
    return stack


def instance_label(number: int) -> str:
    """The label `instance` of an instance."""
    return f"rsolv-platform-{number}:4000"


def _instance(number: int, ports: Mapping[str, int], speed: float) -> parts.Part:
    port = ports[_name(number)]
    command = (sys.executable, "-m", "ops.sandbox.servers.application", "--port", str(port))
    options = ("--share", f"{1 / COUNT:.6f}", "--speed", f"{speed:g}")
    return parts.Part(
        _name(number),
        (*command, *options),
        parts.environment(),
        (port,),
        lambda: parts.answers(_url(port), "/control"),
    )


def _start(run: Path, wanted: list[parts.Part]) -> None:
    children = [processes.start(run, part.name, part.command, environment=part.environment) for part in wanted]
    for part, child in zip(wanted, children, strict=True):
        processes.wait_ready(child, part.ready, seconds=part.seconds, ports=part.ports)


def _name(instance: int) -> str:
    return f"application-{instance}"


def _url(port: int) -> str:
    return f"http://{HOST}:{port}"


def wait_settled(stack: Stack, at: float) -> None:
    """Wait until all instances have been scraped for a while, nothing but the watchdog is pending or firing, and the
    clock shows `at`. Raises SandboxError where that does not come.
    """
    begin = time.monotonic()
    up = f'count_over_time(up{{job="{TARGET["job"]}"}}[{stack.clock.shortened(600)}])'
    enough = 0.9 * 360 / scaled_config.SCRAPE_INTERVAL  # six minutes of scrapes, so that a window of five is full
    while True:
        found = [one.value for one in stack.prometheus.query(up)]
        noisy = sorted({one.name for one in stack.prometheus.alerts() if one.labels.get("severity") != "none"})
        late = stack.clock.shows(time.time()) >= _DAY + at
        if len(found) >= COUNT and min(found) >= enough and not noisy and late:
            return
        if time.monotonic() - begin > max(60.0, 1800 / stack.clock.speed):
            what = f"{', '.join(noisy)} pending or firing" if noisy else "too few scrapes"
            raise SandboxError(
                f"before anything went wrong there were {what}, for {time.monotonic() - begin:.0f} s: the machine may "
                "have too much to do for such a speed; try a lower --speed"
            )
        time.sleep(0.1)
