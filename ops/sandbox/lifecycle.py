"""Starts and stops the sandbox, and tells its state."""

import contextlib
import fcntl
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from formats.durations import humanize
from ops import build_tools
from ops.build_tools import Progress
from ops.build_tools import pulumi as built_engine
from ops.clients.alertmanager import Alertmanager
from ops.clients.http import Http
from ops.clients.prometheus import Prometheus
from ops.countdown import countdown
from ops.sandbox import cluster, handmade_stack, past_traffic, processes, pulumi_stack
from ops.sandbox import state as states
from ops.sandbox.cluster import Cluster
from ops.sandbox.mounts import Mounts
from ops.sandbox.parts import PORTS, Part, environment, parts
from ops.sandbox.ports import HOST, choose
from ops.sandbox.projection import deploy
from ops.sandbox.sandbox_errors import PortTaken, SandboxError
from ops.sandbox.state import PulumiAccess, State

if TYPE_CHECKING:
    from ops.stack.engine import Engine

ATTEMPTS = 3  # a free port may be taken before it is used
USUAL_HISTORY = 2 * 3600.0  # seconds; enough for every panel and long window to have data

_FOLDERS = ("cluster", "data", "mnt", "pulumi", "run", "tls")
_PROJECTOR = "projector"


class Sandbox:
    """The sandbox with all its files in `home`, a folder that is missing, empty, or a sandbox's."""

    def __init__(self, home: Path) -> None:
        self.home = home.absolute()
        self.mounts = Mounts(self.home)
        self._run = self.home / "run"

    @property
    def state(self) -> State | None:
        """What runs; None where it was not started, or was stopped."""
        return states.read(self.home)

    @property
    def ended(self) -> list[str]:
        """The names of the parts that have ended by themselves."""
        return [name for name, child in processes.recorded(self._run).items() if not child.alive]

    @property
    def prometheus(self) -> Prometheus:
        """A client of its Prometheus. Raises SandboxError where the sandbox does not run."""
        return Prometheus(Http(self._running().prometheus_url, name="Prometheus"))

    @property
    def alertmanager(self) -> Alertmanager:
        """A client of its Alertmanager. Raises SandboxError where the sandbox does not run."""
        return Alertmanager(Http(self._running().alertmanager_url, name="Alertmanager"))

    def up(
        self,
        progress: Progress = lambda line: None,
        *,
        ports: Mapping[str, int] | None = None,
        past: float = USUAL_HISTORY,
        with_engine: bool = False,
        deployed: bool = True,
    ) -> State:
        """Start the sandbox and deploy to it what this checkout says; where it runs, start only what has ended.

        `ports`: numbers for some of `parts.PORTS`; `past`: seconds of past traffic for Prometheus. `with_engine`: with
        a Kubernetes API, deployed by `pulumi up`; else the declared files are written to disk. `deployed` False:
        nothing is deployed. Raises SandboxError, PortTaken, ToolError, and what a deployment raises; all parts are
        stopped then.
        """
        with self.locked():
            state = self.state
            if state is not None and len(self.ended) < len(state.processes):
                state = self._resume(state, ports or {}, progress)
                return self._deployed(state, progress) if deployed else state
            started = time.monotonic()
            try:
                state = self._start_all(ports or {}, past, progress, with_engine)
                if with_engine:
                    state = self._write_state(state.ports, pulumi=pulumi_stack.access(self.home))
                if with_engine and not deployed:
                    self._stack(state)
                if deployed:
                    self._deployed(state, progress)
            except BaseException:
                self._stop()
                raise
            progress(f"the sandbox is up after {time.monotonic() - started:.1f} s")
            return state

    def down(self, progress: Progress = lambda line: None) -> list[str]:
        """Stop all parts; returns the names of those that were running. Raises SandboxError where one does not end."""
        if not self.home.exists():
            return []
        with self.locked():
            stopped = self._stop()
            if stopped:
                progress(f"stopped {', '.join(stopped)}")
            return stopped

    def stop(self, name: str, *, kill: bool = False) -> None:
        """Stop one part, with SIGKILL where `kill`; the state stays. Raises SandboxError where it does not end."""
        self._part(name)
        child = processes.recorded(self._run)[name]
        processes.stop(self._run, [name], grace=0.0 if kill else processes.GRACE, keep_record=True)
        if child.alive:
            raise SandboxError(f"{name} (pid {child.pid}) did not end; look at it with `ps`")

    def start(self, name: str) -> None:
        """Start one part again, on its ports, and wait until it is ready. Raises SandboxError or PortTaken."""
        part = self._part(name)
        if name in self.ended:
            self._start([part])
            self._write_state(self._running().ports)

    def control(
        self, scenario: str | Mapping[str, float], intensity: float | None = None, already: float = 0.0
    ) -> None:
        """Set the simulated application's scenario, or several (name → intensity), or "normal".

        `already`: seconds of this traffic that are added at once. Raises Refused for an unknown scenario.
        """
        wanted: dict[str, object] = {"already": already}
        if isinstance(scenario, str):
            wanted |= {"scenario": scenario} | ({} if intensity is None else {"intensity": intensity})
        else:
            wanted["scenarios"] = dict(scenario)
        with Http(self._running().application_url, name="the simulated application") as http:
            http.post("/control", json=wanted)

    def _running(self) -> State:
        state = self.state
        if state is None:
            raise SandboxError(f"no sandbox runs in {self.home}; start it with `make sandbox`")
        return state

    def _parts(self, ports: Mapping[str, int], progress: Progress) -> dict[str, Part]:
        """Every part by name, in the order of start; the projector last, as it needs the others."""
        made = parts(self.home, ports, progress)
        if cluster.PORTS[0] not in ports:
            return made
        projector = Part(
            _PROJECTOR,
            (sys.executable, "-m", "ops.sandbox.servers.projector", "--home", str(self.home)),
            environment(),
            (),
            (self.home / "cluster" / "projected").exists,
        )
        return {**Cluster(self.home).parts(ports, progress), **made, _PROJECTOR: projector}

    def _deployed(self, state: State, progress: Progress) -> State:
        """Deploy what this checkout says."""
        if state.pulumi:
            pulumi_stack.deploy(self._stack(state), progress)
        else:
            deploy(self.mounts, state, progress)
        return state

    def _stack(self, state: State) -> "Engine":
        """The Pulumi stack, made where there is none, with its settings written anew."""
        assert state.pulumi is not None
        return pulumi_stack.create(self.home, state.pulumi, pulumi_stack.settings(self.home, state))

    def _part(self, name: str) -> Part:
        known = self._parts(self._running().ports, lambda line: None)
        if name not in known:
            raise SandboxError(f"the sandbox has no part {name!r}; it has {', '.join(known)}")
        return known[name]

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock of the folder: one `up` or `down` at a time. Raises SandboxError where another one has it."""
        marker = self.home / ".sandbox-home"
        if self.home.exists() and not marker.exists() and any(self.home.iterdir()):
            raise SandboxError(f"{self.home} is not empty and is no sandbox's folder; set SANDBOX_HOME to another one")
        self.home.mkdir(parents=True, exist_ok=True)
        with marker.open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SandboxError(
                    f"the sandbox in {self.home} is being started or stopped by another command; try again later"
                ) from None
            yield

    def _resume(self, state: State, ports: Mapping[str, int], progress: Progress) -> State:
        """`up` of a running sandbox: start the parts that have ended, on their ports."""
        other = {name: port for name, port in ports.items() if state.ports.get(name) != port}
        if other:
            asked = ", ".join(f"{name}={port}" for name, port in other.items())
            raise SandboxError(
                f"the sandbox runs already, on other ports than {asked}; stop it first with make sandbox-down"
            )
        ended = self.ended
        if not ended:
            progress("the sandbox is running already; deploying to it what this checkout says")
            return state
        progress(f"the sandbox was up, but {', '.join(ended)} had ended; starting that again")
        known = self._parts(state.ports, progress)
        self._start([part for name, part in known.items() if name in ended])
        return self._write_state(state.ports)

    def _start_all(self, fixed: Mapping[str, int], past: float, progress: Progress, with_engine: bool) -> State:
        self._stop()  # what a killed `up` has left
        for folder in _FOLDERS:
            shutil.rmtree(self.home / folder, ignore_errors=True)
        names = (*PORTS, *(cluster.PORTS if with_engine else ()))
        choose(names, fixed)  # refuses wrong ports before the tools are built, which takes minutes
        build_tools.ensure(
            [*build_tools.SERVERS, *((*build_tools.CLUSTER, *built_engine.missing()) if with_engine else ())], progress
        )
        for attempt in range(1, ATTEMPTS + 1):
            ports = choose(names, fixed)
            wanted = self._parts(ports, progress)
            projector = wanted.pop(_PROJECTOR, None)
            handmade = handmade_stack.write(self.home, ports)
            if with_engine:
                Cluster(self.home).prepare(ports)
            history = past_traffic.PastTraffic(self.home / "data" / "prometheus", past)
            if past and attempt == 1:
                progress(f"writing {humanize(past)} of past traffic for Prometheus")
                history.traffic(countdown("blocks of it written", progress))
            progress(f"starting {', '.join(wanted)}")
            try:
                self._start(list(wanted.values()))
            except PortTaken:
                if attempt == ATTEMPTS or fixed:
                    raise
                progress("a port was taken by another program; trying others")
                processes.stop(self._run)
                continue
            if projector:
                password = self.mounts.smtp_password.read_text("utf-8")
                deployments = handmade_stack.deployments()
                Cluster(self.home).create_handmade_stack(handmade, password, deployments)
                self._start([projector])
            state = self._write_state(ports)
            if past:
                progress("evaluating the recording rules over it")
                history.recordings(state.prometheus_url, countdown("groups of rules evaluated", progress))
            return state
        raise AssertionError("unreachable")

    def _start(self, wanted: Sequence[Part]) -> None:
        """Start all parts, then wait until each is ready."""
        children = [
            processes.start(self._run, part.name, part.command, environment=part.environment, folder=self.home)
            for part in wanted
        ]
        for part, child in zip(wanted, children, strict=True):
            processes.wait_ready(child, part.ready, seconds=part.seconds, ports=part.ports)

    def _stop(self) -> list[str]:
        states.remove(self.home)
        # The projector first, as it would restart the servers.
        return [*processes.stop(self._run, [_PROJECTOR]), *processes.stop(self._run)]

    def _write_state(self, ports: Mapping[str, int], pulumi: PulumiAccess | None = None) -> State:
        url = {name: f"http://{HOST}:{port}" for name, port in ports.items()}
        before = self.state
        with_engine = cluster.PORTS[0] in ports
        state = State(
            prometheus_url=url["prometheus"],
            alertmanager_url=url["alertmanager"],
            application_url=url["application"],
            mail_url=url["mail"],
            smtp_smarthost=f"localhost:{ports['smtp']}",
            smtp_password_file=str(self.mounts.smtp_password),
            smtp_ca_file=str(self.home / "tls" / "ca.pem"),
            kubeconfig=str(Cluster(self.home).kubeconfig) if with_engine else None,
            namespace=cluster.NAMESPACE,
            ports=dict(ports),
            processes={
                name: {"pid": child.pid, "log": child.log} for name, child in processes.recorded(self._run).items()
            },
            pulumi=pulumi or (before.pulumi if before else None),
        )
        states.write(self.home, state)
        return state
