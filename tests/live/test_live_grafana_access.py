"""Which Grafana, which organisation of it, and what the credentials may do: known in preview."""

from collections.abc import Iterator

import pytest

from components.live.provider import Props
from components.live.resources import DashboardFolderProvider, PreviousDashboardProvider
from ops.clients.grafana import at
from ops.errors import Forbidden
from tests.support.grafana_props import FOLDER, UID, dashboard_folder, previous_dashboard
from tests.support.grafana_stand_in import LOGIN, TOKEN, VIEWER, Grafana, running

PREVIOUS, FOLDERS = PreviousDashboardProvider(), DashboardFolderProvider()


@pytest.fixture
def grafana() -> Iterator[Grafana]:
    with running() as grafana:
        yield grafana


def refused(wanted: Props) -> str:
    """Of the resource with these inputs, made for the first time."""
    provider = PREVIOUS if "adopt" in wanted else FOLDERS
    (failure,) = provider.check({}, wanted).failures or []
    return failure.reason


# ── the organisation ──────────────────────────────────────────────────────────────────────────────────


def test_a_login_that_works_in_another_organisation_deploys_to_the_first_as_the_provider_does(
    grafana: Grafana, capsys: pytest.CaptureFixture[str]
) -> None:
    grafana.current = grafana.organisation("Team").id
    FOLDERS.create(dashboard_folder(grafana, auth=LOGIN))
    assert FOLDER in grafana.folders and not grafana.organisations[2].folders
    assert not PREVIOUS.check({}, previous_dashboard(grafana, auth=LOGIN)).failures
    said = capsys.readouterr().out
    assert f"goes to organisation 1 ('Main Org.') of Grafana at {grafana.url}; grafanaOrgId names another" in said


@pytest.mark.parametrize("current", [1, 2])
def test_both_sides_work_in_the_organisation_that_is_set(
    grafana: Grafana, current: int, capsys: pytest.CaptureFixture[str]
) -> None:
    team = grafana.organisation("Team")
    grafana.current = current
    FOLDERS.create(dashboard_folder(grafana, auth=LOGIN, organisation=2))
    assert FOLDER in team.folders and not grafana.folders
    grafana.save({"uid": UID, "title": "Of the first organisation"})
    wanted = previous_dashboard(grafana, auth=LOGIN, organisation=2)
    assert not PREVIOUS.check({}, wanted).failures, "what the first organisation has is not looked at"
    assert f"goes to organisation 2 ('Team') of Grafana at {grafana.url}\n" in capsys.readouterr().out
    team.save({"uid": UID, "title": "Theirs"}, "", "somebody")
    assert "('Theirs' in 'General')" in refused(wanted)


def test_a_token_of_another_organisation_is_refused_by_both_names(grafana: Grafana) -> None:
    grafana.organisation("Team")
    grafana.owner = 2
    assert refused(previous_dashboard(grafana, organisation=1)) == (
        f"grafanaOrgId is 1, and these credentials are of organisation 2 ('Team') of Grafana at {grafana.url}: set "
        "grafanaOrgId to 2, or use credentials of organisation 1"
    )
    assert not PREVIOUS.check({}, previous_dashboard(grafana, organisation=2)).failures


def test_a_token_alone_deploys_to_its_own_organisation(grafana: Grafana, capsys: pytest.CaptureFixture[str]) -> None:
    team = grafana.organisation("Team")
    grafana.owner = 2
    FOLDERS.create(dashboard_folder(grafana))
    assert FOLDER in team.folders
    assert not PREVIOUS.check({}, previous_dashboard(grafana)).failures
    assert "organisation 2 ('Team')" in capsys.readouterr().out


def test_another_organisation_is_another_place_and_ours_goes_from_the_former(grafana: Grafana) -> None:
    team = grafana.organisation("Team")
    wanted = previous_dashboard(grafana, auth=LOGIN, organisation=1)
    olds = dict(PREVIOUS.create(dict(PREVIOUS.check({}, wanted).inputs)).outs or {})
    grafana.save({"uid": UID, "title": "Ours"})
    news = {**wanted, "organisation": 2}
    found = PREVIOUS.diff(UID, olds, dict(PREVIOUS.check(olds, news).inputs))
    assert found.replaces == ["organisation"] and found.delete_before_replace
    PREVIOUS.delete(UID, olds)
    assert not grafana.boards and not team.boards


# ── the credentials ───────────────────────────────────────────────────────────────────────────────────


def test_the_token_of_a_viewer_is_refused_in_preview(grafana: Grafana) -> None:
    assert "may not make a folder in Grafana" in refused(dashboard_folder(grafana, auth=VIEWER))
    assert refused(previous_dashboard(grafana, auth=VIEWER)) == (
        f"these credentials may not make a dashboard in Grafana at {grafana.url}, as those of a viewer: give "
        "grafanaAuth "
        "a token with the role Editor"
    )


def test_a_viewers_folder_is_no_trouble_where_there_is_one(grafana: Grafana) -> None:
    grafana.make_folder(FOLDER, "Older")
    assert not FOLDERS.check({}, dashboard_folder(grafana, auth=VIEWER)).failures


def test_a_grafana_that_does_not_tell_what_a_token_may_do_is_not_guessed_at() -> None:
    with running("8.5.27") as grafana:
        assert not PREVIOUS.check({}, previous_dashboard(grafana, auth=VIEWER)).failures
        assert not FOLDERS.check({}, dashboard_folder(grafana, auth=VIEWER)).failures


def test_a_locked_user_is_told_why_the_right_password_is_refused(
    grafana: Grafana, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in range(5):
        with pytest.raises(Forbidden):
            at(grafana.url, f"admin:wrong-{n}").organisation()
    assert not PREVIOUS.check({}, previous_dashboard(grafana, auth=LOGIN)).failures
    said = capsys.readouterr().out
    assert "(401: Invalid username or password); check the credentials and what they may do; after five wrong" in said
    assert "locks a user for five minutes, and then the right one gets the same answer: wait" in said


def test_a_wrong_password_is_sent_once_however_often_a_preview_asks(grafana: Grafana) -> None:
    for _ in range(4):
        FOLDERS.check({}, dashboard_folder(grafana, auth="admin:mistyped"))
        PREVIOUS.check({}, previous_dashboard(grafana, auth="admin:mistyped"))
    assert grafana.wrong == {"admin": 1}
    assert at(grafana.url, LOGIN).organisation() == (1, "Main Org."), "so nobody is locked out by a preview"


def test_a_token_is_not_told_of_locked_users(grafana: Grafana, capsys: pytest.CaptureFixture[str]) -> None:
    PREVIOUS.check({}, previous_dashboard(grafana, auth="expired"))
    said = capsys.readouterr().out
    assert "(401: Invalid API key); check the credentials and what they may do\n" in said


def test_a_refusal_with_403_is_not_taken_for_a_locked_user(grafana: Grafana) -> None:
    grafana.fail("GET /api/org", 403, "Not allowed")
    with pytest.raises(Forbidden, match=r"what they may do$"):
        at(grafana.url, LOGIN).organisation()


# ── the version ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("version", ["7.5.17", "6.7.0", "7.5.17+security-01"])
def test_a_grafana_without_uids_of_folders_is_refused_in_one_sentence(version: str) -> None:
    with running() as grafana:
        grafana.done = lambda *_: (200, {"database": "ok", "version": version})  # type: ignore[method-assign]
        assert refused(previous_dashboard(grafana)) == (
            f"Grafana at {grafana.url} is {version}, which knows no folder of a dashboard by its uid: upgrade it to "
            "8.0 or "
            "newer, or set grafanaMode to sidecar or off"
        )


@pytest.mark.parametrize("version", ["8.0.0", "9.5.2", "10.4.1", "11.6.0", "13.0.1"])
def test_a_newer_grafana_is_not_mentioned(version: str) -> None:
    with running(version) as grafana:
        assert not PREVIOUS.check({}, previous_dashboard(grafana)).failures


def test_a_grafana_that_hides_its_version_is_taken_for_one_that_holds_to_titles(grafana: Grafana) -> None:
    grafana.version = "12.0.0"
    grafana.make_folder("other", "API performance")
    assert not FOLDERS.check({}, dashboard_folder(grafana)).failures
    usual = grafana.done
    health = (200, {"database": "ok"})
    grafana.done = lambda method, url, *more: (  # type: ignore[method-assign]
        health if url == "/api/health" else usual(method, url, *more)
    )
    assert "Grafana has a folder 'API performance' already (other," in refused(dashboard_folder(grafana))
    assert not PREVIOUS.check({}, previous_dashboard(grafana, auth=TOKEN)).failures
