"""From grafanaMode api to sidecar and back, as one `up` does it: what the former mode made goes first."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from components.live.provider import NotDone, Props
from components.live.resources import PreviousDashboardProvider
from tests.live.api_server import Api, serving
from tests.support.grafana_props import CONFIG_MAP, FOLDER, MANAGER, TITLE, UID, previous_dashboard
from tests.support.grafana_stand_in import Grafana, running

OURS = {"uid": UID, "title": TITLE}
THEIRS = {"uid": UID, "title": "Theirs", "panels": []}
PATH = f"/api/v1/namespaces/monitoring/configmaps/{CONFIG_MAP}"
PROVIDER = PreviousDashboardProvider()


@pytest.fixture
def grafana() -> Iterator[Grafana]:
    with running() as grafana:
        grafana.make_folder(FOLDER, "API performance")
        yield grafana


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[Api, str]]:
    with serving(tmp_path) as served:
        yield served


def by_api(grafana: Grafana, **changes: object) -> Props:
    """The state after an `up` in mode api."""
    wanted = previous_dashboard(grafana, **changes)
    checked = PROVIDER.check({}, wanted)
    assert not checked.failures
    kept = dict(PROVIDER.create(dict(checked.inputs)).outs or {})
    grafana.save(OURS, FOLDER, by="us")
    return kept


def by_sidecar(grafana: Grafana, **changes: object) -> Props:
    """The inputs in mode sidecar, which has no credentials."""
    return previous_dashboard(grafana, mode="sidecar", auth=None, **changes)


def update(olds: Props, wanted: Props) -> Props:
    checked = PROVIDER.check(olds, wanted)
    assert not checked.failures
    inputs = dict(checked.inputs)
    found = PROVIDER.diff(UID, olds, inputs)
    assert found.changes and not found.replaces
    return dict(PROVIDER.update(UID, olds, inputs).outs or {})


# ── from api to sidecar ───────────────────────────────────────────────────────────────────────────────


def test_ours_has_gone_before_the_config_map_is_made(grafana: Grafana) -> None:
    kept = update(by_api(grafana), by_sidecar(grafana))
    assert UID not in grafana.boards
    grafana.save(OURS, provisioned=True)  # from the ConfigMap
    PROVIDER.delete(UID, kept)
    assert grafana.boards[UID].provisioned, "which Grafana deletes itself, once the ConfigMap has gone"


def test_an_update_that_was_killed_after_that_is_finished_by_the_next(grafana: Grafana) -> None:
    olds = by_api(grafana)
    update(olds, by_sidecar(grafana))
    update(olds, by_sidecar(grafana))
    grafana.save(OURS, provisioned=True)
    update(olds, by_sidecar(grafana))
    assert grafana.boards[UID].provisioned


def test_with_mode_off_one_that_a_file_provisions_by_now_stays(
    grafana: Grafana, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = by_api(grafana)
    grafana.save(OURS, provisioned=True)
    PROVIDER.delete(UID, kept)
    assert "as a file provisions it now: provisioned dashboard cannot be deleted" in capsys.readouterr().out


def test_one_that_took_the_place_of_another_is_put_back_first(grafana: Grafana) -> None:
    grafana.save(THEIRS)
    olds = by_api(grafana, adopt=True)
    (failure,) = PROVIDER.check(olds, by_sidecar(grafana)).failures or []
    assert failure.reason == (
        f"dashboard {UID} took the place of one of others, which a change to grafanaMode sidecar would lose: first set "
        "grafanaMode to off and run `pulumi up`, which puts it back, and move that one to another uid"
    )
    PROVIDER.delete(UID, olds)
    assert grafana.boards[UID].model == THEIRS


@pytest.mark.parametrize(("status", "words"), [(403, "Not allowed"), (500, "database is locked"), (400, "so it is")])
def test_grafanas_own_reason_of_a_refusal_is_shown(grafana: Grafana, status: int, words: str) -> None:
    olds = by_api(grafana)
    grafana.fail("DELETE /api/dashboards", status, words)
    with pytest.raises(NotDone, match=rf"DELETE /api/dashboards/uid/{UID}.*{status}: {words}"):
        update(olds, by_sidecar(grafana))


def test_a_sidecar_from_the_first_on_asks_grafana_for_nothing(grafana: Grafana) -> None:
    wanted = by_sidecar(grafana)
    inputs = dict(PROVIDER.check({}, wanted).inputs)
    kept = dict(PROVIDER.create(inputs).outs or {})
    assert not PROVIDER.diff(UID, kept, dict(PROVIDER.check(kept, wanted).inputs)).changes
    PROVIDER.delete(UID, kept)
    assert grafana.calls == []


# ── from sidecar to api ───────────────────────────────────────────────────────────────────────────────


def sidecar_state(grafana: Grafana, cluster: tuple[Api, str]) -> Props:
    """What stands after an `up` in mode sidecar; Grafana notices at its second look that the file has gone."""
    api, kubeconfig = cluster
    api.applied(CONFIG_MAP, MANAGER, **{f"{UID}.json": "{}"})
    grafana.save(OURS, provisioned=True)
    kept: Props = {**by_sidecar(grafana), "kubeconfig": kubeconfig, "before": "", "aside": [], "made": 1}
    return kept


def lets_go(grafana: Grafana, after: int = 2) -> None:
    """Grafana still shows the dashboard at the next `after` looks."""
    answer = grafana.organisations[1].board_asked
    looks = [after]

    def asked(method: str, uid: str) -> tuple[int, object]:
        looks[0] -= 1
        if looks[0] < 0 and uid in grafana.boards and grafana.boards[uid].provisioned:
            del grafana.boards[uid]
        return answer(method, uid)

    grafana.organisations[1].board_asked = asked  # type: ignore[method-assign]


def test_our_own_file_is_known_as_ours_and_gone_before_the_api_is_used(
    grafana: Grafana, cluster: tuple[Api, str]
) -> None:
    olds = sidecar_state(grafana, cluster)
    cluster[0].after_delete = lambda: lets_go(grafana)
    kept = update(olds, previous_dashboard(grafana, kubeconfig=cluster[1]))
    assert PATH not in cluster[0].objects
    assert UID not in grafana.boards, "so that the provider can make it"
    assert kept["before"] == ""
    grafana.save(OURS, FOLDER, by="us")
    PROVIDER.delete(UID, kept)
    assert grafana.boards == {}


def test_our_own_file_is_known_as_ours_without_a_state_by_the_config_map(
    grafana: Grafana, cluster: tuple[Api, str]
) -> None:
    sidecar_state(grafana, cluster)
    cluster[0].after_delete = lambda: lets_go(grafana)
    checked = PROVIDER.check({}, previous_dashboard(grafana, kubeconfig=cluster[1]))
    assert not checked.failures
    kept = PROVIDER.create(dict(checked.inputs)).outs or {}
    assert (kept["before"], PATH in cluster[0].objects, UID in grafana.boards) == ("", False, False)


def test_without_a_state_a_file_of_our_name_beside_a_config_map_of_others_is_theirs(
    grafana: Grafana, cluster: tuple[Api, str]
) -> None:
    sidecar_state(grafana, cluster)
    cluster[0].applied(CONFIG_MAP, "kubectl", **{f"{UID}.json": "{}"})
    (failure,) = PROVIDER.check({}, previous_dashboard(grafana, kubeconfig=cluster[1])).failures or []
    assert "provisioned from a file, which Grafana lets nobody replace" in failure.reason


def test_where_grafana_keeps_what_came_from_a_file_it_is_deleted(grafana: Grafana, cluster: tuple[Api, str]) -> None:
    """With disableDeletion of its provider."""
    olds = sidecar_state(grafana, cluster)

    def unlink() -> None:
        grafana.boards[UID].provisioned = ""

    looks = iter([lambda: None, unlink])
    answer = grafana.organisations[1].board_asked

    def asked(method: str, uid: str) -> tuple[int, object]:
        if PATH not in cluster[0].objects:
            next(looks, lambda: None)()
        return answer(method, uid)

    grafana.organisations[1].board_asked = asked  # type: ignore[method-assign]
    kept = update(olds, previous_dashboard(grafana, kubeconfig=cluster[1]))
    assert UID not in grafana.boards and kept["before"] == ""


def test_a_file_of_others_is_refused_as_before(grafana: Grafana, cluster: tuple[Api, str]) -> None:
    olds = sidecar_state(grafana, cluster)
    grafana.boards[UID].provisioned = "team/boards/latency.json"
    (failure,) = PROVIDER.check(olds, previous_dashboard(grafana, kubeconfig=cluster[1])).failures or []
    assert "provisioned from a file, which Grafana lets nobody replace: remove that file first" in failure.reason


def test_a_dashboard_that_our_file_did_not_make_is_refused(grafana: Grafana, cluster: tuple[Api, str]) -> None:
    """The sidecar is another Grafana's, or none: what stands here is somebody's."""
    olds = sidecar_state(grafana, cluster)
    grafana.save(THEIRS)
    (failure,) = PROVIDER.check(olds, previous_dashboard(grafana, kubeconfig=cluster[1])).failures or []
    assert "('Theirs'), which our ConfigMap did not make: set grafanaAdopt to true" in failure.reason
    kept = update(olds, previous_dashboard(grafana, kubeconfig=cluster[1], adopt=True))
    grafana.save(OURS, FOLDER, by="us")
    PROVIDER.delete(UID, kept)
    assert grafana.boards[UID].model == THEIRS


def test_a_config_map_of_others_stays(grafana: Grafana, cluster: tuple[Api, str]) -> None:
    olds = sidecar_state(grafana, cluster)
    cluster[0].applied(CONFIG_MAP, "kubectl", **{f"{UID}.json": "{}"})
    del grafana.boards[UID]
    update(olds, previous_dashboard(grafana, kubeconfig=cluster[1]))
    assert PATH in cluster[0].objects


def test_a_grafana_that_does_not_let_go_is_told_and_the_next_update_goes_on(
    grafana: Grafana, cluster: tuple[Api, str]
) -> None:
    olds = sidecar_state(grafana, cluster)
    wanted = previous_dashboard(grafana, kubeconfig=cluster[1], timeout=0)
    with pytest.raises(NotDone, match=f"still provisions dashboard {UID} from a file, 0 s after ConfigMap monitoring/"):
        update(olds, wanted)
    del grafana.boards[UID]
    assert update(olds, wanted)["before"] == ""
