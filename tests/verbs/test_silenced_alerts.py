"""What verify says of silences."""

import pytest

import routing
import rules
from ops import targets
from ops.checks import Check, live_routing
from ops.clients.alertmanager import DEPLOY_COMMENT
from tests.support.breaking import silence

LATENCY = "APIP95LatencyHigh"


def said(target: targets.Target) -> Check:
    found = live_routing.live(target, routing.load(), rules.alerts().values())
    return next(check for check in found if check.name == "routing/silences")


def test_one_of_ours_is_named_with_its_end_and_its_author(target: targets.Target) -> None:
    assert said(target).status == "pass"
    with silence(target, {"alertname": LATENCY}):
        check = said(target)
    assert check.status == "skip"
    assert check.detail.startswith(f"silenced: {LATENCY} until 20")
    assert check.detail.endswith(" UTC by eve (maintenance); nobody is told of them meanwhile")
    assert said(target).status == "pass"


def test_one_for_several_and_one_beside_it(target: targets.Target) -> None:
    count = sum(alert.labels.get("component") == "webhook" for alert in rules.alerts().values())
    with silence(target, {"component": "webhook"}), silence(target, {"alertname": LATENCY}, comment="later"):
        check = said(target)
    assert check.detail.count("by eve") == 2 and "(later)" in check.detail
    assert sum(name in check.detail for name in rules.alerts()) >= min(count, 3)


def test_one_that_an_up_holds_is_called_that(target: targets.Target) -> None:
    with silence(target, {"alertname": LATENCY}, by="api-monitoring/prod", comment=f"{DEPLOY_COMMENT} for as long"):
        check = said(target)
    assert check.detail.startswith(
        f"silenced: {LATENCY} while `pulumi up` of api-monitoring/prod runs (deploySilence; ends at "
    )
    assert check.detail.endswith(" UTC if not renewed); nobody is told of them meanwhile")


@pytest.mark.parametrize("labels", [{"alertname": "Theirs"}, {"component": "web"}])
def test_one_of_others_is_not_mentioned(target: targets.Target, labels: dict[str, str]) -> None:
    with silence(target, labels):
        assert said(target).status == "pass"
