"""A dashboard of somebody else with our title and another uid: Grafana before 11.2 would replace it by ours."""

from collections.abc import Iterator

import pytest

from components.live.provider import NotDone, Props
from components.live.resources import PreviousDashboardProvider
from tests.support.grafana_props import FOLDER, TITLE, UID, previous_dashboard
from tests.support.grafana_stand_in import TOKEN, Grafana, running

THEIRS = {"uid": "theirs", "title": TITLE, "panels": [{"type": "text", "id": 4}]}
OURS = {"uid": UID, "title": TITLE, "panels": []}
PROVIDER = PreviousDashboardProvider()


@pytest.fixture(params=["10.0.1", "11.0.0", "12.0.0"])
def grafana(request: pytest.FixtureRequest) -> Iterator[Grafana]:
    with running(request.param) as grafana:
        grafana.make_folder(FOLDER, "API performance")
        grafana.make_folder("team", "Team")
        yield grafana


@pytest.fixture
def old() -> Iterator[Grafana]:
    with running("10.4.0") as grafana:
        grafana.make_folder(FOLDER, "API performance")
        grafana.make_folder("team", "Team")
        yield grafana


def deploy(grafana: Grafana) -> None:
    """As the provider does it."""
    body = {"dashboard": OURS, "folderUid": FOLDER, "overwrite": True}
    status, said = grafana.answer("POST", "/api/dashboards/db", body, f"Bearer {TOKEN}")
    assert (status, said["uid"]) == (200, UID), "the provider's state has the uid that Grafana answers with"


def refused(olds: Props, news: Props) -> str:
    (failure,) = PROVIDER.check(olds, news).failures or []
    return failure.reason


def made(wanted: Props) -> Props:
    checked = PROVIDER.check({}, wanted)
    assert not checked.failures
    return dict(PROVIDER.create(dict(checked.inputs)).outs or {})


def test_without_a_look_the_stand_in_loses_theirs(old: Grafana) -> None:
    """What all of this is about; else the tests below would prove nothing."""
    old.save(THEIRS, FOLDER)
    body = {"dashboard": OURS, "folderUid": FOLDER, "overwrite": True}
    status, said = old.answer("POST", "/api/dashboards/db", body, f"Bearer {TOKEN}")
    assert (status, said["uid"]) == (200, "theirs")
    assert old.boards["theirs"].model["panels"] == [] and UID not in old.boards


def test_a_dashboard_with_our_title_is_refused_in_preview_by_title_uid_and_url(grafana: Grafana) -> None:
    grafana.save(THEIRS, FOLDER)
    before = grafana.shown()
    assert refused({}, previous_dashboard(grafana)) == (
        f"Grafana has a dashboard {TITLE!r} already in our folder, with another uid (theirs, {grafana.url}/d/theirs): "
        "give it another title, or set grafanaAdopt to true, which does so until destroy"
    )
    with pytest.raises(NotDone, match="with another uid"):
        PROVIDER.create(previous_dashboard(grafana))
    assert grafana.shown() == before


def test_one_that_came_after_ours_is_refused_before_the_next_update_replaces_it(grafana: Grafana) -> None:
    kept = made(previous_dashboard(grafana))
    deploy(grafana)
    grafana.save(THEIRS, FOLDER)
    assert "with another uid (theirs" in refused(kept, previous_dashboard(grafana))
    with pytest.raises(NotDone, match="with another uid"):
        PROVIDER.update(UID, kept, previous_dashboard(grafana, made=2))


def test_one_that_differs_in_the_case_of_letters_is_the_same_title(grafana: Grafana) -> None:
    grafana.save({**THEIRS, "title": TITLE.upper()}, FOLDER)
    assert f"dashboard {TITLE.upper()!r} already" in refused({}, previous_dashboard(grafana))


def test_one_of_the_same_words_is_the_same_title_where_grafana_compares_those() -> None:
    for version, same in (("10.0.1", True), ("11.0.0", False)):
        with running(version) as grafana:
            grafana.make_folder(FOLDER, "API performance")
            grafana.save({**THEIRS, "title": "API: performance (baseline)"}, FOLDER)
            assert bool(PROVIDER.check({}, previous_dashboard(grafana)).failures) is same


@pytest.mark.parametrize("folder", ["team", ""])
def test_our_title_in_another_folder_is_nobodys_trouble(grafana: Grafana, folder: str) -> None:
    grafana.save(THEIRS, folder)
    before = grafana.boards["theirs"].model
    kept = made(previous_dashboard(grafana))
    deploy(grafana)
    PROVIDER.delete(UID, kept)
    assert grafana.boards["theirs"].model == before and UID not in grafana.boards


def test_one_that_is_adopted_keeps_all_but_its_title_until_destroy(grafana: Grafana) -> None:
    grafana.save(THEIRS, FOLDER)
    before, number = grafana.shown(), grafana.boards["theirs"].id
    wanted = previous_dashboard(grafana, adopt=True)
    kept = made(wanted)
    deploy(grafana)
    assert grafana.boards["theirs"].model == {**THEIRS, "title": f"{TITLE} (set aside by Pulumi)"}
    again = dict(PROVIDER.check(kept, wanted).inputs)
    assert not PROVIDER.diff(UID, kept, again).changes
    PROVIDER.delete(UID, kept)
    assert grafana.shown() == before
    assert grafana.boards["theirs"].id == number, "its history and permissions hang on it"


def test_one_that_comes_later_is_set_aside_by_the_next_update_too(grafana: Grafana) -> None:
    wanted = previous_dashboard(grafana, adopt=True)
    kept = made(wanted)
    deploy(grafana)
    grafana.save(THEIRS, FOLDER)
    inputs = dict(PROVIDER.check(kept, wanted).inputs)
    assert PROVIDER.diff(UID, kept, inputs).changes
    kept = dict(PROVIDER.update(UID, kept, inputs).outs or {})
    deploy(grafana)
    PROVIDER.delete(UID, kept)
    assert grafana.boards["theirs"].model == THEIRS


def test_an_update_that_was_killed_after_the_change_of_title_is_finished(grafana: Grafana) -> None:
    grafana.save(THEIRS, FOLDER)
    wanted = previous_dashboard(grafana, adopt=True)
    made(wanted)  # and the state has nothing of it
    kept = made(wanted)
    deploy(grafana)
    PROVIDER.delete(UID, kept)
    assert grafana.boards["theirs"].model == THEIRS


def test_a_title_that_a_person_gave_it_meanwhile_stays(grafana: Grafana) -> None:
    grafana.save(THEIRS, FOLDER)
    kept = made(previous_dashboard(grafana, adopt=True))
    grafana.save({**THEIRS, "title": "Named by hand"}, FOLDER)
    PROVIDER.delete(UID, kept)
    assert grafana.boards["theirs"].model["title"] == "Named by hand"


def test_one_that_a_person_deleted_meanwhile_stays_deleted(
    grafana: Grafana, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = f"gone-{grafana.version}"
    grafana.save({**THEIRS, "uid": gone}, FOLDER)
    kept = made(previous_dashboard(grafana, adopt=True))
    del grafana.boards[gone]
    PROVIDER.delete(UID, kept)
    assert grafana.boards == {}
    assert f"dashboard {gone}, which was set aside, has been deleted meanwhile" in capsys.readouterr().out


def test_one_that_is_provisioned_can_be_given_no_other_title(grafana: Grafana) -> None:
    grafana.save(THEIRS, FOLDER, provisioned=True)
    with pytest.raises(NotDone, match=r"dashboard theirs .* has the title of ours and is managed by a file"):
        PROVIDER.create(previous_dashboard(grafana, adopt=True))


# ── putting back what was taken over by its uid ───────────────────────────────────────────────────────


def test_putting_theirs_back_replaces_no_third_one_of_its_title(old: Grafana) -> None:
    old.save({**THEIRS, "uid": UID, "title": "Theirs"}, "team")
    kept = made(previous_dashboard(old, adopt=True))
    deploy(old)
    old.save({"uid": "third", "title": "Theirs", "panels": []}, "team")
    before = old.shown()
    with pytest.raises(NotDone) as stopped:
        PROVIDER.delete(UID, kept)
    assert str(stopped.value) == (
        f"dashboard {UID} cannot get the title 'Theirs': {old.url}/d/third has it now in the same folder, and would be "
        "lost; give that one another title, and run the command again"
    )
    assert old.shown() == before, "and the state keeps it"
    old.boards["third"].model["title"] = "Another"
    PROVIDER.delete(UID, kept)
    assert old.boards[UID].model["title"] == "Theirs"


def test_putting_theirs_back_writes_over_no_file(grafana: Grafana) -> None:
    grafana.save({**THEIRS, "uid": UID, "title": "Theirs"}, "team")
    kept = made(previous_dashboard(grafana, adopt=True))
    grafana.save(OURS, FOLDER, provisioned=True)
    with pytest.raises(NotDone, match="provisioned from a file"):
        PROVIDER.delete(UID, kept)


# ── titles of folders ─────────────────────────────────────────────────────────────────────────────────


def test_a_folder_titled_like_our_dashboard_is_refused_where_grafana_refuses_it(old: Grafana) -> None:
    old.make_folder("other", TITLE)
    assert refused({}, previous_dashboard(old)) == (
        f"Grafana has a folder with the title of our dashboard ({TITLE!r}, {old.url}/dashboards/f/other), which this "
        "version does not allow: give that folder another title"
    )
    old.version = "11.6.0"
    assert not PROVIDER.check({}, previous_dashboard(old)).failures
