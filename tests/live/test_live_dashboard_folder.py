"""The dashboard's folder is made where there is none, and shared where others have it."""

from collections.abc import Iterator

import pytest

from components.live.provider import NotDone, Props
from components.live.resources import DashboardFolderProvider
from tests.support.grafana_live import WAYS, grafana_of
from tests.support.grafana_props import FOLDER as UID
from tests.support.grafana_props import dashboard_folder
from tests.support.grafana_stand_in import Grafana

PROVIDER = DashboardFolderProvider()


@pytest.fixture(params=WAYS)
def grafana(request: pytest.FixtureRequest) -> Iterator[Grafana]:
    with grafana_of(request.param) as grafana:
        yield grafana


def props(grafana: Grafana, title: str = "API performance") -> Props:
    return dashboard_folder(grafana, title=title)


def made(grafana: Grafana) -> Props:
    return dict(PROVIDER.create(props(grafana)).outs or {})


def test_ours_comes_and_goes(grafana: Grafana) -> None:
    kept = made(grafana)
    assert grafana.folders[UID].title == "API performance"
    assert not PROVIDER.diff(UID, kept, props(grafana)).changes
    PROVIDER.delete(UID, kept)
    assert grafana.folders == {}


@pytest.mark.parametrize(("title", "rules", "board"), [("Older", 0, False), ("API performance", 0, True)])
def test_theirs_is_used_and_stays(grafana: Grafana, title: str, rules: int, *, board: bool) -> None:
    grafana.make_folder(UID, title, rules)
    if board:
        grafana.save({"uid": "x", "title": "X"}, UID)
    before = grafana.shown()
    kept = made(grafana)
    kept = dict(PROVIDER.update(UID, kept, props(grafana, "New")).outs or {})
    assert (PROVIDER.read(UID, kept).outs or {})["title"] == "New", "their title is no drift of ours"
    PROVIDER.delete(UID, kept)
    assert grafana.shown() == before


def test_what_a_killed_update_made_is_ours(grafana: Grafana) -> None:
    grafana.make_folder(UID, "API performance")
    assert made(grafana)["ours"] is True


def test_a_deleted_one_is_made_again(grafana: Grafana) -> None:
    kept = made(grafana)
    del grafana.folders[UID]
    assert PROVIDER.read(UID, kept).id == ""
    assert PROVIDER.diff(UID, kept, props(grafana)).changes
    PROVIDER.update(UID, kept, props(grafana))
    assert UID in grafana.folders


def test_a_new_title_is_given_to_ours(grafana: Grafana) -> None:
    kept = made(grafana)
    grafana.folders[UID].title = "By hand"
    assert (PROVIDER.read(UID, kept).outs or {})["title"] == "By hand"
    PROVIDER.update(UID, kept, props(grafana))
    assert grafana.folders[UID].title == "API performance"


def test_a_title_that_is_taken_is_told(grafana: Grafana) -> None:
    """Grafana before version 11: the uid is free, and still there is a conflict."""
    grafana.fail("POST /api/folders", 409, "a folder with the same name already exists")
    with pytest.raises(NotDone, match="same name already exists; set grafanaFolder to a title that no other folder"):
        made(grafana)


def test_it_is_not_deleted_with_what_others_put_into_it(grafana: Grafana, capsys: pytest.CaptureFixture[str]) -> None:
    kept = made(grafana)
    grafana.save({"uid": "x", "title": "X"}, UID)
    PROVIDER.delete(UID, kept)
    assert grafana.boards["x"].folder == UID
    assert "stays, as others have put something into it: X" in capsys.readouterr().out


def test_a_preview_passes_while_grafana_is_down(grafana: Grafana) -> None:
    grafana.fail("GET", 503)
    assert not PROVIDER.check({}, props(grafana)).failures
    assert not PROVIDER.diff(UID, {**props(grafana), "ours": True}, props(grafana)).changes
