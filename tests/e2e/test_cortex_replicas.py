"""Three replicas of Cortex that share the tenants' rules and Alertmanagers, of which one is killed during `up`."""

import secrets
from collections.abc import Iterator

import pytest

from ops.clients.tenant import TenantConfig
from tests.e2e.rig import Rig
from tests.e2e.test_cortex import OURS, RECEIVERS, TEMPLATES, THEIR_GROUP, THEIRS, configure, stored
from tests.support import cortex
from tests.support.cortex import Cortex
from tests.support.waiting import PATIENCE, until


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cortex]:
    with cortex.cortex(tmp_path_factory.mktemp("three"), replicas=3) as running:
        yield running


def test_up_waits_until_the_others_have_taken_over(three: Cortex, rig: Rig) -> None:
    tenant = f"tenant-{secrets.token_hex(4)}"
    three.config(tenant).write(TenantConfig(THEIRS, TEMPLATES))
    three.ruler(tenant).write("platform", THEIR_GROUP)
    until(lambda: three.rules(tenant) == {"PlatformDown"})
    before = stored(three, tenant)
    configure(rig, three, tenant)

    process = rig.up_in_a_process()
    until(lambda: any("RuleGroups" in name for name in rig.begun()), every=0.01)
    three.processes[2].kill()
    said = process.communicate(timeout=2 * PATIENCE)[0]
    assert process.returncode == 0, said
    assert three.rules(tenant) == OURS | {"PlatformDown"}
    assert three.receivers(tenant) == RECEIVERS | {"default", "billing"}
    assert rig.preview() == {}
    rig.destroy()
    assert stored(three, tenant) == before
    assert three.rules(tenant) == {"PlatformDown"}
