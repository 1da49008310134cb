"""The real engine on a real API server; one cluster for all tests, which leave it as they found it."""

import shutil
from collections.abc import Iterator

import pytest

from ops.sandbox import tools
from tests.e2e.rig import Rig


@pytest.fixture(scope="session")
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    if not any("e2e" in argument for argument in request.config.args):
        pytest.skip("takes six minutes; `make e2e` runs it")
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
