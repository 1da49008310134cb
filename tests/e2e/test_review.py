"""What the review knows of a preview, from the events of a real engine."""

import pytest

from ops.stack import engine_events
from tests.e2e.rig import Rig
from tests.review.reviewed import ALERT
from tests.support.limits import changed, other


@pytest.mark.core
def test_a_preview_is_read_from_the_engines_events(rig: Rig) -> None:
    first = engine_events.of_engine(rig.engine)
    assert first.changes["create"] > 5
    assert len(first.restarts) == 1
    assert "Deployment" in first.restarts[0]
    rig.up()
    path = rig.program / "rules" / ALERT.file.name
    path.write_text(changed(ALERT, other(ALERT))(path.read_text("utf-8")), "utf-8")
    found = engine_events.of_engine(rig.engine)
    assert found.refused is found.not_made is None
    assert found.changes["update"] >= 3
    assert found.restarts == []
    assert not [line for line in found.warnings if "PATH" in line or "<{%" in line]
    assert f"+ alert {ALERT.name}: " in found.text
    assert "warning: " not in found.text


def test_a_preview_that_is_refused_says_why(rig: Rig) -> None:
    rig.edit("rules/watchdog.yml", "expr: ", "expr: )")
    found = engine_events.of_engine(rig.engine)
    assert found.refused is not None
    assert found.refused.startswith("Pulumi stopped: rules/watchdog.yml:")
    assert "Traceback" not in found.refused
