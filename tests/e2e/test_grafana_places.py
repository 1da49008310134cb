"""Titles, organisations and the two ways of delivery in Grafana, by a real engine and the real provider."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.grafana_rig import FOLDER, UID, Alone, deployed, ours
from tests.e2e.rig import Rig
from tests.support.grafana_live import LiveGrafana
from tests.support.grafana_stand_in import LOGIN, TOKEN, Grafana
from tests.support.waiting import until

CONFIG_MAP = f"dashboard-{UID}"


def titled_as_ours(grafana: Grafana) -> None:
    """Somebody's dashboard with our title, in a folder of our uid."""
    grafana.make_folder(FOLDER, "API performance")
    grafana.save({"title": ours()["title"], "uid": "theirs", "panels": [{"type": "text", "id": 4}]}, FOLDER)


@pytest.fixture
def stand_in(grafana: Grafana) -> Grafana:
    if isinstance(grafana, LiveGrafana):
        pytest.skip("it takes a Grafana of another version, with organisations or a sidecar")
    return grafana


@contextmanager
def sidecar(rig: Rig, grafana: Grafana) -> Iterator[None]:
    """What stands for Grafana's sidecar and its provider of files: it follows the ConfigMap."""
    over = threading.Event()

    def follow() -> None:
        while not over.wait(0.2):
            there = f"configmap/{CONFIG_MAP}" in rig.objects()
            with grafana.lock:
                board = grafana.boards.get(UID)
                if there and not (board and board.provisioned):
                    grafana.save(ours(), provisioned=True)
                elif not there and board and board.provisioned:
                    del grafana.boards[UID]

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("version", ["10.4.0", "12.0.0"])
def test_a_dashboard_with_our_title_is_refused_and_stays(alone: Alone, stand_in: Grafana, version: str) -> None:
    stand_in.version = version
    titled_as_ours(stand_in)
    before = stand_in.shown()
    for act in (alone.preview, alone.up):
        assert f"with another uid (theirs, {stand_in.url}/d/theirs): give it another title" in alone.refused(act)
    assert stand_in.shown() == before


@pytest.mark.parametrize("version", ["10.4.0", "12.0.0"])
def test_one_that_is_adopted_is_given_its_title_again(alone: Alone, stand_in: Grafana, version: str) -> None:
    stand_in.version = version
    titled_as_ours(stand_in)
    before = stand_in.shown()
    alone.configure(grafanaAdopt=True)
    alone.up()
    deployed(stand_in)
    assert alone.preview(refresh=True) == {}, "".join(alone.said)
    alone.up()
    assert "theirs" in stand_in.boards
    alone.destroy()
    assert stand_in.shown() == before


@pytest.mark.parametrize("current", [1, 2])
@pytest.mark.parametrize("chosen", [0, 2])
def test_folder_and_dashboard_go_to_one_organisation(
    alone: Alone, stand_in: Grafana, current: int, chosen: int
) -> None:
    stand_in.organisation("Team")
    stand_in.current = current
    before = stand_in.shown()
    alone.configure(grafanaAuth=LOGIN, grafanaOrgId=chosen)
    assert f"the dashboard goes to organisation {chosen or 1} (" in alone.warned()
    alone.up()
    there = stand_in.organisations[chosen or 1]
    assert FOLDER in there.folders and there.boards[UID].folder == FOLDER
    assert alone.preview(refresh=True) == {}, "".join(alone.said)
    alone.destroy()
    assert stand_in.shown() == before


def test_from_the_api_to_the_sidecar_and_back_in_one_update_each(together: Rig, stand_in: Grafana) -> None:
    before = stand_in.shown()
    settings = {"grafanaUrl": stand_in.url, "grafanaAuth": TOKEN}
    with sidecar(together, stand_in):
        together.up()
        deployed(stand_in)
        together.configure(grafanaMode="sidecar", **settings)
        together.up()
        until(lambda: stand_in.boards.get(UID) and stand_in.boards[UID].provisioned)
        assert together.preview(refresh=True) == {}, "".join(together.said)
        together.configure(grafanaMode="api", **settings)
        together.up()
        deployed(stand_in)
        assert not stand_in.boards[UID].provisioned
        assert f"configmap/{CONFIG_MAP}" not in together.objects()
        assert together.preview(refresh=True) == {}, "".join(together.said)
        together.destroy()
    assert stand_in.shown() == before
    assert together.objects() == together.before
