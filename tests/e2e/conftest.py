"""The real engine on a real API server; one cluster for all tests, which leave it as they found it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.sandbox import tools
from tests.e2e.grafana import TOKEN, Grafana, running
from tests.e2e.grafana_rig import Alone, not_installed
from tests.e2e.rig import Rig


@pytest.fixture(scope="session")
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    if not any("e2e" in argument for argument in request.config.args):
        pytest.skip("takes half an hour; `make e2e` runs it")
    missing = [] if shutil.which("pulumi") else ["pulumi (https://www.pulumi.com/docs/install)"]
    missing += [f"{name} (`make e2e` builds it)" for name in tools.CLUSTER if not tools.available(name)]
    if missing:
        pytest.skip(f"no engine here: install {', '.join(missing)}")
    rig = Rig(tmp_path_factory.mktemp("e2e"))
    try:
        rig.start()
        yield rig
    finally:
        rig.box.down()


@pytest.fixture
def rig(whole: Rig) -> Iterator[Rig]:
    """A cluster with the hand-made stack and nothing of ours, and again afterwards."""
    yield whole
    whole.mend()


@pytest.fixture
def grafana() -> Iterator[Grafana]:
    """A stand-in of Grafana with which others work."""
    with running() as grafana:
        grafana.make_folder("team", "Team", rules=2)
        grafana.save({"title": "Another", "uid": "another", "panels": []}, "team")
        yield grafana
        assert grafana.unknown == []


@pytest.fixture
def alone(request: pytest.FixtureRequest, tmp_path: Path, grafana: Grafana) -> Alone:
    """The dashboard's component and no other; no cluster is needed."""
    if not any("e2e" in argument for argument in request.config.args):
        pytest.skip("takes some minutes; `make e2e` runs it")
    _needs_the_provider()
    rig = Alone(tmp_path, grafana)
    rig.start()
    return rig


@pytest.fixture
def together(grafana: Grafana, rig: Rig) -> Rig:
    """The whole program, with the dashboard to Grafana and the token as a secret of the stack."""
    _needs_the_provider()
    rig.configure(grafanaMode="api", grafanaUrl=grafana.url, grafanaAuth=TOKEN)
    return rig


def _needs_the_provider() -> None:
    if lacking := not_installed():
        pytest.skip(f"no engine here: install {', '.join(lacking)}")
