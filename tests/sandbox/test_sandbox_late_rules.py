"""A group of rules that Prometheus cannot evaluate as often as it is told to, in a sandbox of its own."""

import rules
from ops.checks import Check, evaluation_time
from ops.sandbox.lifecycle import Sandbox
from tests.support.breaking import RULE_FILE, rewritten
from tests.support.waiting import until


def test_a_group_that_cannot_keep_up_is_said_with_what_to_do(own: Sandbox) -> None:
    """Fifteen rules every two milliseconds: Prometheus leaves out evaluations, and counts them."""

    def late() -> Check | None:
        check = evaluation_time.keeps_up(own.prometheus, rules.load())
        return check if "left out" in check.detail else None

    path = own.mounts.rules / RULE_FILE
    with rewritten(path, lambda text: text.replace("interval: 30s", "interval: 2ms", 1), own.prometheus.reload):
        said = until(late, "no evaluation was counted as left out")
    assert said.status == "fail"
    assert "api_performance left out " in said.detail
    assert "evaluations within five minutes, as it takes " in said.detail
    assert " of 0.002 s (" in said.detail
    assert "give the group a longer interval, or record once what several of its rules read" in said.detail
