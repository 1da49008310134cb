"""The dashboard by Grafana's API: a real engine, the real provider, and a stand-in of Grafana (see grafana.py)."""

import pytest

import rules
from ops.checks.live_dashboard import differing
from ops.clients.grafana import at
from tests.e2e.grafana_rig import FOLDER, UID, Alone, deployed, ours
from tests.e2e.rig import Rig
from tests.support.grafana_stand_in import TOKEN, Grafana

THEIRS = {"title": "Theirs", "uid": UID, "schemaVersion": 39, "tags": ["é"], "panels": [{"type": "text", "id": 4}]}

# ── its life ──────────────────────────────────────────────────────────────────────────────────────────


def test_from_preview_to_destroy(alone: Alone, grafana: Grafana) -> None:
    before = grafana.shown()
    planned = alone.preview()
    assert grafana.shown() == before, "a preview writes nothing"
    assert alone.up() == planned
    deployed(grafana)
    assert differing(ours(), at(grafana.url, TOKEN).dashboard(UID)[0]) == [], "verify finds it in order"
    assert alone.preview() == {}, "".join(alone.said)
    assert alone.preview(refresh=True) == {}, "".join(alone.said)

    shows_it = alone.change_limit()
    assert alone.preview() == {"update": 1}, "".join(alone.said)
    assert not shows_it()
    assert alone.up()["update"] == 1
    assert shows_it()
    assert grafana.boards[UID].version == 2, "changed in place"
    assert alone.preview(refresh=True) == {}

    alone.destroy()
    assert grafana.shown() == before


def test_the_whole_program_from_preview_to_destroy(together: Rig, grafana: Grafana) -> None:
    before = grafana.shown()
    planned = together.preview()
    assert grafana.shown() == before, "a preview writes nothing"
    assert together.up() == planned
    deployed(grafana)
    assert set(rules.alerts()) <= together.rules()
    for file in together.sandbox.home.rglob("*.json*"):
        assert TOKEN not in file.read_text("utf-8", errors="replace"), file.name
    assert together.preview() == {}, "".join(together.said)
    assert together.preview(refresh=True) == {}, "".join(together.said)
    together.destroy()
    assert grafana.shown() == before
    assert together.objects() == together.before


def test_a_change_stays_an_update_whatever_the_environment_says_of_hashes(alone: Alone, grafana: Grafana) -> None:
    """With hashes in the state the provider replaces the dashboard, and its history and permissions are gone."""
    alone.engine.access.env["GRAFANA_STORE_DASHBOARD_SHA256"] = "true"  # type: ignore[index]
    alone.up()
    shows_it = alone.change_limit()
    assert alone.preview() == {"update": 1}
    alone.up()
    assert shows_it()
    assert grafana.boards[UID].version == 2


# ── what a person does in Grafana between two updates ─────────────────────────────────────────────────


def test_an_edit_by_hand_is_seen_with_refresh_and_put_right(alone: Alone, grafana: Grafana) -> None:
    before = grafana.shown()
    alone.up()
    grafana.save({**grafana.boards[UID].model, "title": "Mine now"}, FOLDER)
    assert alone.preview() == {}
    assert differing(ours(), at(grafana.url, TOKEN).dashboard(UID)[0]) == ["title"], "as verify says"
    assert alone.preview(refresh=True) == {"update": 1}
    assert "Mine now" in "".join(alone.said)
    alone.engine.up(refresh=True)
    deployed(grafana)
    grafana.save({**grafana.boards[UID].model, "title": "Mine again"}, FOLDER)
    alone.destroy()
    assert grafana.shown() == before


@pytest.mark.parametrize("refresh", [False, True])
@pytest.mark.parametrize("changed", [False, True])
def test_a_dashboard_deleted_by_hand_is_made_again(
    alone: Alone, grafana: Grafana, *, refresh: bool, changed: bool
) -> None:
    before = grafana.shown()
    alone.up()
    shows_it = alone.change_limit() if changed else lambda: UID in grafana.boards
    del grafana.boards[UID]
    planned = alone.preview(refresh=refresh)
    assert planned.get("replace" if not refresh else "create") == 1, planned
    alone.engine.up(refresh=refresh)
    assert shows_it()
    assert alone.preview(refresh=True) == {}, "".join(alone.said)
    alone.destroy()
    assert grafana.shown() == before


@pytest.mark.parametrize("refresh", [False, True])
def test_a_folder_deleted_by_hand_is_made_again(alone: Alone, grafana: Grafana, *, refresh: bool) -> None:
    before = grafana.shown()
    alone.up()
    del grafana.folders[FOLDER], grafana.boards[UID]
    assert alone.preview(refresh=refresh)
    alone.engine.up(refresh=refresh)
    deployed(grafana)
    assert alone.preview(refresh=True) == {}, "".join(alone.said)
    alone.destroy()
    assert grafana.shown() == before


def test_a_folder_renamed_by_hand_is_named_as_it_should_be(alone: Alone, grafana: Grafana) -> None:
    alone.up()
    grafana.folders[FOLDER].title = "Renamed"
    assert alone.preview(refresh=True) == {"update": 1}
    alone.engine.up(refresh=True)
    deployed(grafana)
    alone.configure(grafanaFolder="Performance")
    assert alone.up()["update"] == 1
    assert grafana.folders[FOLDER].title == "Performance"


def test_all_deleted_by_hand_is_no_fault_of_destroy(alone: Alone, grafana: Grafana) -> None:
    before = grafana.shown()
    alone.up()
    del grafana.folders[FOLDER], grafana.boards[UID]
    alone.destroy()
    assert grafana.shown() == before


def test_grafana_under_another_address_changes_nothing_in_it(alone: Alone, grafana: Grafana) -> None:
    before = grafana.shown()
    alone.up()
    number = grafana.boards[UID].id
    alone.configure(grafanaUrl=grafana.url.replace("127.0.0.1", "localhost"))
    assert set(alone.preview()) == {"update"}
    alone.up()
    deployed(grafana)
    assert grafana.boards[UID].id == number
    assert alone.preview(refresh=True) == {}, "".join(alone.said)
    alone.destroy()
    assert grafana.shown() == before


# ── what was there before us ──────────────────────────────────────────────────────────────────────────


def test_a_dashboard_of_others_is_refused_in_preview(alone: Alone, grafana: Grafana) -> None:
    grafana.save(THEIRS, "team")
    before = grafana.shown()
    for act in (alone.preview, alone.up):
        assert f"Grafana has a dashboard {UID} already ('Theirs' in 'Team'): set grafanaAdopt" in alone.refused(act)
    assert grafana.boards[UID].model == THEIRS
    alone.destroy()
    assert grafana.shown() == before


def test_a_dashboard_of_others_is_taken_over_and_put_back(alone: Alone, grafana: Grafana) -> None:
    grafana.save(THEIRS, "team")
    before, number = grafana.shown(), grafana.boards[UID].id
    alone.configure(grafanaAdopt=True)
    alone.up()
    deployed(grafana)
    assert grafana.boards[UID].id == number, "its history and permissions hang on it"
    assert alone.preview(refresh=True) == {}, "".join(alone.said)
    shows_it = alone.change_limit()
    alone.up()
    assert shows_it()
    alone.destroy()
    assert grafana.shown() == before
    assert grafana.boards[UID].id == number


def test_a_dashboard_taken_over_is_put_back_after_the_setting_has_gone(alone: Alone, grafana: Grafana) -> None:
    grafana.save(THEIRS, "team")
    before = grafana.shown()
    alone.configure(grafanaAdopt=True)
    alone.up()
    alone.configure()
    alone.up()
    deployed(grafana)
    alone.destroy()
    assert grafana.shown() == before


def test_leave_to_take_over_where_there_is_nothing_leaves_nothing(alone: Alone, grafana: Grafana) -> None:
    before = grafana.shown()
    alone.configure(grafanaAdopt=True)
    alone.up()
    deployed(grafana)
    alone.destroy()
    assert grafana.shown() == before


def test_a_dashboard_taken_over_comes_back_though_its_folder_has_gone(alone: Alone, grafana: Grafana) -> None:
    grafana.save(THEIRS, "team")
    alone.configure(grafanaAdopt=True)
    alone.up()
    del grafana.folders["team"], grafana.boards["another"]
    alone.destroy()
    assert (grafana.boards[UID].model, grafana.boards[UID].folder) == (THEIRS, "")
    assert "no folder team any more" in "".join(alone.said)


def test_a_provisioned_dashboard_is_refused_in_preview(alone: Alone, grafana: Grafana) -> None:
    grafana.save(THEIRS, "team", provisioned=True)
    alone.configure(grafanaAdopt=True)
    for act in (alone.preview, alone.up):
        assert "provisioned from a file, which Grafana lets nobody replace" in alone.refused(act)
    assert grafana.boards[UID].model == THEIRS


def test_a_folder_of_others_is_shared_and_stays(alone: Alone, grafana: Grafana) -> None:
    grafana.make_folder(FOLDER, "Older", rules=1)
    before = grafana.shown()
    assert f"Grafana has a folder {FOLDER} already ('Older'): it is used, and stays as it is" in alone.warned()
    alone.up()
    assert grafana.boards[UID].folder == FOLDER
    assert alone.preview(refresh=True) == {}, "".join(alone.said)
    alone.destroy()
    assert grafana.shown() == before


def test_what_others_put_into_our_folder_stays(alone: Alone, grafana: Grafana) -> None:
    alone.up()
    grafana.save({"title": "Put here", "uid": "put-here"}, FOLDER)
    alone.destroy()
    assert "Grafana's folder 'API performance' stays, as others have put something into it: Put here" in "".join(
        alone.said
    )
    assert UID not in grafana.boards
    assert grafana.boards["put-here"].folder == FOLDER


def test_alert_rules_that_others_put_into_our_folder_stay(alone: Alone, grafana: Grafana) -> None:
    alone.up()
    grafana.folders[FOLDER].rules = 3
    alone.destroy()
    assert "stays: folder cannot be deleted: folder contains alert rules" in "".join(alone.said)
    assert grafana.folders[FOLDER].rules == 3
