"""A life on the layouts of the real Prometheus Operator: a row each in docs/compatibility.md."""

import pytest

from tests.e2e import layouts
from tests.e2e.lives import Layout, lives
from tests.e2e.rig import Rig


@pytest.mark.parametrize("layout", layouts.BY_OPERATOR, ids=lambda layout: layout.name)
def test_a_life_by_the_operator(rig: Rig, layout: type[Layout], request: pytest.FixtureRequest) -> None:
    found = layout(rig)
    with found.made(request):
        lives(found)
