"""A stack on a real API server, deployed by a real engine from a copy of the program, and edited by somebody else."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import psutil

import rules
from formats.json_types import JsonObject, JsonValue
from ops.errors import OpsError
from ops.sandbox import pulumi_stack
from ops.sandbox.cluster import NAMESPACE, Cluster
from ops.sandbox.lifecycle import Sandbox
from ops.stack.engine import Engine
from tests.support.checkout import ROOT
from tests.support.waiting import PATIENCE, until

WORKLOADS = ("deployment", "statefulset")
OURS = ("api-performance-alerts", "dashboard-api-performance-baseline", "api-monitoring-smtp")


def kill(process: subprocess.Popen[str]) -> None:
    """SIGKILL a process and all that it has started.

    By its session: the engine gives each plugin a process group of its own, so no group has them all.
    """
    for pid in psutil.pids():
        with contextlib.suppress(ProcessLookupError):
            if os.getsid(pid) == process.pid:
                os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=PATIENCE)


def _touched_since(file: Path, moment: int) -> bool:
    return file.stat().st_mtime_ns != moment


class Rig:
    """The sandbox with an engine, nothing deployed; `program` is the copy that is run, to be edited at will."""

    def __init__(self, folder: Path) -> None:
        self.sandbox = Sandbox(folder / "home")
        self.program = folder / "program"
        self.said: list[str] = []

    def start(self) -> None:
        state = self.sandbox.up(print, past=0, with_engine=True, deployed=False)
        assert state.pulumi is not None
        self.cluster = Cluster(self.sandbox.home)
        self.usual = {**pulumi_stack.settings(self.sandbox.home, state), "liveTimeout": round(PATIENCE)}
        self.engine: Engine = pulumi_stack.create(self.sandbox.home, state.pulumi, self.usual).at(self.program)
        self.copy_program()
        self.before = self.objects()

    def copy_program(self) -> None:
        """The checkout's files as they stand; a commit is not needed, and nothing is written to the checkout."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                (self.program / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.program / name)
        if not (self.program / ".venv").exists():
            (self.program / ".venv").symlink_to(ROOT / ".venv")

    # ── what we do ────────────────────────────────────────────────────────────────────────────────

    def configure(self, **settings: object) -> None:
        """The usual settings, with these instead."""
        pulumi_stack.configure(self.engine, {**self.usual, **settings})

    def up(self, *, refresh: bool = False) -> dict[str, int]:
        self.said = []
        return self.engine.up(self.said.append, refresh=refresh)

    @property
    def env(self) -> dict[str, str]:
        """The environment in which a person's `pulumi` is about this stack."""
        return {**os.environ, **self.engine.env}

    @property
    def events(self) -> Path:
        """Where an `up_in_a_process` writes down what it does, an event of the engine's a line."""
        return self.program / ".events"

    def up_in_a_process(self) -> subprocess.Popen[str]:
        """`pulumi up` as a process group of its own, to be killed, or to be another one's rival."""
        access = self.engine.access
        self.events.unlink(missing_ok=True)
        command = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--stack", access.stack]
        return subprocess.Popen(
            [*command, "--config-file", str(access.config_file), "--event-log", str(self.events)],
            cwd=self.program,
            # Killed, it leaves a copy of the kubeconfig in the temporary folder: in this one, then.
            env={**self.env, "PULUMI_DEBUG_COMMANDS": "true", "TMPDIR": str(self.program.parent)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        )

    def begun(self) -> list[str]:
        """What the `up_in_a_process` has begun to create by now: `TYPE::NAME` each, without components."""
        lines = self.events.read_text("utf-8").splitlines() if self.events.exists() else []
        found = []
        for line in lines:
            with contextlib.suppress(ValueError):  # the last line may be half written
                step = (json.loads(line).get("resourcePreEvent") or {}).get("metadata") or {}
                type_and_name = "::".join(step["urn"].split("::")[-2:]).split("$")[-1] if step else ""
                if step.get("op") == "create" and ":index:" not in type_and_name:
                    found.append(type_and_name)
        return found

    def preview(self, *, refresh: bool = False) -> dict[str, int]:
        """What would change: operation → how many, without those that stay the same."""
        self.said = []
        changes = self.engine.preview(self.said.append, refresh=refresh)
        return {what: count for what, count in changes.items() if what != "same"}

    def destroy(self) -> None:
        self.said = []
        self.engine.destroy(self.said.append)

    def converges(self) -> None:
        """The next `up` deploys all of it, and `destroy` gives back what was there before."""
        self.up()
        assert set(rules.alerts()) <= self.rules()
        assert self.preview(refresh=True) == {}
        self.destroy()
        assert self.objects() == self.before

    def state_files(self) -> list[Path]:
        """What the engine keeps of the stack."""
        return [path for path in (self.sandbox.home / "pulumi" / "backend").rglob("*") if path.is_file()]

    def changed(self, name: str) -> bool:
        """Whether an object (`configmap/NAME`) is another than before the first test."""
        return bool(self.objects().get(name) != self.before.get(name))

    def refused(self, act: Callable[[], object]) -> str:
        """The one sentence with which `act` is refused; no traceback of ours in it, nor in what the engine printed."""
        try:
            act()
        except OpsError as error:
            words = str(error)
        else:
            raise AssertionError("it was not refused")
        assert "\n" not in words
        printed = "".join(self.said)
        for frame in ("components/live", "components/alert", "/rules/_", "/ops/"):
            assert frame not in "".join(line for line in printed.splitlines() if 'File "' in line), printed
        return words

    def edit(self, file: str, old: str, new: str) -> None:
        """Change a file of the program's copy."""
        path = self.program / file
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    # ── what stands in the cluster ────────────────────────────────────────────────────────────────

    def objects(self) -> JsonObject:
        """Every object of the namespace: ConfigMaps and Secrets by their data, workloads by their spec.

        Not what the Prometheus Operator makes, where it runs: that follows what others and we have made.
        """
        found = {kind: self.cluster.items(f"{kind}s") for kind in ("configmap", "secret", *WORKLOADS)}
        return {
            f"{kind}/{name}": item["spec"] if kind in WORKLOADS else item.get("data")
            for kind, items in found.items()
            for name, item in items.items()
            if (item["metadata"].get("labels") or {}).get("managed-by") != "prometheus-operator"
        }

    def text(self, config_map: str, key: str) -> str:
        return str(self.cluster.items("configmaps")[config_map]["data"][key])

    def write(self, config_map: str, data: Mapping[str, str | None]) -> None:
        """Somebody else writes these keys (None: takes them out)."""
        self.cluster.http.request(
            "PATCH",
            f"/api/v1/namespaces/{NAMESPACE}/configmaps/{config_map}",
            json={"data": dict(data)},
            headers={"Content-Type": "application/merge-patch+json"},
        )

    def annotate(self, config_map: str, name: str, text: str) -> None:
        """Somebody else writes this annotation."""
        self.cluster.http.request(
            "PATCH",
            f"/api/v1/namespaces/{NAMESPACE}/configmaps/{config_map}",
            json={"metadata": {"annotations": {name: text}}},
            headers={"Content-Type": "application/merge-patch+json"},
        )

    def report(self, path: str, status: Mapping[str, JsonValue]) -> None:
        """What a kubelet would report of a Node or a Pod."""
        headers = {"Content-Type": "application/merge-patch+json"}
        self.cluster.http.request("PATCH", f"{path}/status", json={"status": dict(status)}, headers=headers)

    def alter(self, name: str, change: Callable[[JsonObject], None], kind: str = "deployments") -> None:
        """Somebody else replaces a workload by what `change` makes of its pod (`spec.template.spec`)."""
        found = self.cluster.items(kind)[name]
        change(found["spec"]["template"]["spec"])
        path = f"/apis/apps/v1/namespaces/{NAMESPACE}/{kind}/{name}"
        self.cluster.http.request("PUT", path, json=found)

    def delete(self, kind: str, name: str) -> None:
        group = "/apis/apps/v1" if kind.removesuffix("s") in WORKLOADS else "/api/v1"
        self.cluster.http.request("DELETE", f"{group}/namespaces/{NAMESPACE}/{kind}/{name}")

    def pause(self, server: str) -> Callable[[], None]:
        """Let a server's process stand still; returns what lets it go on."""
        assert self.sandbox.state is not None
        pid = int(self.sandbox.state.processes[server]["pid"])
        os.kill(pid, signal.SIGSTOP)
        return lambda: os.kill(pid, signal.SIGCONT)

    def mend(self) -> None:
        """As before the first test: nothing of ours, everything of theirs, all servers up, the program unedited."""
        self.copy_program()
        self.configure()
        found = self._workloads()
        self._put_back(lambda name: name not in self.objects())
        if self._workloads() != found and "projector" not in self.sandbox.ended:
            self.settle()  # what stands for kubelet restarts those servers: they would be started twice
        for name in self.sandbox.ended:
            self.sandbox.start(name)
        self.engine.destroy()
        for name in self.objects().keys() - self.before.keys():  # what a test that failed has left: it fails alone
            kind, _, title = name.partition("/")
            self.delete(f"{kind}s", title)
        self._put_back(lambda name: self.objects()[name] != self.before[name])
        self.events.unlink(missing_ok=True)
        assert self.objects() == self.before
        if self._workloads() != found:
            self.settle()

    def _workloads(self) -> JsonObject:
        return {name: spec for name, spec in self.objects().items() if name.partition("/")[0] in WORKLOADS}

    def settle(self) -> None:
        """What stands for kubelet has seen the pods as they are now: a look that begins here ends before the second."""
        mark = self.sandbox.home / "cluster" / "projected"
        for _ in range(2):
            until(partial(_touched_since, mark, mark.stat().st_mtime_ns))

    def _put_back(self, wanting: Callable[[str], bool]) -> None:
        for name in filter(wanting, self.before):
            kind, _, title = name.partition("/")
            held = self.before[name]
            if kind == "deployment":
                if name in self.objects():
                    self.delete("deployments", title)
                metadata = {"name": title, "labels": {"app": title}}
                self.cluster.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": held})
            if kind == "configmap":
                self.cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": title}, "data": held})
                now = self.objects()[name] or {}
                self.write(title, {**{key: None for key in now if key not in held}, **held})

    # ── what the servers run ──────────────────────────────────────────────────────────────────────

    def rules(self) -> set[str]:
        """The names of the rules that Prometheus runs."""
        return {rule.name for group in self.sandbox.prometheus.rules() for rule in group.rules}

    def receivers(self) -> set[str]:
        return set(self.sandbox.alertmanager.receivers())
