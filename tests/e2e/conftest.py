"""The real engine on a real API server; one cluster for all tests, which leave it as they found it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import operated
from tests.e2e.grafana_rig import Alone
from tests.e2e.operated import Operated
from tests.e2e.rig import Rig
from tests.support import requires
from tests.support.grafana_live import WAYS, grafana_of
from tests.support.grafana_stand_in import TOKEN, Grafana


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    requires.an_engine()
    rig = Rig(tmp_path_factory.mktemp("e2e"))
    try:
        rig.start()
        yield rig
    finally:
        rig.sandbox.down()


@pytest.fixture
def rig(whole: Rig) -> Iterator[Rig]:
    """A cluster with the hand-made stack and nothing of ours, and again afterwards."""
    yield whole
    whole.mend()


@pytest.fixture(params=WAYS)
def grafana(request: pytest.FixtureRequest) -> Iterator[Grafana]:
    """A stand-in of Grafana, or a live one, with which others work."""
    with grafana_of(request.param) as grafana:
        grafana.make_folder("team", "Team", rules=2)
        grafana.save({"title": "Another", "uid": "another", "panels": []}, "team")
        yield grafana
        assert grafana.unknown == []


@pytest.fixture
def alone(tmp_path: Path, grafana: Grafana) -> Alone:
    """The dashboard's component and no other; no cluster is needed."""
    requires.an_engine()
    requires.grafanas_provider()
    rig = Alone(tmp_path, grafana)
    rig.start()
    return rig


@pytest.fixture
def together(grafana: Grafana, rig: Rig) -> Rig:
    """The whole program, with the dashboard to Grafana and the token as a secret of the stack."""
    requires.grafanas_provider()
    rig.configure(grafanaMode="api", grafanaUrl=grafana.url, grafanaAuth=TOKEN)
    return rig


@pytest.fixture(scope="module")
def by_operator(whole: Rig) -> Iterator[Operated]:
    if why := operated.missing():
        pytest.skip(why)
    operator = Operated(whole)
    try:
        operator.start()
        yield operator
    finally:
        operator.stop()


@pytest.fixture
def operator(by_operator: Operated, rig: Rig) -> Operated:
    operated.configure(rig)
    return by_operator
