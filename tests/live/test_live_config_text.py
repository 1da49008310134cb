"""The resource that edits a ConfigMap's text: nothing of others is lost, whatever happens between two steps."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import routing
from components.live.cluster import config_map, workload
from components.live.provider import NotDone, Props
from components.live.resources import ConfigTextProvider
from components.live.text.edit_errors import EditRefused
from formats.json_types import JsonObject
from ops.clients.kubernetes import Kubernetes
from tests.live.api_server import Api, serving
from tests.live.shapes import ALERTMANAGER, wanted_workload
from tests.support.our_routes import FALLBACK, receiver_of

GLOB = "/etc/prometheus/api-performance-alerts/*.yml"
THEIRS = "global: {}\nrule_files:\n- a.yml\n"
ALERTING = ALERTMANAGER["everything there"]
OURS = receiver_of("APIP95LatencyCritical")
PROVIDER = ConfigTextProvider()
WHERE = "/api/v1/namespaces/monitoring/configmaps/prometheus-config"
POD = "/apis/apps/v1/namespaces/monitoring/deployments/prometheus"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Api, Props]]:
    with serving(tmp_path) as (api, kubeconfig):
        api.config_map("prometheus-config", **{"prometheus.yml": THEIRS, "other": "x"})
        api.config_map("alertmanager-config", **{"alertmanager.yml": ALERTING})
        yield (
            api,
            {
                "kubeconfig": kubeconfig,
                "context": None,
                "namespace": "monitoring",
                "config_map": "prometheus-config",
                "key": "prometheus.yml",
                "editor": "rule-files",
                "ours": GLOB,
            },
        )


def live(api: Api) -> str:
    return api.data("prometheus-config")["prometheus.yml"]


def alerting(props: Props, editor: str) -> Props:
    written = routing.load()
    ours = written.text if editor == "replace" else written.parts().as_json()
    return {**props, "config_map": "alertmanager-config", "key": "alertmanager.yml", "editor": editor, "ours": ours}


def refusal(props: Props, olds: Props | None = None) -> str:
    (failure,) = PROVIDER.check(olds or {}, props).failures
    assert failure.property == ""  # else the engine prints the whole value before the reason
    return str(failure.reason)


def test_created_kept_and_given_back(place: tuple[Api, Props]) -> None:
    api, props = place
    assert PROVIDER.check({}, props).failures == []
    done = PROVIDER.create(props)
    outs = done.outs or {}
    assert done.id == "monitoring/prometheus-config/prometheus.yml"
    assert GLOB in live(api) and api.data("prometheus-config")["other"] == "x"
    assert (outs["before"], outs["after"]) == (THEIRS, live(api))
    assert not PROVIDER.diff(done.id, outs, props).changes
    assert not (PROVIDER.read(done.id, outs).outs or {})["drift"]
    PROVIDER.delete(done.id, outs)
    assert live(api) == THEIRS
    assert api.objects[WHERE]["metadata"].get("annotations", {}) == {}


def test_changed_in_place(place: tuple[Api, Props]) -> None:
    api, props = place
    outs = PROVIDER.create(props).outs or {}
    news = {**props, "ours": f"{GLOB}\n/two/*.yml"}
    change = PROVIDER.diff("", outs, news)
    assert change.changes and not change.replaces
    outs = PROVIDER.update("", outs, news).outs or {}
    assert "- /two/*.yml" in live(api)
    PROVIDER.delete("", outs)
    assert live(api) == THEIRS


def test_another_place_or_editor_is_a_replacement_and_the_old_one_goes_first(place: tuple[Api, Props]) -> None:
    _, props = place
    for change in ({"key": "other"}, {"config_map": "x"}, {"editor": "replace"}, {"namespace": "x"}):
        found = PROVIDER.diff("", props, {**props, **change})
        assert found.changes and found.replaces == list(change) and found.delete_before_replace


def test_an_up_killed_after_the_write_is_made_good_by_the_next(place: tuple[Api, Props]) -> None:
    """The write arrived, the state did not."""
    api, props = place
    PROVIDER.create(props)
    outs = PROVIDER.create(props).outs or {}
    assert outs["before"] == THEIRS
    PROVIDER.delete("", outs)
    assert live(api) == THEIRS


def test_a_replacement_killed_after_the_write_still_knows_what_was_there(place: tuple[Api, Props]) -> None:
    api, props = place
    whole = alerting(props, "replace")
    PROVIDER.create(whole)
    outs = PROVIDER.create(whole).outs or {}
    PROVIDER.delete("", outs)
    assert api.data("alertmanager-config")["alertmanager.yml"] == ALERTING


def test_somebody_faster_is_not_overwritten(place: tuple[Api, Props]) -> None:
    api, props = place
    writes = iter(range(2))

    def meanwhile() -> None:
        if next(writes, None) is not None:
            api.config_map("prometheus-config", **{"prometheus.yml": "# new\n" + live(api), "other": "x"})

    api.before_write = meanwhile
    outs = PROVIDER.create(props).outs or {}
    assert live(api).startswith("# new\n# new\n") and GLOB in live(api)
    PROVIDER.delete("", outs)
    assert live(api) == "# new\n# new\n" + THEIRS


def test_who_never_lets_us_in_is_named(place: tuple[Api, Props], monkeypatch: pytest.MonkeyPatch) -> None:
    api, props = place
    monkeypatch.setattr(config_map, "ATTEMPTS", 2)
    api.before_write = lambda: api.config_map("prometheus-config", **{"prometheus.yml": THEIRS})
    with pytest.raises(NotDone, match="somebody else keeps changing"):
        PROVIDER.create(props)
    assert live(api) == THEIRS


def test_an_answer_that_got_lost_is_no_failure(place: tuple[Api, Props]) -> None:
    api, props = place
    api.cut_answers = 1
    outs = PROVIDER.create(props).outs or {}
    assert GLOB in live(api)
    PROVIDER.delete("", outs)
    assert live(api) == THEIRS


def test_foreign_edits_survive_and_are_no_drift(place: tuple[Api, Props]) -> None:
    api, props = place
    outs = PROVIDER.create(props).outs or {}
    api.config_map("prometheus-config", **{"prometheus.yml": live(api).replace("- a.yml", "- a.yml\n- b.yml")})
    assert not PROVIDER.diff("", outs, props).changes
    PROVIDER.delete("", outs)
    assert live(api) == THEIRS + "- b.yml\n"


def test_our_lines_gone_is_drift_even_without_refresh(
    place: tuple[Api, Props], capsys: pytest.CaptureFixture[str]
) -> None:
    api, props = place
    outs = PROVIDER.create(props).outs or {}
    api.config_map("prometheus-config", **{"prometheus.yml": THEIRS})
    assert PROVIDER.diff("", outs, props).changes
    assert (PROVIDER.read("x", outs).outs or {})["drift"]
    assert "our part of monitoring/prometheus-config/prometheus.yml is gone" in capsys.readouterr().out
    PROVIDER.update("", outs, props)
    assert GLOB in live(api)


def test_what_is_gone_needs_no_taking_back(place: tuple[Api, Props]) -> None:
    api, props = place
    outs = PROVIDER.create(props).outs or {}
    del api.objects[WHERE]
    assert PROVIDER.read("x", outs).id == ""
    PROVIDER.delete("", outs)


def test_a_replaced_file_changed_by_somebody_is_refused_in_preview_and_on_destroy(
    place: tuple[Api, Props],
) -> None:
    api, props = place
    whole = alerting(props, "replace")
    outs = PROVIDER.create(whole).outs or {}
    text = api.data("alertmanager-config")["alertmanager.yml"]
    api.patch(
        "/api/v1/namespaces/monitoring/configmaps/alertmanager-config",
        {
            "metadata": {"resourceVersion": str(api.version)},
            "data": {"alertmanager.yml": text.replace(f"receiver: {FALLBACK}", f"receiver:  {FALLBACK}")},
        },
    )
    with pytest.raises(NotDone, match="somebody has changed it since we wrote it") as said:
        PROVIDER.diff("", outs, {**whole, "ours": whole["ours"] + "# more\n"})
    assert str(said.value).endswith(f"+  receiver:  {FALLBACK}")
    with pytest.raises(NotDone, match="somebody has changed it"):
        PROVIDER.delete("", outs)


@pytest.mark.parametrize(("first", "second"), [("routing", "replace"), ("replace", "routing")])
def test_from_one_way_to_the_other(place: tuple[Api, Props], first: str, second: str) -> None:
    api, props = place
    outs = PROVIDER.create(alerting(props, first)).outs or {}
    news = alerting(props, second)
    assert PROVIDER.check(alerting(props, first), news).failures == []
    PROVIDER.delete("", outs)
    outs = PROVIDER.create(news).outs or {}
    PROVIDER.delete("", outs)
    assert api.data("alertmanager-config")["alertmanager.yml"] == ALERTING


def test_what_is_wrong_is_said_in_preview(place: tuple[Api, Props]) -> None:
    api, props = place
    assert refusal({**props, "config_map": "nope"}).startswith("ConfigMap monitoring/nope is not there")
    assert "has no key nope; it holds other, prometheus.yml" in refusal({**props, "key": "nope"})
    api.config_map("prometheus-config", **{"prometheus.yml": "storage: &a []\nrule_files: *a\n"})
    assert f"rule_files:\n  - {GLOB}" in refusal(props)
    api.config_map("alertmanager-config", **{"alertmanager.yml": ALERTING.replace("name: pager", f"name: {OURS}")})
    assert f"has a receiver named {OURS!r} already" in refusal(alerting(props, "routing"))
    api.forbid.add(WHERE)
    assert "403" in refusal(props)
    assert refusal({**props, "kubeconfig": "/nope"}).startswith("kubeconfig /nope does not exist")
    assert GLOB not in live(api)


def test_an_account_that_may_only_read_may_preview_and_is_told(
    place: tuple[Api, Props], capsys: pytest.CaptureFixture[str]
) -> None:
    api, props = place
    api.dry_run = 403
    assert PROVIDER.check({}, props).failures == []
    assert "`up` would fail with this account: the Kubernetes API" in capsys.readouterr().out
    assert live(api) == THEIRS


def test_a_text_that_the_api_would_not_take_is_refused_in_preview(place: tuple[Api, Props]) -> None:
    """Too large, or the ConfigMap is immutable: no account may write it."""
    api, props = place
    api.dry_run = 422
    assert "answered PATCH" in refusal(props) and "422: may not patch" in refusal(props)
    assert live(api) == THEIRS


def test_a_receiver_that_somebody_came_to_need_is_not_taken_away(place: tuple[Api, Props]) -> None:
    api, props = place
    outs = PROVIDER.create(alerting(props, "routing")).outs or {}
    text = api.data("alertmanager-config")["alertmanager.yml"]
    edited = text.replace("- receiver: default   # catch-all", f"- receiver: {OURS}")
    assert edited != text
    api.config_map("alertmanager-config", **{"alertmanager.yml": edited})
    with pytest.raises(NotDone, match=f"sends to {OURS}, which goes with our part"):
        PROVIDER.delete("", outs)


def pod(mounts: list[JsonObject], volumes: list[JsonObject]) -> JsonObject:
    containers = [{"name": "prometheus", "volumeMounts": mounts}]
    return {"template": {"spec": {"containers": containers, "volumes": volumes}}}


VOLUME = {"name": "v", "configMap": {"name": "prometheus-config"}}
PROJECTED = {"name": "v", "projected": {"sources": [{"configMap": {"name": "prometheus-config"}}]}}


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (pod([{"name": "v", "mountPath": "/x"}], [VOLUME]), ""),
        (pod([{"name": "v", "mountPath": "/x"}], [PROJECTED]), ""),
        (pod([{"name": "v", "mountPath": "/x/p.yml", "subPath": "p.yml"}], [VOLUME]), "mounts it by subPath"),
        (pod([], [VOLUME]), "container prometheus does not mount it"),
        (pod([], []), "does not mount it"),
    ],
    ids=["folder", "projected", "subPath", "volume only", "nothing"],
)
def test_a_mount_that_never_changes_is_named_in_preview(place: tuple[Api, Props], spec: JsonObject, words: str) -> None:
    api, props = place
    api.put(POD, spec=spec)
    cluster = Kubernetes(props["kubeconfig"])
    with pytest.raises(EditRefused, match=words) if words else contextlib.nullcontext():
        workload.read(cluster, wanted_workload()).refuse_dead_mount("prometheus-config", ["prometheus.yml"])
    api.forbid.add(POD)
    workload.read(cluster, wanted_workload()).refuse_dead_mount("prometheus-config", ["prometheus.yml"])
