"""The heartbeat through its whole life: deployed, heard outside, proved, changed, and gone without a trace."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

import rules
from formats.json_types import JsonObject
from ops import targets
from ops.checks import Check
from ops.checks.every_check import run_checks
from ops.clients.http import Http
from ops.sandbox import parts, ports, processes
from routing.heartbeat import RECEIVER
from tests.e2e.rig import Rig
from tests.e2e.test_preview_words import previewed, said
from tests.support.waiting import until

WATCHDOG = next(name for name, alert in rules.alerts().items() if alert.is_watchdog)
TOKEN = "a-token-that-nobody-may-see"  # in the URL, as these services have it


@dataclass
class Outside:
    """A dead man's switch, and the settings with which it is told."""

    http: Http
    settings: JsonObject

    @property
    def beats(self) -> int:
        """How many it has heard."""
        return len(self.http.get_json("/state")["beats"])


@pytest.fixture
def outside(rig: Rig, tmp_path: Path) -> Iterator[Outside]:
    port = ports.choose(["switch"], {})["switch"]
    http = Http(f"http://{ports.HOST}:{port}", name="the switch")
    command = [sys.executable, "-m", "ops.sandbox.servers.dead_mans_switch", "--port", str(port)]
    url = rig.sandbox.mounts.folder("alertmanager", "heartbeat/url")
    url.parent.mkdir(parents=True, exist_ok=True)
    url.write_text(f"{http.url}/beat?{TOKEN}", "utf-8")
    try:
        child = processes.start(
            tmp_path, "switch", [*command, "--period", "30", "--grace", "60"], environment=parts.environment()
        )
        processes.wait_ready(child, lambda: parts.answers(http.url, "/state"), seconds=30.0, ports=(port,))
        yield Outside(http, {"heartbeatUrlFile": str(url), "heartbeatInterval": "30s"})
    finally:
        processes.stop(tmp_path)
        url.unlink()
        url.parent.rmdir()


def checked(rig: Rig, folder: Path, settings: JsonObject) -> dict[str, Check]:
    """What `verify` says of the stack with these settings."""
    config = {f"api-monitoring:{key}": value for key, value in {**rig.usual, **settings}.items()}
    (folder / "Pulumi.beating.yaml").write_text(yaml.safe_dump({"config": config}), "utf-8")
    return {check.name: check for check in run_checks(targets.load("beating")).checks}


@pytest.mark.parametrize("all_ours", [False, True], ids=["our part", "all of it"])
def test_the_watchdog_is_heard_outside_until_destroy(
    rig: Rig, outside: Outside, all_ours: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(targets, "ROOT", tmp_path)
    settings = {**outside.settings, "alertmanagerReplace": all_ours}
    rig.configure(**settings)
    rig.up()
    assert RECEIVER in rig.receivers()
    until(lambda: outside.beats, "no heartbeat came")
    assert rig.preview(refresh=True) == {}, "".join(rig.said)
    assert TOKEN not in "".join(rig.said)
    assert not [path for path in rig.state_files() if TOKEN in path.read_text("utf-8", "replace")]

    def proved() -> bool:
        found = checked(rig, tmp_path, settings)
        return all(
            found[f"routing/{name}"].status == "pass" for name in ("receivers", "paths", "inhibitions", "heartbeat")
        )

    until(proved, lambda: str(checked(rig, tmp_path, settings)))
    assert "routing/heartbeat" not in checked(rig, tmp_path, {"alertmanagerReplace": all_ours})

    rig.configure(**{**settings, "heartbeatInterval": "2m"})
    came = said(previewed(rig), "+")
    (route,) = (line for line in came if line.startswith("route "))
    # A line is shown up to its 150th character.
    assert f"to {RECEIVER} and goes on" in route and "again every 2 min" in route and WATCHDOG in route
    rig.up()
    rig.configure(alertmanagerReplace=all_ours)
    rig.up()
    assert RECEIVER not in rig.receivers()
    rig.destroy()
    assert rig.objects() == rig.before
