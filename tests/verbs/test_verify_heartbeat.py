"""The heartbeat in `verify`, where no server answers: a line for a stack that has a heartbeat, and only then."""

from dataclasses import replace
from pathlib import Path

import pytest

from components.settings import Heartbeat
from ops import targets
from ops.checks import heartbeats
from ops.checks.every_check import run_checks
from tests.support import past


@pytest.mark.parametrize("heartbeat", [None, Heartbeat("/etc/alertmanager/heartbeat/url", "1m")], ids=["none", "one"])
def test_a_heartbeat_is_missed_only_where_there_is_one(
    heartbeat: Heartbeat | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path / "home"))
    past.target(tmp_path / "home", "http://127.0.0.1:9")
    target = targets.load("sandbox")
    on_call = replace(target.settings.on_call, heartbeat=heartbeat)
    found = run_checks(replace(target, settings=replace(target.settings, on_call=on_call)))
    assert found.exit_code == 2
    said = [(one.status, one.detail) for one in found.checks if one.name == heartbeats.NAME]
    assert said == ([("skip", "not checked, as prometheus, alertmanager did not answer")] if heartbeat else [])
