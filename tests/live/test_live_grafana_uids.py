"""What stands under our uids and can be no dashboard, or no folder, of ours: refused in preview, by name."""

from collections.abc import Iterator

import pytest

from components.live.provider import NotDone, Props
from components.live.resources import DashboardFolderProvider, PreviousDashboardProvider
from tests.support.grafana_props import FOLDER, UID, dashboard_folder, previous_dashboard
from tests.support.grafana_stand_in import Grafana, running

THEIRS = {"uid": UID, "title": "Theirs", "panels": []}
PREVIOUS, FOLDERS = PreviousDashboardProvider(), DashboardFolderProvider()


@pytest.fixture
def grafana() -> Iterator[Grafana]:
    with running() as grafana:
        grafana.make_folder("team", "Team")
        yield grafana


@pytest.fixture
def old() -> Iterator[Grafana]:
    with running("10.4.0") as grafana:
        yield grafana


def refused(wanted: Props) -> str:
    provider = PREVIOUS if "adopt" in wanted else FOLDERS
    (failure,) = provider.check({}, wanted).failures or []
    if "adopt" in wanted:
        with pytest.raises(NotDone):
            provider.create(wanted)
    return failure.reason


# ── stored in schema v2, or managed ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("adopt", [False, True])
@pytest.mark.parametrize("schema", ["v2alpha1", "v2beta1"])
def test_a_dashboard_in_schema_v2_is_refused_by_name(grafana: Grafana, schema: str, *, adopt: bool) -> None:
    grafana.save(THEIRS, "team")
    grafana.boards[UID].stored = schema
    said = refused(previous_dashboard(grafana, adopt=adopt))
    assert said.startswith(f"Grafana has a dashboard {UID} already ('Theirs'), stored in another schema than this")
    assert "(dashboard api version not supported, use /apis/" in said, "Grafana's own reason"
    assert said.endswith("): delete it, or save a copy of it under another uid first")


def test_ours_that_somebody_saved_in_schema_v2_is_refused_before_the_next_update(grafana: Grafana) -> None:
    wanted = previous_dashboard(grafana)
    olds = dict(PREVIOUS.create(dict(PREVIOUS.check({}, wanted).inputs)).outs or {})
    grafana.save({**THEIRS, "title": "Ours"}, FOLDER if FOLDER in grafana.folders else "")
    grafana.boards[UID].stored = "v2beta1"
    (failure,) = PREVIOUS.check(olds, wanted).failures or []
    assert "('Ours'), stored in another schema" in failure.reason


@pytest.mark.parametrize(
    ("kind", "name"), [("repo", "Git Sync"), ("terraform", "terraform"), ("plugin", "plugin"), ("kubectl", "kubectl")]
)
@pytest.mark.parametrize("adopt", [False, True])
def test_a_dashboard_that_something_manages_is_refused_by_its_name(
    grafana: Grafana, kind: str, name: str, *, adopt: bool
) -> None:
    grafana.save(THEIRS, "team")
    grafana.boards[UID].manager = {"kind": kind, "id": "r"}
    said = refused(previous_dashboard(grafana, adopt=adopt))
    assert said.startswith(f"Grafana has a dashboard {UID} already ('Theirs' in 'Team'), managed by {name}, which")


@pytest.mark.parametrize(
    "meta",
    [
        {"managedBy": "repo"},
        {"managedBy": {"kind": "repo", "id": "r"}},
        {"annotations": {"grafana.app/managedBy": "repo"}},
    ],
)
def test_it_is_known_too_where_grafana_tells_it_beside_the_dashboard(grafana: Grafana, meta: dict[str, object]) -> None:
    grafana.save(THEIRS, "team")
    answer = grafana.organisations[1].board_asked

    def asked(method: str, uid: str) -> tuple[int, object]:
        status, said = answer(method, uid)
        return status, {**said, "meta": {**said["meta"], **meta}} if status == 200 else said

    grafana.organisations[1].board_asked = asked  # type: ignore[method-assign]
    assert "managed by Git Sync" in refused(previous_dashboard(grafana, adopt=True))


def test_one_that_nothing_manages_is_taken_over(grafana: Grafana) -> None:
    grafana.save(THEIRS, "team")
    assert not PREVIOUS.check({}, previous_dashboard(grafana, adopt=True)).failures


# ── one space of uids ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("adopt", [False, True])
def test_a_folder_with_our_dashboards_uid_is_called_a_folder(grafana: Grafana, *, adopt: bool) -> None:
    grafana.make_folder(UID, "Latency")
    assert refused(previous_dashboard(grafana, adopt=adopt)) == (
        f"Grafana has a folder of the uid {UID} ('Latency', {grafana.url}/dashboards/f/{UID}), which our dashboard "
        "needs: "
        "delete that folder, or move what is in it to a folder of another uid"
    )


def test_a_dashboard_with_our_folders_uid_is_called_a_dashboard(grafana: Grafana) -> None:
    grafana.save({"uid": FOLDER, "title": "Latency"}, "team")
    assert refused(dashboard_folder(grafana)) == (
        f"Grafana has a dashboard of the uid {FOLDER} ('Latency', {grafana.url}/d/{FOLDER}), which our folder needs: "
        "save a "
        "copy of it under another uid, and delete it"
    )


# ── titles that a folder cannot have ──────────────────────────────────────────────────────────────────


def test_a_folders_title_that_is_taken_is_refused_in_preview(old: Grafana) -> None:
    old.make_folder("other", "API performance")
    assert refused(dashboard_folder(old)) == (
        f"Grafana has a folder 'API performance' already (other, {old.url}/dashboards/f/other), and allows no folder "
        "of "
        "the same title: set grafanaFolder to another one"
    )
    assert not FOLDERS.check({}, dashboard_folder(old, title="Free")).failures


def test_a_new_title_of_ours_that_is_taken_is_refused_in_preview(old: Grafana) -> None:
    olds = dict(FOLDERS.create(dashboard_folder(old)).outs or {})
    old.make_folder("other", "Latency")
    (failure,) = FOLDERS.check(olds, dashboard_folder(old, title="Latency")).failures or []
    assert "a folder 'Latency' already (other," in failure.reason
    assert not FOLDERS.check(olds, dashboard_folder(old)).failures


def test_a_dashboard_outside_folders_with_the_folders_title_is_refused_in_preview(old: Grafana) -> None:
    old.save({"uid": "b", "title": "API performance"})
    assert "Grafana has a dashboard 'API performance' already (b, " in refused(dashboard_folder(old))
    old.make_folder("team", "Team")
    old.boards["b"].folder = "team"
    assert not FOLDERS.check({}, dashboard_folder(old)).failures, "in a folder it is in nobody's way"


def test_a_newer_grafana_takes_titles_twice(grafana: Grafana) -> None:
    grafana.make_folder("other", "API performance")
    grafana.save({"uid": "b", "title": "API performance"})
    assert not FOLDERS.check({}, dashboard_folder(grafana)).failures
    FOLDERS.create(dashboard_folder(grafana))
    assert FOLDER in grafana.folders


def test_a_grafana_that_knows_no_search_by_folder_does_not_fill_ours_with_all_it_has(grafana: Grafana) -> None:
    kept = dict(FOLDERS.create(dashboard_folder(grafana)).outs or {})
    grafana.save({"uid": "b", "title": "B"}, "team")
    found = grafana.organisations[1].found
    grafana.organisations[1].found = lambda query: found(  # type: ignore[method-assign]
        {key: value for key, value in query.items() if key != "folderUIDs"}
    )
    FOLDERS.delete(FOLDER, kept)
    assert FOLDER not in grafana.folders and "b" in grafana.boards
