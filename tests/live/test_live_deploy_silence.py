"""What is silenced while `pulumi up` runs: our own alerts, with the labels that Prometheus sends, and nothing else."""

from functools import partial
from pathlib import Path

import pytest

import rules
from components.live.handlers import mount_handler
from components.live.handlers.mount_handler import MountHandler
from components.live.running.deploy_silence import DeploySilence, matchers
from formats.json_types import JsonObject
from ops import build_tools
from ops.clients.alertmanager import Alertmanager
from ops.clients.http import Http
from ops.errors import BadAnswer
from tests.live.api_server import serving
from tests.live.shapes import server_props
from tests.live.silenced import Silenced
from tests.support.stand_in import json_answer, stand_in
from tests.support.waiting import until

needs_servers = pytest.mark.skipif(
    not (build_tools.find("prometheus") and build_tools.find("alertmanager")), reason="run `make tools` first"
)
WATCHDOG = next(alert for alert in rules.alerts().values() if alert.is_watchdog)


@needs_servers
def test_all_of_ours_and_none_of_others(silenced: Silenced) -> None:
    ours = [{**alert.label_set, "cluster": "prod", "path": "/"} for alert in rules.alerts().values()]
    others: list[JsonObject] = [
        {**ours[0], "cluster": "staging"},  # the same program on another stack
        {**ours[0], "alertname": "Theirs"},
        {name: value for name, value in ours[0].items() if name != "component"},
        {**ours[0], "component": "theirs"},
    ]
    with silenced.held():
        (one,) = silenced.active()
        assert one["createdBy"] == "api-monitoring/prod"
        assert one["comment"] == (
            "deploySilence: for as long as `pulumi up` of api-monitoring/prod runs; "
            "renewed every 0.2 s, ends by itself within 10 s"
        )
        silenced.post(*ours, *others)
        until(lambda: len(silenced.alertmanager.alerts()) >= len(ours) + len(others))
        muted = [dict(alert.labels) for alert in silenced.alertmanager.alerts() if alert.silenced_by]
    silenced.post(*ours, *others, over=True)
    assert sorted(muted, key=str) == sorted((dict(sorted(labels.items())) for labels in ours), key=str)


@needs_servers
def test_the_watchdogs_silent_message_is_kept_away(silenced: Silenced) -> None:
    """An alert that ends and comes back during the silence is told of to nobody; that of another stack is."""
    ours, theirs = ({**WATCHDOG.label_set, "cluster": cluster} for cluster in ("prod", "staging"))
    silenced.post(ours, theirs)
    until(lambda: silenced.told("firing", **ours) and silenced.told("firing", **theirs))
    with silenced.held():
        silenced.post(ours, theirs, over=True)
        until(lambda: silenced.told("resolved", **theirs))
        for turn in ("1", "2"):  # the group of ours is looked at each second too, so at least once until the second
            other: JsonObject = {"alertname": "Theirs", "turn": turn}
            silenced.post(other)
            until(partial(silenced.told, "firing", **other))
            silenced.post(other, over=True)
            until(partial(silenced.told, "resolved", **other))
        silenced.post(ours)
    silenced.post({"alertname": "Last"})
    until(lambda: silenced.told("firing", alertname="Last"))
    assert not silenced.told("resolved", **ours)


@needs_servers
def test_a_mount_silences_before_it_writes_and_not_in_a_preview(
    silenced: Silenced, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it alone changes, as when somebody has taken it out."""
    silence, seen = silenced.prepared(), list[int]()
    monkeypatch.setattr(mount_handler, "deploy_silence", silence)
    with serving(tmp_path) as (api, kubeconfig):

        def write(_path: str, _patch: JsonObject) -> tuple[int, JsonObject]:
            seen.append(len(silenced.active()))
            return 200, {}

        monkeypatch.setattr(api, "patch", write)
        pod = {"containers": [{"name": "prometheus"}]}
        api.put("/apis/apps/v1/namespaces/monitoring/deployments/prometheus", spec={"template": {"spec": pod}})
        where = {"namespace": "monitoring", "workload": "Deployment/prometheus", "container": "prometheus"}
        access = {"kubeconfig": kubeconfig, "context": None, "server": server_props()}
        volume = {"volume": "ours", "source": {"configMap": {"name": "ours"}}, "path": "/etc/ours", "manager": "us"}
        inputs = {**access, **where, **volume}
        MountHandler().check({}, inputs)
        assert silenced.active() == []
        MountHandler().create(inputs)
    silence.end()
    assert seen == [1] and silenced.active() == []


@needs_servers
def test_without_the_setting_or_a_look_nothing_is_silenced(silenced: Silenced) -> None:
    before = silenced.alertmanager.silences()
    for silence in (DeploySilence(), silenced.prepared(silenced=None)):
        silence.begin()
        silence.end()
    assert silenced.alertmanager.silences() == before


@needs_servers
def test_alerts_without_a_component_are_not_silenced(silenced: Silenced, capsys: pytest.CaptureFixture[str]) -> None:
    silenced.prepared(silenced=[{"alertname": "A"}]).begin()
    assert "none of them has the label component when it arrives" in capsys.readouterr().out
    assert silenced.active() == []


def test_matchers_leave_out_what_is_not_known_beforehand() -> None:
    def plain(name: str, value: str, regex: bool = False) -> JsonObject:
        return {"name": name, "value": value, "isRegex": regex, "isEqual": True}

    first = {"alertname": "A.b", "component": "api", "team": "{{ $labels.team }}", "more": "x"}
    second = {"alertname": "C", "component": "api", "team": "web"}
    bare = {"alertname": "D", "severity": "critical"}  # of a rule file of others: its name alone is not enough
    assert matchers([first]) == [plain("alertname", "A.b"), plain("component", "api"), plain("more", "x")]
    assert matchers([first, second, bare]) == [plain("alertname", r"A\.b|C", regex=True), plain("component", "api")]
    assert matchers([bare]) == matchers([]) == []


def test_the_client_says_so_where_it_is_no_alertmanager() -> None:
    with (
        stand_in(lambda _: json_answer([])) as url,
        Http(url, name="It") as http,
        pytest.raises(BadAnswer, match="JSON that is not Alertmanager's"),
    ):
        Alertmanager(http).post_silence({})
