"""A dashboard that stood under our uid before us is refused, or kept and put back."""

from collections.abc import Iterator

import pytest

from components.live.provider import Props
from components.live.resources import PreviousDashboardProvider
from formats.json_types import JsonObject
from tests.support.grafana_live import WAYS, grafana_of
from tests.support.grafana_props import UID, previous_dashboard
from tests.support.grafana_stand_in import Grafana, running

THEIRS = {"uid": UID, "title": "Theirs", "panels": []}
OURS = {"uid": UID, "title": "Ours"}
PROVIDER = PreviousDashboardProvider()


@pytest.fixture(params=WAYS)
def grafana(request: pytest.FixtureRequest) -> Iterator[Grafana]:
    with grafana_of(request.param) as grafana:
        grafana.make_folder("f", "Team")
        yield grafana


def props(grafana: Grafana, *, adopt: bool) -> Props:
    return previous_dashboard(grafana, adopt=adopt)


def made(wanted: Props) -> Props:
    checked = PROVIDER.check({}, wanted)
    assert not checked.failures
    return dict(PROVIDER.create(dict(checked.inputs)).outs or {})


def test_nothing_there_is_nothing_to_put_back(grafana: Grafana) -> None:
    kept = made(props(grafana, adopt=False))
    assert kept["before"] == ""
    PROVIDER.delete(UID, kept)
    assert grafana.boards == {}


def test_theirs_is_refused_in_preview(grafana: Grafana) -> None:
    grafana.save(THEIRS, "f")
    (failure,) = PROVIDER.check({}, props(grafana, adopt=False)).failures or []
    assert failure.reason == (
        f"Grafana has a dashboard {UID} already ('Theirs' in 'Team'): set grafanaAdopt to true to take it over "
        "(destroy then puts it back), or delete it"
    )


@pytest.mark.parametrize("stands", [True, False])
def test_theirs_is_put_back_where_it_was(grafana: Grafana, *, stands: bool) -> None:
    grafana.save(THEIRS, "f")
    before = grafana.shown()
    kept = made(props(grafana, adopt=True))
    grafana.save(OURS)
    if not stands:
        del grafana.boards[UID]
    PROVIDER.delete(UID, kept)
    assert grafana.shown() == before


def test_what_is_left_standing_goes_where_there_was_nothing(grafana: Grafana) -> None:
    kept = made(props(grafana, adopt=True))
    grafana.save(OURS)
    PROVIDER.delete(UID, kept)
    assert grafana.boards == {}


def test_ours_is_not_taken_for_theirs_later(grafana: Grafana) -> None:
    wanted = made(props(grafana, adopt=False))
    grafana.save(OURS)
    checked = PROVIDER.check(wanted, props(grafana, adopt=False))
    assert not checked.failures
    assert not PROVIDER.diff(UID, wanted, dict(checked.inputs)).changes


def test_ours_is_made_again_when_somebody_has_deleted_it(grafana: Grafana) -> None:
    wanted = made(props(grafana, adopt=False))
    inputs = dict(PROVIDER.check(wanted, props(grafana, adopt=False)).inputs)
    found = PROVIDER.diff(UID, wanted, inputs)
    assert found.changes and not found.replaces
    assert (wanted["made"], inputs["made"]) == (1, 2)


def test_a_provisioned_one_cannot_be_taken_over(grafana: Grafana) -> None:
    grafana.save(THEIRS, provisioned=True)
    (failure,) = PROVIDER.check({}, props(grafana, adopt=True)).failures or []
    assert "provisioned from a file" in failure.reason


@pytest.mark.parametrize("status", [401, 500])
@pytest.mark.parametrize("deployed", [False, True])
def test_a_preview_passes_while_grafana_does_not_answer(
    grafana: Grafana, status: int, capsys: pytest.CaptureFixture[str], *, deployed: bool
) -> None:
    grafana.save(THEIRS)
    grafana.fail("GET /api/dashboards", status)
    wanted = props(grafana, adopt=False)
    checked = PROVIDER.check({**wanted, "made": 3} if deployed else {}, wanted)
    assert not checked.failures
    assert checked.inputs["made"] == (3 if deployed else 1)
    assert "could not check whether Grafana has a dashboard" in capsys.readouterr().out


def test_another_address_of_the_same_grafana_changes_nothing(grafana: Grafana) -> None:
    olds = made(props(grafana, adopt=False))
    grafana.save(OURS)
    news = {**props(grafana, adopt=False), "url": grafana.url.replace("127.0.0.1", "localhost")}
    checked = PROVIDER.check(olds, news)
    assert not checked.failures
    found = PROVIDER.diff(UID, olds, dict(checked.inputs))
    assert found.changes and not found.replaces
    assert checked.inputs["made"] == 1


@pytest.mark.parametrize("model", [None, THEIRS])
def test_another_grafana_is_refused(grafana: Grafana, model: JsonObject | None) -> None:
    """Ours would stay in the former one, and somebody's be lost in this one."""
    olds = made(props(grafana, adopt=False))
    grafana.save(OURS)
    with running() as another:
        another.save({"uid": "x", "title": "X"})
        if model:
            another.save(model)
        (failure,) = PROVIDER.check(olds, props(another, adopt=True)).failures or []
    assert f"{another.url} is another Grafana than {grafana.url}, where dashboard {UID} would" in failure.reason
    assert "first set grafanaMode to off" in failure.reason


def test_a_grafana_that_has_moved_with_all_its_dashboards_is_the_same(grafana: Grafana) -> None:
    olds = made(props(grafana, adopt=False))
    grafana.save(OURS)
    checked = PROVIDER.check({**olds, "url": "http://127.0.0.1:9"}, props(grafana, adopt=False))
    assert not checked.failures and checked.inputs["made"] == 1
