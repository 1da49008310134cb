"""A life on a real Cortex, as one process and as three: a row each in docs/compatibility.md."""

import pytest

from tests.e2e import layouts
from tests.e2e.lives import Layout, lives
from tests.e2e.rig import Rig


@pytest.mark.parametrize("layout", layouts.TENANTS, ids=lambda layout: layout.name)
def test_a_life_of_a_tenant(rig: Rig, layout: type[Layout], request: pytest.FixtureRequest) -> None:
    found = layout(rig)
    with found.made(request):
        lives(found)
