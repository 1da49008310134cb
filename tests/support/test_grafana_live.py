"""What the tests do to a live Grafana is what they do to the stand-in, which stands in for a live one here."""

import json
from collections.abc import Iterator

import httpx
import pytest

import dashboards
from ops.checks.live_dashboard import differing
from ops.clients.grafana import at
from ops.errors import Forbidden, Refused
from tests.support.grafana_live import LiveGrafana, grafana_of
from tests.support.grafana_stand_in import LOGIN, TOKEN, Grafana, running, serving

BOARD = {"uid": "b", "title": "B", "panels": []}


@pytest.fixture
def real() -> Iterator[Grafana]:
    with running("11.6.0") as real:
        yield real


@pytest.fixture
def live(real: Grafana) -> Iterator[Grafana]:
    with serving(LiveGrafana(real.url, LOGIN)) as live:
        yield live


def test_what_a_person_does_is_done_there(real: Grafana, live: Grafana) -> None:
    live.make_folder("team", "Team")
    live.save(BOARD, "team")
    assert live.boards["b"].model == BOARD == real.boards["b"].model
    assert (live.boards["b"].folder, live.boards["b"].version) == ("team", 1)
    live.folders["team"].title = "Other"
    assert real.folders["team"].title == "Other"
    assert set(live.shown()["boards"]) == {"b"} and live.shown()["folders"] == {"team": ("Other", 0)}
    del live.folders["team"], live.boards["b"]
    assert live.boards == {} == live.folders and real.boards == {}


def test_what_clients_ask_is_handed_on_with_credentials_that_it_knows(real: Grafana, live: Grafana) -> None:
    grafana = at(live.url, TOKEN)
    grafana.make_folder("team", "Team")
    grafana.save_dashboard(BOARD, folder_uid="team")
    assert real.boards["b"].folder == "team"
    assert grafana.inside("team") == ["B"] and grafana.version() == "11.6.0"
    assert "POST /api/folders" in live.calls
    with pytest.raises(Forbidden, match="Invalid API key"):
        at(live.url, "expired").organisation()


def test_an_organisation_that_a_client_names_is_handed_on(real: Grafana, live: Grafana) -> None:
    real.organisation("Team")
    assert at(live.url, LOGIN, 2).organisation() == (2, "Team")


def test_a_fault_is_given_without_asking_it(real: Grafana, live: Grafana) -> None:
    live.fail("POST /api/folders", 500, "database is locked")
    with pytest.raises(Refused, match="database is locked"):
        at(live.url, TOKEN).make_folder("team", "Team")
    assert real.folders == {}


def test_what_cannot_be_done_from_outside_skips_the_test(live: Grafana) -> None:
    live.make_folder("team", "Team", rules=2)
    with pytest.raises(pytest.skip.Exception, match="provision"):
        live.save(BOARD, provisioned=True)
    with pytest.raises(pytest.skip.Exception, match="rules of a folder"):
        live.folders["team"].rules = 3


def test_a_grafana_with_dashboards_of_somebody_is_left_alone(real: Grafana, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFANA_E2E_URL", real.url)
    monkeypatch.setenv("GRAFANA_E2E_AUTH", LOGIN)
    real.save(BOARD)
    need = "has b: the tests need a Grafana without dashboards"
    with pytest.raises(pytest.fail.Exception, match=need), grafana_of("live"):
        raise AssertionError("it was used")
    assert set(real.boards) == {"b"}


def test_it_is_as_empty_afterwards_as_before(real: Grafana, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFANA_E2E_URL", real.url)
    monkeypatch.setenv("GRAFANA_E2E_AUTH", LOGIN)
    with grafana_of("live") as live:
        live.make_folder("team", "Team")
        live.save(BOARD, "team")
        assert httpx.get(f"{live.url}/api/health").json()["version"] == "11.6.0"
    assert real.shown() == {"folders": {}, "boards": {}}


def test_without_one_a_single_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRAFANA_E2E_URL", raising=False)
    line = "no live Grafana: GRAFANA_E2E_URL and GRAFANA_E2E_AUTH name none"
    with pytest.raises(pytest.skip.Exception, match=line), grafana_of("live"):
        raise AssertionError("there is none")


def test_the_live_one_that_the_environment_names_takes_our_dashboard_and_gives_it_back_unchanged() -> None:
    """Skipped without one. The tests of the dashboard's folder and place, and those with its provider, use it too."""
    with grafana_of("live") as live:
        ours = json.loads(dashboards.FILE.read_text("utf-8"))
        live.make_folder("api-performance", "API performance")
        live.save(ours, "api-performance")
        assert differing(ours, live.boards[dashboards.UID].model) == []
