"""`deploySilence`: our alerts are silenced while `pulumi up` runs, and not a minute longer; not at all without it."""

import os
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

import rules
from formats.json_types import JsonObject
from ops.clients.alertmanager import is_lease
from routing.tree import Matcher
from tests.e2e.rig import Rig, kill
from tests.support.waiting import PATIENCE, until

CODE = "components/live/running/deploy_silence.py"
LEASE = 6  # seconds, in place of a minute
BY = "api-monitoring/sandbox"


class Watched:
    """The rig with the setting and a short lease; `silences`: those that have been made since."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        rig.edit(CODE, "LEASE = 60.0", f"LEASE = {LEASE}.0")
        rig.edit(CODE, "RENEWAL = 20.0", "RENEWAL = 0.5")
        rig.configure(deploySilence=True)
        self._before = {one["id"] for one in rig.sandbox.alertmanager.silences()}

    def silences(self) -> list[JsonObject]:
        every = self.rig.sandbox.alertmanager.silences()
        return [one for one in every if one["id"] not in self._before]

    def active(self) -> list[JsonObject]:
        return [one for one in self.silences() if one["status"]["state"] == "active"]

    def ended(self) -> bool:
        return {one["status"]["state"] for one in self.silences()} == {"expired"}


@pytest.fixture
def watched(rig: Rig) -> Watched:
    return Watched(rig)


@pytest.fixture
def without_kubelet(rig: Rig) -> Iterator[Callable[[], None]]:
    """Nothing that is written reaches a server, so an `up` cannot end, until what this returns is called."""
    go_on = rig.pause("projector")
    yield go_on
    go_on()


def ends(one: JsonObject) -> datetime:
    return datetime.fromisoformat(one["endsAt"])


def test_silenced_as_long_as_an_up_runs_with_a_restart_of_prometheus(
    watched: Watched, without_kubelet: Callable[[], None]
) -> None:
    rig = watched.rig
    process = rig.up_in_a_process()
    try:
        (first,) = until(watched.active, "nothing is silenced")
        assert first["createdBy"] == BY and is_lease(first)
        assert f"`pulumi up` of {BY} runs" in first["comment"] and f"within {LEASE} s" in first["comment"]
        until(lambda: rig.changed("deployment/prometheus"))
        (later,) = until(
            lambda: [one for one in watched.active() if ends(one) > ends(first) + timedelta(seconds=LEASE)]
        )
        assert later["id"] == first["id"] and process.poll() is None
        assert ends(later) <= datetime.now(UTC) + timedelta(seconds=LEASE)
        ours = [Matcher(one["name"], one["value"], "=~" if one["isRegex"] else "=") for one in first["matchers"]]
        sender = rig.sandbox.prometheus.sender()
        for alert in rules.alerts().values():
            (sent,) = sender.sent(alert.label_set)
            assert all(matcher.matches(sent) for matcher in ours), alert.name
        assert {"alertname", "component"} <= {matcher.name for matcher in ours}
    finally:
        without_kubelet()
        out, _ = process.communicate(timeout=2 * PATIENCE)
    assert process.returncode == 0, out
    assert "our alerts are silenced while this runs" in out
    assert watched.ended() and len(watched.silences()) == 1
    rig.up()  # nothing changes, so nothing is silenced
    assert len(watched.silences()) == 1
    assert rig.preview(refresh=True) == {}


def test_a_mount_that_is_put_back_silences_too(watched: Watched) -> None:
    rig = watched.rig
    rig.up()
    assert watched.ended()
    made = len(watched.silences())

    def without_ours(pod: JsonObject) -> None:
        pod["volumes"] = [one for one in pod["volumes"] if one["name"] != "api-performance-alerts"]
        (prometheus,) = pod["containers"]
        mounts = prometheus["volumeMounts"]
        prometheus["volumeMounts"] = [one for one in mounts if one["name"] != "api-performance-alerts"]

    rig.alter("prometheus", without_ours)
    changes = rig.up()
    assert changes.get("update")
    assert len(watched.silences()) == made + 1 and watched.ended()


def test_an_up_that_fails_at_its_last_resource(watched: Watched, without_kubelet: Callable[[], None]) -> None:
    rig = watched.rig
    rig.configure(deploySilence=True, liveTimeout=2)
    assert "not all servers run what was written" in rig.refused(rig.up)
    assert watched.ended()
    without_kubelet()
    rig.up()
    assert watched.ended() and len(watched.silences()) == 2


def test_an_up_that_fails_before_its_last_resource(watched: Watched) -> None:
    """The end of the plugin's process ends the silence."""
    rig = watched.rig
    rig.edit(CODE, f"LEASE = {LEASE}.0", "LEASE = 3600.0")
    rig.edit(
        "components/live/handlers/config_text_handler.py",
        '"""Put our part in. Raises EditRefused, ops.errors."""\n',
        '"""Put our part in. Raises EditRefused, ops.errors."""\n        raise EditRefused("no")\n',
    )
    assert "no" in rig.refused(rig.up)
    until(watched.ended)


@pytest.mark.usefixtures("without_kubelet")
def test_an_up_that_is_interrupted(watched: Watched) -> None:
    rig = watched.rig
    rig.edit(CODE, f"LEASE = {LEASE}.0", "LEASE = 3600.0")
    rig.configure(deploySilence=True, liveTimeout=3)
    process = rig.up_in_a_process()
    until(watched.active)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    until(watched.ended)


@pytest.mark.usefixtures("without_kubelet")
def test_an_up_that_is_killed_with_all_that_it_started(watched: Watched) -> None:
    rig = watched.rig
    process = rig.up_in_a_process()
    until(watched.active)
    kill(process)
    killed = datetime.now(UTC)
    (left,) = watched.silences()
    assert ends(left) <= killed + timedelta(seconds=LEASE)
    until(watched.ended)
    rig.engine.cancel()


@pytest.mark.usefixtures("without_kubelet")
def test_an_engine_that_is_killed_and_leaves_its_plugin_behind(watched: Watched) -> None:
    rig = watched.rig
    rig.edit(CODE, f"LEASE = {LEASE}.0", "LEASE = 3600.0")
    process = rig.up_in_a_process()
    try:
        until(watched.active)
        os.kill(process.pid, signal.SIGKILL)
        until(watched.ended)
    finally:
        kill(process)
    rig.engine.cancel()


def test_without_the_setting_nothing_is_silenced(watched: Watched) -> None:
    watched.rig.configure()
    watched.rig.up()
    assert watched.silences() == []


def test_a_former_mount_that_is_taken_back_after_the_last_resource(watched: Watched) -> None:
    rig = watched.rig
    rig.configure()
    rig.up()
    rig.edit(CODE, f"LEASE = {LEASE}.0", "LEASE = 3600.0")
    rig.configure(rulesMode="shared", deploySilence=True)
    rig.up()
    assert not rig.changed("deployment/prometheus")
    assert len(watched.silences()) == 2
    until(watched.ended)
