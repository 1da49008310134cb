"""The dashboard's component alone, deployed by a real engine and the real provider to a stand-in of Grafana."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import dashboards
import rules
from formats.json_types import JsonObject
from ops.sandbox import pulumi_stack
from tests.e2e.rig import Rig, kill
from tests.support.grafana_stand_in import TOKEN, Grafana
from tests.support.limits import changed
from tests.support.waiting import PATIENCE

PROGRAM = '''"""The dashboard alone: neither cluster nor servers are needed."""

import pulumi

import dashboards
import rules
from components.dashboard import Dashboard, dashboard_delivery
from components.program import configured, readable_errors

with readable_errors():
    text = dashboards.text(dashboards.draw_limits(dashboards.load().model, rules.alerts()))
    Dashboard(dashboard_delivery(dashboards.UID, text, configured()), pulumi.ResourceOptions())
'''
UID = dashboards.UID
FOLDER = "api-performance"


def ours() -> JsonObject:
    model: JsonObject = json.loads(dashboards.FILE.read_text("utf-8"))
    return model


def deployed(grafana: Grafana) -> None:
    """Our dashboard stands in our folder, as it is in the repository."""
    assert _without_numbers(grafana.boards[UID].model) == _without_numbers(ours())
    assert grafana.boards[UID].folder == FOLDER
    assert grafana.folders[FOLDER].title == "API performance"


def _without_numbers(model: JsonObject) -> JsonObject:
    return {key: value for key, value in model.items() if key not in ("id", "version")}


class Alone(Rig):
    """Of the rig's ways those that need no cluster; `grafana` is what it deploys to."""

    def __init__(self, folder: Path, grafana: Grafana) -> None:
        super().__init__(folder)
        self.grafana = grafana
        self.usual = {"grafanaMode": "api", "grafanaUrl": grafana.url, "grafanaAuth": TOKEN}

    def start(self) -> None:
        self.sandbox.home.mkdir(parents=True)
        self.engine = pulumi_stack.create(self.sandbox.home, pulumi_stack.access(self.sandbox.home), self.usual).at(
            self.program
        )
        self.copy_program()
        (self.program / "__main__.py").write_text(PROGRAM, encoding="utf-8")

    def gives_back(self, before: object) -> None:
        """The next `up` deploys it, nothing is left to do then, and what was there before comes back by `destroy`."""
        self.up()
        deployed(self.grafana)
        assert self.preview(refresh=True) == {}, "".join(self.said)
        self.destroy()
        assert self.grafana.shown() == before

    def warned(self) -> str:
        """What a preview prints to a person, warnings included: with --diff the engine says them on another channel."""
        access = self.engine.access
        command = ["pulumi", "preview", "--diff", "--non-interactive", "--stack", access.stack]
        done = subprocess.run(
            [*command, "--config-file", str(access.config_file)],
            cwd=self.program,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
        return done.stdout + done.stderr

    def killed_at(self, call: str) -> None:
        """An `up` that is killed, with all that it has started, when Grafana has done `call` and not yet said so."""
        self.grafana.hold(call)
        process = self.up_in_a_process()
        try:
            assert self.grafana.reached.wait(PATIENCE), f"{call} was not asked for"
        finally:
            kill(process)
            self.grafana.held = ""
            self.grafana.release.set()
        self.engine.cancel()

    def change_limit(self) -> Callable[[], bool]:
        """Change a limit and draw it anew; returns whether Grafana shows the new one."""
        alert = rules.alerts()["APIP95LatencyHigh"]
        path = self.program / "rules" / alert.file.name
        path.write_text(changed(alert, "> 2345")(path.read_text("utf-8")), encoding="utf-8")
        return lambda: "2345" in str(self.grafana.boards[UID].model)
